"""What runs in the fake engine: a program is a Python function, its container a thread with mounts, signals and a log.

What cannot be done is kill a thread: a killed container is "exited" at once, and its program learns of it at its next
word to the process, by Killed.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import socket
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from samebox.containers.engine import ContainerSpec, ContainerState, ImageFacts, LogLine, StartFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from samebox.containers.engine import Stream

    Program = Callable[["Process"], int | None]
    Answer = Callable[["FakeRequest"], "FakeResponse"]

_SIGNALS = {"SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12, "SIGTERM": 15}
ANY = "*"  # as a program's name: runs whatever the command is


class Killed(BaseException):
    """Raised inside a program whose container is gone. Not an Exception: no program means to catch it."""


@dataclass(frozen=True)
class FakeRequest:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class FakeResponse:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Process:
    """What a program may know and do. Its file system is its mounts, and beside them an empty folder."""

    def __init__(self, container: Container, argv: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._container = container
        self.argv = argv
        self.environment = environment
        self.terminated = threading.Event()  # SIGTERM, or the stop signal of the spec or the image

    @property
    def spec(self) -> ContainerSpec:
        return self._container.spec

    def print(self, *lines: str) -> None:
        for line in lines:
            self._container.write("stdout", line + "\n")

    def print_error(self, *lines: str) -> None:
        for line in lines:
            self._container.write("stderr", line + "\n")

    def write(self, data: bytes | str, stream: Stream = "stdout") -> None:
        """Without a newline of its own."""
        self._container.write(stream, data if isinstance(data, str) else data.decode(errors="replace"))

    def path(self, inside: str) -> Path:
        """Where a path of the container is on this machine."""
        return self._container.path(inside)

    def sleep(self, seconds: float) -> None:
        """Returns early on SIGTERM, raises Killed on SIGKILL."""
        self.wait_until(self.terminated.is_set, seconds)

    def wait_for_stop(self) -> None:
        self.wait_until(self.terminated.is_set)

    def wait_until_killed(self) -> None:
        """What a program that ignores SIGTERM does."""
        self.wait_until(lambda: False)

    def wait_until(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        with self._container.changed:
            done = self._container.changed.wait_for(lambda: condition() or self._container.is_over, seconds)
            if self._container.is_over:
                raise Killed
            return done

    def hold(self, memory_bytes: int) -> None:
        """Have the engine see so much memory in use."""
        self._container.memory_bytes = memory_bytes

    def compute(self, seconds: float) -> None:
        """Have the engine see so much more of a processor used."""
        self._container.cpu_seconds += seconds

    def run_out_of_memory(self) -> None:
        self._container.end(137, oom_killed=True)
        raise Killed

    def serve(self, answer: Answer, port: int = 8080) -> int:
        """A real HTTP server on loopback, found through `Engine.address`, until the container is stopped."""

        class FakeServerHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                request = FakeRequest(self.command, self.path, dict(self.headers.items()), self._body())
                response = answer(request)
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # its waiter has gone
                    self.wfile.write(response.body)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                pieces = []
                while size := int(self.rfile.readline(), 16):
                    pieces.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(pieces)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                """The log is the container's, not this process's."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), FakeServerHandler, bind_and_activate=False)
        server.daemon_threads = True
        server.socket.close()
        server.socket = self._container.ports[port]
        server.server_activate()
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), name=f"fake server {self.spec.name}", daemon=True
        )
        thread.start()
        try:
            self.wait_for_stop()
        finally:
            server.shutdown()
            thread.join()
        return 0


@dataclass(frozen=True)
class FakeImage:
    facts: ImageFacts
    programs: dict[str, Program]
    stop_signal: str


class Changes(threading.Condition):
    """A condition that tasks of asyncio loops can wait for, too."""

    def __init__(self) -> None:
        super().__init__()
        self._heard_by: set[Callable[[], None]] = set()

    def notify_all(self) -> None:
        super().notify_all()
        for hear in tuple(self._heard_by):
            hear()

    async def until(self, condition: Callable[[], bool]) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def hear() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed, and its tasks with it
                loop.call_soon_threadsafe(changed.set)

        with self:
            self._heard_by.add(hear)
        try:
            while not condition():
                await changed.wait()
                changed.clear()
        finally:
            with self:
                self._heard_by.discard(hear)


