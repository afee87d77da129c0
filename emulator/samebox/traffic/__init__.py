"""The data plane: bytes that pass through us on their way to a container or a store."""
