"""Stands between an emulator and its container engine, and does something at a chosen request or before its answer."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

# Before the engine hears of it; when it has; when it has answered, and the emulator does not know yet.
Moment = Literal["before", "during", "after"]

_PIECE = 65_536


class EngineProxy:
    """A unix socket that leads to the engine's. Bytes pass as they are; requests are seen by their first line.

    `arm` sets what shall happen at the next request that matches: it happens once, in the thread of its connection,
    which goes on when that is done. When a client dies its connection to the engine is closed, as without a proxy.
    """

    def __init__(self, path: Path, engine: str = "/var/run/docker.sock") -> None:
        self.url = f"unix://{path}"
        self.seen: list[str] = []
        self._engine = engine
        self._lock = threading.Lock()
        self._armed: tuple[re.Pattern[str], Moment, Callable[[], None]] | None = None
        self._open: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._accept, name="engine proxy", daemon=True)
        self._thread.start()

    def arm(self, request: str, moment: Moment, act: Callable[[], None]) -> threading.Event:
        """`request` is a pattern for a method and a path: `POST /containers/\\w+/start`. Set once it has happened."""
        done = threading.Event()

        def once() -> None:
            try:
                act()
            finally:
                done.set()

        with self._lock:
            self._armed = (re.compile(request), moment, once)
        return done

    def close(self) -> None:
        """Break all connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _end(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX)
        with self._lock:
            self._open |= {client, engine}
        before_answer: list[Callable[[], None]] = []
        try:
            engine.connect(self._engine)
            back = threading.Thread(target=self._answers, args=(engine, client, before_answer), daemon=True)
            back.start()
            while piece := client.recv(_PIECE):
                moment, act = self._due(piece)
                if moment == "before":
                    act()
                if moment == "after":
                    before_answer.append(act)
                engine.sendall(piece)
                if moment == "during":
                    act()
        except OSError:
            pass  # one of the two has gone, and so does the other
        finally:
            _end(engine)
            _end(client)
            with self._lock:
                self._open -= {client, engine}

    def _answers(self, engine: socket.socket, client: socket.socket, before_answer: list[Callable[[], None]]) -> None:
        with contextlib.suppress(OSError):
            while piece := engine.recv(_PIECE):
                while before_answer:
                    before_answer.pop()()
                client.sendall(piece)
        _end(client)

    def _due(self, piece: bytes) -> tuple[Moment | None, Callable[[], None]]:
        line = re.match(rb"(GET|HEAD|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n", piece)
        if line is None:
            return None, lambda: None
        request = f"{line[1].decode()} {line[2].decode()}"
        with self._lock:
            self.seen.append(request)
            if self._armed is None or not self._armed[0].match(request):
                return None, lambda: None
            _, moment, act = self._armed
            self._armed = None
        return moment, act


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
