"""The domain: what exists, how it may change, and where it is written down."""
