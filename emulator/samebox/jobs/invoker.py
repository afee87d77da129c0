"""Requests to one container of a transform job: a connection a thread, time limits, retries (contract.md §3.2)."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samebox.jobs.container_connection import ContainerConnection, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

PARAMETERS_SECONDS = 60.0
PARAMETERS_BYTES = 1 << 20
ERROR_BYTES = 64 * 1024  # of a response that is an error, for the log
PAUSE_SECONDS = 1.0  # before the first retry; each further one waits twice as long

Buffer = bytes | memoryview


@dataclass(frozen=True)
class InvocationRules:
    """How /invocations is asked. `retries` are those after the first request."""

    headers: Mapping[str, str]
    timeout_seconds: float
    retries: int
    retries_client_errors: bool  # whether a 4xx is worth another request


@dataclass(frozen=True)
class ContainerResponse:
    """The pieces of a response's body, in their order, and its media type, '' where it has none."""

    pieces: Iterable[bytes]
    content_type: str = ""


class InvocationFailed(Exception):
    """The container gave no response, or an error; the lines are those of the data log."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("; ".join(self.lines))


class Invoker:
    """One container. Threads may share it, each with a connection of its own."""

    def __init__(self, address: tuple[str, int], how: InvocationRules, over: threading.Event) -> None:
        self._address = address
        self._how = how
        self._over = over
        self._own = threading.local()
        self._lock = threading.Lock()
        self._open: set[ContainerConnection] = set()

    def parameters(self) -> Mapping[str, Any]:
        """The answer of /execution-parameters; none where it is anything but a JSON object with status 200."""
        deadline = time.monotonic() + PARAMETERS_SECONDS
        try:
            with contextlib.closing(ContainerConnection(self._address, deadline)) as connection:
                connection.ask("GET", "/execution-parameters", {}, deadline=deadline)
                body = _first(connection.pieces(), PARAMETERS_BYTES)
                found = json.loads(body) if connection.status == 200 else {}
        except (OSError, Unanswered, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def invoke(self, body: Sequence[Buffer], content_type: str = "") -> ContainerResponse:
        """The response to a payload, whole. `content_type`: in the place of the job's. Raises InvocationFailed."""
        length = {"Content-Length": str(sum(len(piece) for piece in body))}
        with self._responding(lambda: body, self._headers(content_type) | length) as response:
            return ContainerResponse(list(response.pieces), response.content_type)

    @contextlib.contextmanager
    def stream(self, body: Callable[[], Iterable[Buffer]], content_type: str = "") -> Iterator[ContainerResponse]:
        """The response to a body of any length, sent in chunks, piece by piece. Raises InvocationFailed."""
        with self._responding(body, self._headers(content_type)) as response:
            yield response

    def finish(self) -> None:
        """Close the connections, once no thread uses one."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def close(self) -> None:
        """End the requests under way, from any thread."""
        with self._lock:
            for connection in self._open:
                connection.shut()

    def _headers(self, content_type: str) -> dict[str, str]:
        own = {"Content-Type": content_type} if content_type else {}
        return {**self._how.headers, **own}

    @contextlib.contextmanager
    def _responding(
        self, body: Callable[[], Iterable[Buffer]], headers: Mapping[str, str]
    ) -> Iterator[ContainerResponse]:
        for attempt in range(self._how.retries + 1):
            try:
                connection = self._asked(body, headers)
                if connection.status == 200:
                    break
                failed = _refused(connection)
                is_final = connection.status < 500 and not self._how.retries_client_errors
                self._drop()
            except (OSError, Unanswered) as error:
                self._drop()
                log.info("%s:%d did not answer: %s", *self._address, error)
                failed, is_final = InvocationFailed(["Unable to get response from algorithm"]), False
            if is_final or attempt == self._how.retries or self._over.wait(PAUSE_SECONDS * 2**attempt):
                raise failed
        try:
            yield ContainerResponse(connection.pieces(), connection.headers.get("content-type", ""))
        except Unanswered as error:
            raise InvocationFailed([f"Unable to get response from algorithm: {error}"]) from error
        finally:
            if not connection.is_reusable:
                self._drop()

    def _asked(self, body: Callable[[], Iterable[Buffer]], headers: Mapping[str, str]) -> ContainerConnection:
        """A connection on which the response to a request has begun. Raises OSError, Unanswered, what `body` raises."""
        while True:
            deadline = time.monotonic() + self._how.timeout_seconds
            connection = self._connection(deadline)
            try:
                connection.ask("POST", "/invocations", headers, body(), deadline=deadline)
            except BaseException as error:
                self._drop()
                # The server has closed an idle connection: this does not count as an attempt.
                if not isinstance(error, Unanswered) or not error.is_stale or self._over.is_set():
                    raise
            else:
                return connection

    def _connection(self, deadline: float) -> ContainerConnection:
        found: ContainerConnection | None = getattr(self._own, "connection", None)
        if found is None:
            found = ContainerConnection(self._address, deadline)
            self._own.connection = found
            with self._lock:
                self._open.add(found)
            if self._over.is_set():
                found.shut()  # `close` may have missed it
        return found

    def _drop(self) -> None:
        found: ContainerConnection | None = getattr(self._own, "connection", None)
        if found is not None:
            self._own.connection = None
            with self._lock:
                self._open.discard(found)
                found.close()


def _refused(connection: ContainerConnection) -> InvocationFailed:
    # As observed in data logs of 2020 (contract.md §3.5).
    kind = "ClientError" if connection.status < 500 else "ServerError"
    body = _first(connection.pieces(), ERROR_BYTES).decode("utf-8", "replace")
    return InvocationFailed([f"{kind}: {connection.status}", "", "Message:", *body.splitlines()])


def _first(pieces: Iterable[bytes], most: int) -> bytes:
    """As much of a body as `most` bytes have."""
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= most:
            break
    return bytes(found[:most])
