"""The routes: GET /ping, POST /invocations, GET /execution-parameters; else 404 or 405 with a message."""

from __future__ import annotations

import logging
import time
from typing import IO, TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from samebox_serve.errors import BadRequest, PayloadTooLarge, RequestError
from samebox_serve.logs import NEWS

if TYPE_CHECKING:
    from samebox_serve.model import Model
    from samebox_serve.settings import ServeSettings

log = logging.getLogger("samebox.serve")

MEGABYTE = 1024 * 1024
# The largest product of both that batch transform allows (contract.md §3.2), and its default payload.
TRANSFORM_MEGABYTES = 100
DEFAULT_PAYLOAD_MEGABYTES = 6
# Of a body that is too large: more than any client of SageMaker may send, and as long as a client may take for it.
DISCARD_BYTES, DISCARD_SECONDS = 128 * MEGABYTE, 30.0
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


def create(settings: ServeSettings, model: Model, concurrency: int) -> Flask:
    """The WSGI application of one worker. `concurrency` is how many predictions the whole server runs at once."""
    app = Flask("samebox_serve", static_folder=None)
    # "//ping" and "/ping/" are other paths. A redirect does not pass the platform's health check (contract.md §2.2).
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True

    @app.before_request
    def refuse_head() -> Response | None:
        # Flask answers HEAD wherever it answers GET; the contract knows GET and POST only.
        if request.method == "HEAD" and request.url_rule is not None:
            return Response(status=405, headers={"Allow": "GET"})
        return None

    @app.get("/ping", provide_automatic_options=False)
    def ping() -> Response:
        healthy, reason = model.health()
        status = 200 if healthy else 503
        if model.is_news(status, reason):
            request.environ[NEWS] = reason
        return Response(status=200) if healthy else error(status, reason)

    @app.post("/invocations", provide_automatic_options=False)
    def invocations() -> Response:
        body = read_body(settings)
        answer = model.answer(
            body, request.headers.get("Content-Type"), request.headers.get("Accept"), dict(request.headers)
        )
        response = Response(answer.body, answer.status, content_type=answer.content_type)
        for name, value in answer.headers.items():
            response.headers[name] = value
        return response

    @app.get("/execution-parameters", provide_automatic_options=False)
    def execution_parameters() -> Response:
        payload = min(settings.max_payload_megabytes or DEFAULT_PAYLOAD_MEGABYTES, TRANSFORM_MEGABYTES)
        return jsonify(
            MaxConcurrentTransforms=max(1, min(concurrency, TRANSFORM_MEGABYTES // payload)),
            BatchStrategy="MULTI_RECORD",
            MaxPayloadInMB=payload,
        )

    @app.errorhandler(RequestError)
    def refused(problem: RequestError) -> Response:
        return error(problem.status, problem.message, **problem.details)

    @app.errorhandler(HTTPException)
    def http_error(problem: HTTPException) -> Response:
        response = error(problem.code or 500, f"{request.method} {request.path}: {problem.description}")
        for name, value in problem.get_headers(request.environ):
            if name == "Allow":
                response.headers["Allow"] = ", ".join(sorted(set(value.split(", ")) - {"HEAD", "OPTIONS"}))
        return response

    @app.errorhandler(Exception)
    def failed(problem: Exception) -> Response:
        # The model's own code failed. Its traceback is for the log, its words for the client.
        log.error("the handlers failed", exc_info=problem)
        return error(500, f"{type(problem).__name__}: {problem}")

    return app


def read_body(settings: ServeSettings) -> bytes:
    """The whole body, chunked or not. Raises TooLarge and BadRequest."""
    limit = settings.max_payload_megabytes * MEGABYTE
    stream, expected = request.environ["wsgi.input"], request.content_length
    if limit and expected is not None and expected > limit:
        discard(stream)
        raise too_large(settings)
    # gunicorn's stream ends where the request ends.
    body: bytes = stream.read(limit + 1) if limit else stream.read()
    if limit and len(body) > limit:
        discard(stream)
        raise too_large(settings)
    if expected is not None and len(body) < expected:
        raise BadRequest(f"the body ended after {len(body)} of {expected} bytes")
    return body


def discard(stream: IO[bytes]) -> None:
    """Read and drop the rest of a body that is not needed, within limits.

    A client reads no answer before it has sent everything: closing while it sends would reset the connection, and the
    answer would be lost.
    """
    end, left = time.monotonic() + DISCARD_SECONDS, DISCARD_BYTES
    while left > 0 and time.monotonic() < end:
        taken = len(stream.read(min(left, 64 * 1024)))
        if not taken:
            return
        left -= taken


def too_large(settings: ServeSettings) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body is over {settings.max_payload_megabytes} MB (SAGEMAKER_MAX_PAYLOAD_IN_MB)")


def error(status: int, message: str, **details: Any) -> Response:
    response = jsonify(error=message, **details)
    response.status_code = status
    return response
