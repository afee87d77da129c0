"""Members that the model calls optional and the service needs."""

from samebox.errors import ValidationException


def missing(path: str) -> ValidationException:
    """The refusal of a request without such a member; the words are those for members that the model requires."""
    return ValidationException(
        f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
    )
