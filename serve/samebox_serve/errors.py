"""Error responses of /invocations: a status and a message for the client."""

from __future__ import annotations


class RequestError(Exception):
    """Answered with `status` and {"error": message}."""

    status = 500

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadRequest(RequestError):
    """The body does not match its Content-Type, or not the model's input."""

    status = 400


class NotAcceptable(RequestError):
    """None of the types in Accept can be produced."""

    status = 406


class PayloadTooLarge(RequestError):
    """The body is over SAGEMAKER_MAX_PAYLOAD_IN_MB."""

    status = 413


class UnsupportedType(RequestError):
    """The Content-Type is none that can be read."""

    status = 415


class NotReady(RequestError):
    """The model is not loaded (yet)."""

    status = 503


class TookTooLong(RequestError):
    """The prediction did not end within SAGEMAKER_MODEL_SERVER_TIMEOUT."""

    status = 504
