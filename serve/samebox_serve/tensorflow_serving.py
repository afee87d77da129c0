"""The handlers that scripts for AWS's TensorFlow Serving containers have, around this image's own model.

Such a script defines `input_handler(data, context)` and `output_handler(response, context)`: what the first returns is
the body of a request to TensorFlow Serving, and the second makes the answer of its response. Or it defines
`handler(data, context)`, which sends that request to `context.rest_uri` itself (sagemaker-tensorflow-serving-container,
"Pre/Post-Processing"). TensorFlow Serving is not in this image: its REST API, predict alone, is answered here.
"""

from __future__ import annotations

import io
import json
import threading
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from samebox_serve import formats
from samebox_serve.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

MODEL = "model"
_PATH = f"/v1/models/{MODEL}:predict"
_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"


@dataclass(frozen=True)
class ServingContext:
    """What handlers are given of a request, by the names of AWS's container. There is no gRPC."""

    rest_uri: str
    request_content_type: str
    accept_header: str
    content_length: int
    custom_attributes: str | None
    model_name: str = MODEL
    model_version: str | None = None
    method: str = "predict"
    grpc_port: str | None = None
    channel: None = None


@dataclass(frozen=True)
class ServingResponse:
    """A response of the REST API, as `requests` shows one."""

    content: bytes
    status_code: int = 200

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def ok(self) -> bool:
        return self.status_code < 400

    def json(self) -> Any:
        return json.loads(self.content)


class ServingHandlers:
    """`predict` takes and returns JSON in the form of TensorFlow Serving, and raises RequestError."""

    def __init__(self, program: ModuleType, predict: Callable[[bytes], bytes]) -> None:
        self._program = program
        self._predict = predict

    @staticmethod
    def are_in(program: ModuleType | None) -> bool:
        """Whether a script has them.

        Raises ValueError for one of a pair, and for those of sagemaker-inference beside them.
        """
        names = [name for name in ("handler", "input_handler", "output_handler") if hasattr(program, name)]
        if not names:
            return False
        if names in (["input_handler"], ["output_handler"]):
            raise ValueError(f"the script defines {names[0]} alone: input_handler and output_handler are a pair")
        others = [name for name in ("model_fn", "input_fn", "predict_fn", "output_fn") if hasattr(program, name)]
        if others:
            raise ValueError(f"the script defines {names[0]} and {', '.join(others)}: it must be one or the other")
        return True

    def answer(
        self, body: bytes, content_type: str | None, accepted: str | None, headers: dict[str, str]
    ) -> tuple[Any, str]:
        """The body and its type, as the script returns them."""
        attributes = next((value for name, value in headers.items() if name.lower() == _ATTRIBUTES), None)
        context = ServingContext(
            f"{self._rest}{_PATH}", content_type or formats.JSON, accepted or formats.JSON, len(body), attributes
        )
        if hasattr(self._program, "handler"):
            result = self._program.handler(io.BytesIO(body), context)
        else:
            request = self._program.input_handler(io.BytesIO(body), context)
            result = self._program.output_handler(self._respond(request), context)
        answer, kind = result
        return answer, kind

    def _respond(self, request: bytes | str) -> ServingResponse:
        try:
            return ServingResponse(self._predict(request.encode() if isinstance(request, str) else bytes(request)))
        except RequestError as error:
            return ServingResponse(json.dumps({"error": str(error)}).encode(), error.status)

    @cached_property
    def _rest(self) -> str:
        """The REST API's address on loopback, from its first use to the end of the process."""
        respond = self._respond

        class PredictHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                response = respond(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                if self.path != _PATH:
                    response = ServingResponse(b'{"error": "Malformed request: only predict is answered here"}', 400)
                self.send_response(response.status_code)
                self.send_header("Content-Type", formats.JSON)
                self.send_header("Content-Length", str(len(response.content)))
                self.end_headers()
                self.wfile.write(response.content)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), PredictHandler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="rest-api", daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"


def columnar(request: bytes, response: bytes) -> bytes:
    """A request with `inputs`, by columns, is answered with `outputs` (TensorFlow Serving, RESTful API)."""
    asked = json.loads(request)
    found = json.loads(response)
    if not isinstance(asked, dict) or "inputs" not in asked or "predictions" not in found:
        return response
    rows = found["predictions"]
    if rows and isinstance(rows[0], dict):
        return json.dumps({"outputs": {name: [row[name] for row in rows] for name in rows[0]}}).encode()
    return json.dumps({"outputs": rows}).encode()
