"""A runtime endpoint on loopback for an application: forwards invocations with the user's credentials and records them.

Its responses are those of the real endpoint: status, headers and errors. While it runs, every local process that can
connect to loopback can invoke endpoints through it; a web page cannot.
"""

import contextlib
import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from samebox.commands.runtime import Exchange, Runtime

BODY_MOST = 26_214_400  # what AWS takes of InvokeEndpoint, in bytes
AT_ONCE = 32
_BUSY_SECONDS = 60.0  # a call that finds as many others before it waits as long for its turn
_READ_SECONDS = 60.0  # for each piece of a request; a connection that is idle for as long is closed
_DRAIN_MOST = 4 * BODY_MOST  # of a body that is too large; a client reads no answer while it still sends
_INVOCATION = re.compile(r"/endpoints/([^/?]+)/invocations")
_NOT_RUN = re.compile(r"/endpoints/[^/?]+/(invocations-response-stream|async-invocations)")
_OPERATIONS = {
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
    "async-invocations": "InvokeEndpointAsync",
}
_OF_A_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "trailer", "te", "content-length"}
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# What becomes of an exchange: whether it belongs to the transcript is the keeper's to know. May raise OSError.
Keep = Callable[[str, Exchange], None]


class Forwarder(ThreadingHTTPServer):
    """Listens as soon as it is made; OSError where it cannot. `troubles` are its own, not the endpoint's."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], runtime: Runtime, keep: Keep) -> None:
        self.runtime = runtime
        self.keep = keep
        self.troubles: list[str] = []
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._changed = threading.Condition()
        self._busy = 0
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextlib.contextmanager
    def turn(self) -> Any:
        """Gives False to one that has waited too long for it."""
        with self._changed:
            self._busy += 1
        has_turn = self._turns.acquire(timeout=_BUSY_SECONDS)
        try:
            yield has_turn
        finally:
            if has_turn:
                self._turns.release()
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether all that was begun has been answered."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._busy and (left := end - time.monotonic()) > 0:
                self._changed.wait(min(left, 0.5))
            return not self._busy

    def handle_error(self, *_: Any) -> None:
        """A client that disconnects is not an error; other errors are reported at the end."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.troubles.append(f"{type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: Forwarder
    protocol_version = "HTTP/1.1"
    timeout = _READ_SECONDS
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self._body()
        if body is None or self._is_a_browser():
            return
        if match := _NOT_RUN.fullmatch(self.path):
            operation = _OPERATIONS[match.group(1)]
            self._refuse(501, "NotImplemented", f"{operation} is not recorded by samebox; InvokeEndpoint is.")
            return
        match = _INVOCATION.fullmatch(self.path)
        if match is None:
            self._refuse(404, "UnknownOperationException", "`samebox record` takes POST /endpoints/NAME/invocations.")
            return
        with self.server.turn() as has_turn:
            if not has_turn:
                self._refuse(503, "ServiceUnavailable", f"{AT_ONCE} calls are on their way already.")
                return
            self._pass_on(unquote(match.group(1)), body)

    def _pass_on(self, endpoint: str, body: bytes) -> None:
        members = self.server.runtime.members
        request = {members[name.lower()]: value for name, value in self.headers.items() if name.lower() in members}
        exchange = self.server.runtime.invoke(endpoint, request, body)
        try:
            self.server.keep(endpoint, exchange)
        except OSError as trouble:
            self.server.troubles.append(str(trouble))
        response, error = exchange.call.response, exchange.call.error
        if response is not None:
            self._answer(response.status, exchange.headers, exchange.body)
        elif error is not None and error.code == "ParamValidationError":
            self._refuse(400, "ValidationError", error.message)
        elif error is not None:
            self._refuse(503, "ServiceUnavailable", f"samebox record had no answer: {error.message}")

    def _body(self) -> bytes | None:
        """The whole of it; None where that has been answered."""
        length = self.headers.get("Content-Length")
        if length is None or not re.fullmatch(r"\d{1,15}", length, re.ASCII) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._refuse(411, "LengthRequired", "A body without a Content-Length is not taken.")
            return None
        size = int(length)
        if size <= BODY_MOST:
            body = self.rfile.read(size)
            if len(body) < size:
                self.close_connection = True
                return None
            return body
        self.close_connection = True
        left = min(size, _DRAIN_MOST)
        while left and (piece := self.rfile.read(min(left, 1 << 20))):
            left -= len(piece)
        self._refuse(413, "", f"HTTP content length exceeded {BODY_MOST} bytes.")
        return None

    def _is_a_browser(self) -> bool:
        """A page may send a POST anywhere, and a name server may call anything loopback: neither is let in."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        is_one = "Origin" in self.headers or "Sec-Fetch-Mode" in self.headers or host.strip("[]") not in LOOPBACK
        if is_one:
            self._refuse(403, "AccessDeniedException", "`samebox record` answers programs of this machine alone.")
        return is_one

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
        if code:
            headers["x-amzn-ErrorType"] = code
        self._answer(status, headers, json.dumps({"Message": message, "message": message}).encode())

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _OF_A_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself, such as other methods: in the form of AWS's errors, too."""
        self.close_connection = True
        self._refuse(code, "UnknownOperationException", message or explain or "not a request")

    def log_message(self, *_: Any) -> None:
        """The transcript is the log."""
