"""The errors of the AWS API: what a handler raises, and what a client reads.

``AwsError`` carries AWS's code and AWS's words; the gateway is the one place that puts it on the wire. The subclasses
are only the few that more than one service raises; a service's own errors are `AwsError("ImageNotFoundException", …)`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class AwsError(Exception):
    """A refusal that the client is meant to see.

    `code` is the error shape's name in the model (`ResourceInUse`). `fields` are further members of that shape by their
    model names (`{"OriginalStatusCode": 500}`); the message goes to whatever member the shape keeps it in. A status of
    400 gives way to the one that the model has for the code.
    """

    def __init__(self, code: str, message: str, status: int = 400, fields: Mapping[str, Any] = _NO_FIELDS) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


class ValidationException(AwsError):
    """The request breaks a rule, of the model or of the service (contract §6.4)."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ResourceNotFound(AwsError):
    """SageMaker's own spelling; which nouns use it and which say ValidationException is in contract §6.3."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFound", message)


class ResourceInUse(AwsError):
    """A resource of that name is there already, or is busy."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class ResourceLimitExceeded(AwsError):
    """More than the account may have."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceLimitExceeded", message)


class AccessDenied(AwsError):
    """The caller may not do this."""

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message)


class SerializationException(AwsError):
    """The body is not what the protocol or the model's types say; raised before any constraint is looked at."""

    def __init__(self, message: str) -> None:
        super().__init__("SerializationException", message)


class UnknownOperation(AwsError):
    """No operation of that name exists in the service's model."""

    def __init__(self, message: str = "The requested operation is not recognized by the service.") -> None:
        super().__init__("UnknownOperationException", message, 404)


class UnspokenService(AwsError):
    """A service of AWS that is not spoken here, and that LocalStack, which may speak it, does not answer for."""

    def __init__(self, service: str) -> None:
        super().__init__(
            "NotImplemented",
            f"samebox does not run {service}. LocalStack runs further services: `samebox up --localstack` starts it.",
            501,
        )


class NotImplementedByEmulator(AwsError):
    """The operation is AWS's, but not implemented here; the error says so instead of pretending a result."""

    def __init__(self, service: str, operation: str, why: str = "") -> None:
        message = f"samebox does not implement {service}:{operation}."
        if not operation:
            message = f"This request to {service} names no operation of AWS that samebox implements."
        super().__init__("NotImplemented", f"{message} {why}".rstrip(), 501)
