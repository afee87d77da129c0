"""Requests to one container of a transform job: a connection a thread, time limits, retries (contract §3.2)."""

import contextlib
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

PIECE_BYTES = 1 << 20
PARAMETERS_SECONDS = 60.0
PARAMETERS_BYTES = 1 << 20
ERROR_BYTES = 64 * 1024  # of a response that is an error, for the log
PAUSE_SECONDS = 1.0  # before the first retry; each further one waits twice as long


@dataclass(frozen=True)
class InvocationRules:
    """How /invocations is asked. `retries` are those after the first request."""

    headers: Mapping[str, str]
    timeout_seconds: float
    retries: int
    retries_client_errors: bool  # whether a 4xx is worth another request


class InvocationFailed(Exception):
    """The container gave no response, or an error; the lines are those of the data log."""

    def __init__(self, lines: Iterable[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


class Invoker:
    """One container. Threads may share it, each with a connection of its own."""

    def __init__(self, address: tuple[str, int], how: InvocationRules, over: threading.Event) -> None:
        self._address = address
        self._how = how
        self._over = over
        self._own = threading.local()
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()

    def parameters(self) -> Mapping[str, Any]:
        """The answer of /execution-parameters; none where it is anything but a JSON object with status 200."""
        connection = http.client.HTTPConnection(*self._address, timeout=PARAMETERS_SECONDS)
        try:
            connection.request("GET", "/execution-parameters")
            response = connection.getresponse()
            found = json.loads(response.read(PARAMETERS_BYTES)) if response.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            return {}
        finally:
            connection.close()
        return found if isinstance(found, dict) else {}

    def invoke(self, body: bytes) -> bytes:
        """The response to a payload. Raises InvocationFailed."""
        with self._responding(lambda: body, {"Content-Length": str(len(body))}) as pieces:
            return b"".join(pieces)

    @contextlib.contextmanager
    def stream(self, body: Callable[[], Iterable[bytes]]) -> Iterator[Iterator[bytes]]:
        """The response to a body of any length, sent in chunks, piece by piece. Raises InvocationFailed."""
        with self._responding(body, {"Transfer-Encoding": "chunked"}) as pieces:
            yield pieces

    def finish(self) -> None:
        """Close the connections, once no thread uses one."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def close(self) -> None:
        """End whatever is under way."""
        with self._lock:
            for connection in self._open:
                if connection.sock is not None:
                    with contextlib.suppress(OSError):  # it has ended by itself
                        connection.sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _responding(
        self, body: Callable[[], bytes | Iterable[bytes]], headers: Mapping[str, str]
    ) -> Iterator[Iterator[bytes]]:
        for attempt in range(self._how.retries + 1):
            deadline = time.monotonic() + self._how.timeout_seconds
            try:
                response = self._ask(body(), headers)
                if response.status == 200:
                    break
                failed = _refused(response)
                is_final = response.status < 500 and not self._how.retries_client_errors
                self._drop()
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                log.info("%s:%d did not answer: %s", *self._address, error)
                failed, is_final = InvocationFailed(["Unable to get response from algorithm"]), False
            if is_final or attempt == self._how.retries or self._over.wait(PAUSE_SECONDS * 2**attempt):
                raise failed
        try:
            yield self._pieces(response, deadline)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise InvocationFailed([f"Unable to get response from algorithm: {error}"]) from error

    def _ask(self, body: bytes | Iterable[bytes], headers: Mapping[str, str]) -> http.client.HTTPResponse:
        connection = self._connection()
        connection.request(
            "POST", "/invocations", body, {**self._how.headers, **headers}, encode_chunked=not isinstance(body, bytes)
        )
        return connection.getresponse()

    def _pieces(self, response: http.client.HTTPResponse, deadline: float) -> Iterator[bytes]:
        while piece := response.read(PIECE_BYTES):
            yield piece
            if time.monotonic() > deadline:
                raise TimeoutError(f"the response took more than {self._how.timeout_seconds:g} seconds")

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is None:
            found = http.client.HTTPConnection(*self._address, timeout=self._how.timeout_seconds)
            self._own.connection = found
            with self._lock:
                self._open.add(found)
        return found

    def _drop(self) -> None:
        found = getattr(self._own, "connection", None)
        if found is not None:
            found.close()
            self._own.connection = None
            with self._lock:
                self._open.discard(found)


def _refused(response: http.client.HTTPResponse) -> InvocationFailed:
    # As observed in data logs of 2020 (contract.md §3.5).
    kind = "ClientError" if response.status < 500 else "ServerError"
    body = response.read(ERROR_BYTES).decode("utf-8", "replace")
    return InvocationFailed([f"{kind}: {response.status}", "", "Message:", *body.splitlines()])
