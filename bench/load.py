"""The load: clients on kept connections that send one request after the other and note how long each answer took.

A process of its own (`python -m bench.load`), so that neither side that is measured shares a thread with it. It reads a
JSON Load from its standard input and writes {target: [seconds, …]} to its standard output. Targets take turns, a block
of requests each, so that what disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httptools
import uvloop

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 300.0
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class LoadTarget:
    """Where requests go. `requests` are whole HTTP messages in base64; clients take them in turn, over and over."""

    name: str
    host: str
    port: int
    requests: tuple[str, ...]


@dataclass(frozen=True)
class Load:
    """`clients` at once, each sending `block` requests in a round, after `warm_up` that are not counted."""

    targets: tuple[LoadTarget, ...]
    clients: int
    rounds: int
    block: int
    warm_up: int


class LoadFailed(Exception):
    """An answer was not 2xx, or a connection ended."""


def encoded(request: bytes) -> str:
    """A request as a Target holds it."""
    return base64.b64encode(request).decode()


def run(load: Load) -> dict[str, list[float]]:
    """Put the load on, from a new process; the seconds of each answer by target. Raises LoadFailed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(load)), capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise LoadFailed(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the load generator ended")
    answer: dict[str, list[float]] = json.loads(done.stdout)
    return answer


class _LoadClient(asyncio.Protocol):
    def __init__(self, requests: Sequence[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._requests = requests
        self._loop = loop
        self._next = 0
        self._left = 0
        self._done: asyncio.Future[None] | None = None
        self._seconds: list[float] = []
        self._sent = 0.0
        self._transport: Any = None
        self._parser: Any = None
        self._said = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    async def send(self, count: int) -> list[float]:
        """Send that many requests, each when the one before is answered; the seconds that each took."""
        self._left, self._seconds, self._done = count, [], self._loop.create_future()
        self._post()
        await self._done
        return self._seconds

    def close(self) -> None:
        self._done = None
        self._transport.close()

    def _post(self) -> None:
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        self._parser = httptools.HttpResponseParser(self)
        self._said = b""
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._said += data[:500]
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._seconds.append(time.perf_counter() - self._sent)
        if self._parser.get_status_code() >= 300:
            self._fail(f"answered {self._said[:500]!r}")
            return
        self._left -= 1
        if self._left:
            # Not from within the parser's callback: its message is not over yet.
            self._loop.call_soon(self._post)
        elif self._done is not None:
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection ended: {exc}")

    def _fail(self, words: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(LoadFailed(words))


async def _run(load: Load) -> dict[str, list[float]]:
    loop = asyncio.get_running_loop()
    clients: dict[str, list[_LoadClient]] = {}
    for target in load.targets:
        requests = [base64.b64decode(one) for one in target.requests]
        clients[target.name] = []
        for number in range(load.clients):
            # Each client begins elsewhere in the list: no two put the same object at once.
            start = number * len(requests) // load.clients
            client = _LoadClient([*requests[start:], *requests[:start]], loop)
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(partial(_same, client), target.host, target.port)
            clients[target.name].append(client)
    seconds: dict[str, list[float]] = {target.name: [] for target in load.targets}
    names = list(seconds)
    for name in names if load.warm_up else ():
        await asyncio.gather(*(client.send(load.warm_up) for client in clients[name]))
    for number in range(load.rounds):
        for name in names if number % 2 == 0 else reversed(names):
            for some in await asyncio.gather(*(client.send(load.block) for client in clients[name])):
                seconds[name] += some
    for one in clients.values():
        for client in one:
            client.close()
    return seconds


def _same(client: _LoadClient) -> _LoadClient:
    return client


def main() -> None:
    given = json.load(sys.stdin)
    targets = tuple(LoadTarget(**{**one, "requests": tuple(one["requests"])}) for one in given.pop("targets"))
    answer = uvloop.run(_run(Load(targets, **given)))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