class Container:
    """State and log behind one condition, which all containers of an engine share."""

    def __init__(
        self,
        spec: ContainerSpec,
        image: FakeImage,
        state: ContainerState,
        changed: Changes,
        clock: Callable[[], float],
        root: Path,
        mounts: Mapping[str, Path],
    ) -> None:
        self.spec = spec
        self.mounts = mounts
        self._root = root
        self.image = image
        self.state = state
        self.changed = changed
        self.lines: list[LogLine] = []
        self.removed = False
        self.memory_bytes = 1 << 20  # that it holds
        self.cpu_seconds = 0.0  # that it has used
        # Bound while it runs; they refuse connections until the program listens
        self.ports: dict[int, socket.socket] = {}
        self._clock = clock
        self._unfinished: dict[Stream, str] = {}
        self._process: Process | None = None

    @property
    def is_over(self) -> bool:
        return self.state.has_exited or self.removed

    def start(self) -> None:
        facts = self.image.facts
        command = self.spec.command
        if command is None:
            command = (facts.command or ()) if self.spec.entrypoint is None else ()
        entrypoint = facts.entrypoint if self.spec.entrypoint is None else self.spec.entrypoint
        argv = (*(entrypoint or ()), *command)
        program = self.image.programs.get(argv[0] if argv else "") or self.image.programs.get(ANY)
        if not argv or program is None:
            error = (
                "failed to create task for container: failed to create shim task: OCI runtime create failed: "
                f'runc create failed: unable to start container process: exec: "{argv[0]}": '
                "executable file not found in $PATH: unknown"
                if argv
                else "no command specified"
            )
            with self.changed:
                self.state = replace(self.state, status="exited", exit_code=127, error=error)
            raise StartFailed(error)
        with self.changed:
            if self.state.running:
                return
            hostname = self.spec.hostname or self.state.id[-12:]
            environment = {**facts.environment, **self.spec.environment, "HOSTNAME": hostname}
            self._process = Process(self, argv, environment)
            for inside, outside in self.spec.publish.items():
                self.ports[inside] = socket.socket()
                self.ports[inside].bind(("127.0.0.1", outside))
            self.state = replace(self.state, status="running", exit_code=None, error="", started_at=self._clock())
            self.changed.notify_all()
        name = f"fake container {self.state.name}"
        threading.Thread(target=self._run, args=(program, self._process), name=name, daemon=True).start()

    def give_up_start(self) -> None:
        with self.changed:
            self.state = replace(self.state, status="exited", exit_code=128, error="context canceled")

    def _run(self, program: Program, process: Process) -> None:
        with contextlib.suppress(Killed):
            self.end(program(process) or 0)

    def end(self, exit_code: int, oom_killed: bool = False) -> None:
        with self.changed:
            if self.state.running:
                for stream, text in list(self._unfinished.items()):
                    if text:
                        self.write(stream, "\n")
                self.state = replace(
                    self.state,
                    status="exited",
                    exit_code=exit_code,
                    oom_killed=oom_killed,
                    finished_at=self._clock(),
                )
                for port in self.ports.values():
                    port.close()
                self.ports.clear()
                self.changed.notify_all()

    def signal(self, signal: str) -> None:
        process = self._process
        if process is None or not self.state.running:
            return
        if signal == "SIGKILL":
            self.end(128 + _SIGNALS[signal])
        elif signal in {"SIGTERM", self.spec.stop_signal, self.image.stop_signal}:
            with self.changed:
                process.terminated.set()
                self.changed.notify_all()

    def write(self, stream: Stream, text: str) -> None:
        with self.changed:
            if self.is_over:
                raise Killed
            *lines, rest = (self._unfinished.pop(stream, "") + text).split("\n")
            for line in lines:
                last = self.lines[-1].time if self.lines else 0
                self.lines.append(LogLine(max(int(self._clock() * 1e9), last + 1), stream, line))
            self._unfinished[stream] = rest
            self.changed.notify_all()

    def has_news(self, time: int) -> bool:
        """Whether there are lines after this time, or there will be none."""
        return bool(self.lines and self.lines[-1].time > time) or not self.state.running or self.removed

    def lines_after(self, time: int) -> list[LogLine]:
        with self.changed:
            return self.lines[bisect.bisect_right(self.lines, time, key=lambda line: line.time) :]

    def path(self, inside: str) -> Path:
        wanted = PurePosixPath(inside)
        for target in sorted(self.mounts, key=len, reverse=True):
            if wanted.is_relative_to(target):
                return self.mounts[target] / wanted.relative_to(target)
        return self._root / wanted.relative_to("/")


class FakeLogs:
    """A LogStream over a fake container's lines."""

    def __init__(self, container: Container, since: int, follow: bool) -> None:
        self._container = container
        self._follow = follow
        self._closed = False
        self._position = next(
            (index for index, line in enumerate(container.lines) if line.time > since), len(container.lines)
        )

    def __iter__(self) -> Iterator[LogLine]:
        return self

    def __next__(self) -> LogLine:
        container = self._container
        with container.changed:
            while not self._closed:
                if self._position < len(container.lines):
                    self._position += 1
                    return container.lines[self._position - 1]
                if not self._follow or not container.state.running or container.removed:
                    break
                container.changed.wait()
        raise StopIteration

    def close(self) -> None:
        with self._container.changed:
            self._closed = True
            self._container.changed.notify_all()
