"""Requests to the Docker Engine API: one call, its time limit, and Docker's refusals as our errors."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
import urllib3

from samebox.containers.engine import (
    ContainerMissing,
    EngineError,
    EngineUnavailable,
    ImageMissing,
    NameTaken,
    OutOfSpace,
    PathMissing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from samebox.containers.engine import LogLine
    from samebox.containers.log_frames import LogFrames

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0  # for requests that a healthy daemon answers in milliseconds
WORK_SECONDS = 300.0  # for requests that move bytes or set up a container, and for silence in a pull


class Connected(NamedTuple):
    session: requests.Session
    base_url: str
    address: str  # as a person knows it: unix:///var/run/docker.sock

    @property
    def is_local(self) -> bool:
        return self.address.startswith("unix:")


class NoAnswerYet(EngineUnavailable):
    """The daemon took the request and did not answer within the time."""


class NotFound(EngineError):
    """404, for something that is neither a container, an image nor a path."""


class Conflict(EngineError):
    """409: the thing is not in a state for this."""


class DockerHTTP:
    """Connects at the first request. Threads share it: a request in flight has a connection of its own."""

    def __init__(self, connect: Callable[[], Connected], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._connect = connect
        self._lock = threading.Lock()
        self._connected: Connected | None = None

    @property
    def connected(self) -> Connected:
        with self._lock:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def close(self) -> None:
        with self._lock:
            if self._connected is not None:
                self._connected.session.close()
                self._connected = None

    def json(self, method: str, path: str, **options: Any) -> Any:
        response = self.call(method, path, **options)
        try:
            return response.json()
        except ValueError as error:
            address = self.connected.address
            raise EngineUnavailable(
                f"What answers at {address} is not a Docker engine: {response.text[:80]!r}"
            ) from error

    def call(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = 0,
        stream: bool = False,
        image: str = "",
    ) -> requests.Response:
        """The answer, if it is a good one.

        `seconds` limits every silence: 0 is what other answers may take, None is no limit. `image`: the image that a
        404 is about.
        """
        session, base_url, address = self.connected
        with broken_connections_are_unavailable(address):
            response = session.request(
                method,
                base_url + path,
                params=parameters,
                json=body,
                data=data,
                headers=headers,
                timeout=(CONNECT_SECONDS, self._answer_seconds if seconds == 0 else seconds),
                stream=stream,
            )
            if response.status_code < 400:
                return response
            with contextlib.closing(response):
                text = response.text
        raise refusal(response.status_code, text, path, image)


@contextlib.contextmanager
def broken_connections_are_unavailable(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, urllib3.exceptions.HTTPError) as error:  # requests' own errors are OSErrors
        if _timed_out(error):
            raise NoAnswerYet(f"The Docker engine at {address} does not answer in time.") from error
        raise unreachable(address, error) from error


class DockerLogs:
    """A LogStream over one streaming answer. One thread iterates; any thread may close."""

    def __init__(self, response: requests.Response, frames: LogFrames, address: str) -> None:
        self._response = response
        self._frames = frames
        self._address = address
        self._closed = threading.Event()
        self._reading = threading.Lock()
        self._lines = self._read()

    def __iter__(self) -> Iterator[LogLine]:
        return self

    def __next__(self) -> LogLine:
        return next(self._lines)

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # it ended just now
            self._response.raw.shutdown()  # wakes the reader
        with self._reading:
            self._response.close()

    def _read(self) -> Iterator[LogLine]:
        try:
            while data := self._next_bytes():
                yield from self._frames.feed(data)
            if not self._closed.is_set():
                yield from self._frames.finish()
        finally:
            self.close()

    def _next_bytes(self) -> bytes:
        with self._reading:
            if self._closed.is_set():
                return b""
            try:
                with broken_connections_are_unavailable(self._address):
                    return bytes(self._response.raw.read1(65_536))
            except (EngineUnavailable, ValueError):
                if self._closed.is_set():
                    return b""
                raise


class DockerArchive(io.RawIOBase):
    """One streaming answer as a file to read once."""

    def __init__(self, response: requests.Response, address: str) -> None:
        super().__init__()
        self._response = response
        self._address = address

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with broken_connections_are_unavailable(self._address):
            data = self._response.raw.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._response.close()
        super().close()


def refusal(status: int, body: str, path: str, image: str = "") -> EngineError:
    """An answer of 400 or more as our error. `image`: what a 404 is about."""
    message = _message(body)
    words = message.lower()
    if "no space left on device" in words:
        return OutOfSpace(message)
    if given_up(message):
        return EngineUnavailable(message)
    # Docker answers these with 409, Podman with 500.
    if "is already in use" in words or "network already exists" in words:
        return NameTaken(message)
    # While Docker removes a container: its log is refused with 409, its files with 500.
    if "marked for removal" in words or ("rwlayer of container" in words and "nil" in words):
        return ContainerMissing(message)
    if "can only kill running containers" in words or "volume is being used" in words:
        return Conflict(message)
    if status == 404:
        if "no such container" in words:
            return ContainerMissing(message)
        if path.startswith("/images/") or (image and "no such image" in words):
            return ImageMissing(image or path.split("/")[2], message)
        if "could not find the file" in words or "no such file or directory" in words:
            return PathMissing(message)
        return NotFound(message)
    if status == 409:
        return Conflict(message)
    if path.startswith("/images/create"):  # a registry that refuses comes as a 500
        return ImageMissing(image, message)
    return EngineError(message)


def given_up(message: str) -> bool:
    """Whether these are the words of an engine, or of containerd below it, that ends while it works for us.

    They come instead of an answer when it is restarted. Nothing is known then of what was asked.
    """
    words = message.lower().removesuffix(": unknown")
    return (
        "context canceled" in words
        or "transport is closing" in words
        or words.endswith((": unavailable", "ttrpc: closed"))
    )


def unreachable(address: str, error: BaseException) -> EngineUnavailable:
    """A connection that could not be had, or broke."""
    return EngineUnavailable(_advice(address, _reason(error)))


def _message(text: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(text)["message"])
    return text.strip()


def _timed_out(error: BaseException) -> bool:
    """Whether the daemon was silent: requests wraps it differently while headers and while bodies are read."""
    seen = [error, *error.args]
    return any(
        isinstance(one, (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)) for one in seen
    )


def _reason(error: BaseException) -> str:
    """The system's words, from below what urllib3 and requests wrap around them."""
    innermost = error
    while (below := innermost.__cause__ or innermost.__context__) is not None:
        innermost = below
    return (innermost.strerror if isinstance(innermost, OSError) else None) or str(innermost)


def _advice(address: str, reason: str) -> str:
    if "Permission denied" in reason:
        advice = "You may not use it: join its group (sudo usermod -aG docker $USER, then log in again)."
    else:
        advice = "Start it (sudo systemctl start docker), or set DOCKER_HOST to where it is."
    return f"No Docker engine answers at {address}. {advice} ({reason})"
