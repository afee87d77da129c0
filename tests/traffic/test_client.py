"""The HTTP client of the data plane against real sockets: what it keeps, what it drops, and what it counts."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from samebox.traffic.client import HttpClient
from samebox.traffic.connection import NotConnected, UpstreamError
from samebox.traffic.routes import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class ContainerServer:
    """Answers each request with the same bytes, when `may_answer` is set, and counts its connections."""

    def __init__(self, answer: bytes = OK) -> None:
        self._answer = answer
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.opened = 0
        self.open = 0
        self.changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._count(1)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self.may_answer.wait()
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            await self._count(-1)

    async def until_open(self, count: int) -> None:
        async with self.changed, asyncio.timeout(60):
            await self.changed.wait_for(lambda: self.open == count)

    async def _count(self, change: int) -> None:
        async with self.changed:
            self.open += change
            self.opened += max(change, 0)
            self.changed.notify_all()


def run_scenario(scenario: Callable[[ContainerServer, Address], Awaitable[None]], answer: bytes = OK) -> None:
    async def run() -> None:
        server = ContainerServer(answer)
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        async with listening:
            await scenario(server, listening.sockets[0].getsockname())
            await server.until_open(0)

    asyncio.run(run())


def test_a_connection_is_used_again_and_goes_when_its_address_is_forgotten() -> None:
    async def scenario(server: ContainerServer, address: Address) -> None:
        client = HttpClient(limit=10)
        for _ in range(3):
            assert (await client.ask(address, "GET", b"/", seconds=60)).body == b"ok"
        assert (server.opened, client.in_flight(address)) == (1, 0)
        client.forget(frozenset({address}))
        assert server.open == 1
        client.forget(frozenset())

    run_scenario(scenario)


def test_what_is_under_way_is_counted_and_a_cancelled_exchange_takes_its_connection_along() -> None:
    async def scenario(server: ContainerServer, address: Address) -> None:
        client = HttpClient(limit=10)
        server.may_answer.clear()
        asked = [asyncio.create_task(client.ask(address, "GET", b"/", seconds=60)) for _ in range(2)]
        await server.until_open(2)
        assert client.in_flight(address) == 2
        asked[0].cancel()
        server.may_answer.set()
        assert (await asked[1]).status == 200
        await server.until_open(1)
        assert client.in_flight(address) == 0
        await client.close()

    run_scenario(scenario)


def test_a_bounded_number_of_connections_is_waited_for_and_not_for_ever() -> None:
    async def scenario(server: ContainerServer, address: Address) -> None:
        client = HttpClient(limit=10, connect_seconds=0.05, connections=1)
        server.may_answer.clear()
        first = asyncio.create_task(client.ask(address, "GET", b"/", seconds=60))
        await server.until_open(1)
        with pytest.raises(NotConnected, match="all connections are in use"):
            await client.ask(address, "GET", b"/", seconds=60)
        server.may_answer.set()
        await first
        assert (await client.ask(address, "GET", b"/", seconds=60)).status == 200
        assert server.opened == 1
        await client.close()

    run_scenario(scenario)


@pytest.mark.parametrize("answer", [OK + OK, OK + b"no HTTP"])
def test_a_connection_with_more_on_it_than_was_asked_for_is_not_kept(answer: bytes) -> None:
    async def scenario(server: ContainerServer, address: Address) -> None:
        client = HttpClient(limit=10)
        for _ in range(2):
            assert (await client.ask(address, "GET", b"/", seconds=60)).body == b"ok"
        assert server.opened == 2

    run_scenario(scenario, answer)


def test_a_body_over_the_limit_is_not_kept_in_memory() -> None:
    async def scenario(server: ContainerServer, address: Address) -> None:
        with pytest.raises(UpstreamError, match="more than 1 bytes") as caught:
            await HttpClient(limit=1).ask(address, "GET", b"/", seconds=60)
        assert (caught.value.reason, caught.value.status) == ("too large", 200)
        assert server.opened == 1

    run_scenario(scenario)
