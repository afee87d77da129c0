"""The load generator, against a server in this process."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bench.load import Load, LoadFailed, LoadTarget, encoded, run


class CountingServer:
    """Counts requests and answers each with a status."""

    def __init__(self) -> None:
        self.status = b"200 OK"
        self.seen: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.seen.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])
                writer.write(b"HTTP/1.1 " + self.status + b"\r\nContent-Length: 2\r\n\r\nok")
        except asyncio.IncompleteReadError:
            writer.close()


@pytest.fixture
def server() -> Iterator[CountingServer]:
    one, loop, listening = CountingServer(), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        made = await asyncio.start_server(one.answer, "127.0.0.1", 0)
        one.port = made.sockets[0].getsockname()[1]
        listening.set()
        await ended.wait()
        made.close()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert listening.wait(60)
    yield one
    loop.call_soon_threadsafe(ended.set)
    thread.join(60)
    loop.close()


def requests(*paths: str) -> tuple[str, ...]:
    return tuple(encoded(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for path in paths)


def test_targets_take_turns_and_the_warm_up_is_not_counted(server: CountingServer) -> None:
    targets = tuple(LoadTarget(name, "127.0.0.1", server.port, requests(f"/{name}")) for name in ("a", "b"))
    seconds = run(Load(targets, clients=1, rounds=2, block=2, warm_up=1))
    assert server.seen == [b"/a", b"/b", *[b"/a"] * 2, *[b"/b"] * 4, *[b"/a"] * 2]
    assert {name: len(some) for name, some in seconds.items()} == {"a": 4, "b": 4}


def test_each_client_keeps_its_connection_and_begins_elsewhere_in_the_list(server: CountingServer) -> None:
    target = LoadTarget("a", "127.0.0.1", server.port, requests("/0", "/1", "/2", "/3"))
    seconds = run(Load((target,), clients=2, rounds=1, block=2, warm_up=0))
    assert sorted(server.seen) == [b"/0", b"/1", b"/2", b"/3"]
    assert (server.connections, len(seconds["a"])) == (2, 4)


def test_an_error_response_ends_the_load_with_its_message(server: CountingServer) -> None:
    server.status = b"403 Forbidden"
    target = LoadTarget("a", "127.0.0.1", server.port, requests("/"))
    with pytest.raises(LoadFailed, match="403 Forbidden"):
        run(Load((target,), clients=1, rounds=1, block=1, warm_up=0))
