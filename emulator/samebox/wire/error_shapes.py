"""An AwsError in the light of the model: which error shape it is, which status it has, which members it fills.

Every protocol writes errors differently, but they all ask these three things first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samebox.errors import AwsError
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Shape


@dataclass(frozen=True)
class ErrorShape:
    """`members` is keyed by model names where the shape is known. `message_member` is where the message goes."""

    code: str
    message: str
    status: int
    shape: Shape | None
    message_member: str
    members: Mapping[str, Any]

    @property
    def is_server_fault(self) -> bool:
        return self.status >= 500


def error_shape(service: Service | None, operation: Operation | None, error: AwsError) -> ErrorShape:
    """Look an error up: among the operation's own errors, else among the service's."""
    code = error.code
    if code == "ValidationException" and operation is not None and "ValidationError" in operation.errors:
        code = "ValidationError"  # the runtime's name for it (contract §6.3)
    shape = _shape(service, operation, code)
    # 400 is an AwsError's default status; the model may have another.
    status = shape.error_status if shape is not None and error.status == 400 else error.status
    message_member = "message"
    if shape is not None:
        message_member = next((name for name in shape.members if name.lower() == "message"), "message")
    return ErrorShape(code, error.message, status, shape, message_member, error.fields)


def internal_failure(request_id: str) -> AwsError:
    """What a client is answered where the fault is ours: the log has the traceback under this id."""
    return AwsError(
        "InternalFailure",
        f"The request processing has failed because of an unknown error, exception or failure ({request_id}).",
        500,
    )


def _shape(service: Service | None, operation: Operation | None, code: str) -> Shape | None:
    declared = operation.errors.values() if operation is not None else ()
    for shape in declared:
        if code in (shape.name, shape.error_code):
            return shape
    if service is not None and code in service.shapes:
        shape = service.shapes[code]
        if shape.traits.get("exception"):
            return shape
    return None
