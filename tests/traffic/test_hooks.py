"""Invocations with hooks: what observers see, a container that comes first, and a model that is loaded first."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import Any

from samebox.errors import AwsError
from samebox.traffic.client import HttpClient
from samebox.traffic.invoke import Invocations
from samebox.traffic.observers import Invocation, ObserverQueue
from samebox.traffic.routes import Address, Key, Route, RoutingTable, Target
from tests.traffic.test_invoke import LIMIT, OK, ContainerTraffic, GatheredResponse, answering

KEY = Key("000000000000", "us-east-1", "Digits")
FAILED = b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad"
SCALED_IN = Route(KEY, (Target("AllTraffic", 1, ()),), "/aws/sagemaker/Endpoints/Digits")


@asynccontextmanager
async def container(answer: bytes, seen: ContainerTraffic) -> Any:
    """A container on a free port; its address."""
    server = await asyncio.start_server(answering(answer, seen, close=True), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2]


async def asked(invocations: Invocations, headers: Mapping[str, str] | None = None) -> GatheredResponse:
    named = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"1,2", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await invocations({"path": "/endpoints/Digits/invocations", "headers": named}, receive, send)
    return GatheredResponse(sent)


def invocations(table: RoutingTable, client: HttpClient, **hooks: Any) -> Invocations:
    async def identify(_scope: Any, _body: bytes) -> tuple[str, str]:
        return KEY.account, KEY.region

    return Invocations(table, client, identify, LIMIT, 60, **hooks)


def served(address: Address) -> Route:
    return replace(SCALED_IN, targets=(Target("AllTraffic", 1, (address,)),))


def story(scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scenario()

    asyncio.run(run())


class InvocationsKept:
    def __init__(self) -> None:
        self.seen: list[Invocation] = []

    def observe(self, invocations: Sequence[Invocation]) -> None:
        self.seen += invocations


def test_observers_see_what_reached_a_container_and_nothing_else() -> None:
    kept = InvocationsKept()

    async def scenario() -> None:
        client = HttpClient(LIMIT)
        async with container(OK, ContainerTraffic()) as good, container(FAILED, ContainerTraffic()) as bad:
            for route in (served(good), served(bad), served(("127.0.0.1", 1))):
                app = invocations(RoutingTable([route]), client, observers=queue)
                await asked(app, {"content-type": "text/csv"})
            await asked(invocations(RoutingTable([]), client, observers=queue))

    with closing(ObserverQueue([kept])) as queue:
        story(scenario)
    assert [(one.key, one.variant, one.status, one.request, one.response) for one in kept.seen] == [
        (KEY, "AllTraffic", 200, b"1,2", b"42"),
        (KEY, "AllTraffic", 500, b"1,2", b"bad"),
        (KEY, "AllTraffic", 0, b"1,2", b""),
    ]
    assert kept.seen[0].request_headers[b"content-type"] == b"text/csv"
    assert (b"content-type", b"text/csv") in kept.seen[0].response_headers
    assert all(one.seconds >= one.model_seconds > 0 for one in kept.seen)


class TableActivator:
    """Brings the route that it is given into a table; without one, it takes for ever."""

    def __init__(self, table: RoutingTable, route: Route | None) -> None:
        self._table, self._route = table, route
        self.activated: list[str] = []

    async def activate(self, route: Route, target: Target) -> None:
        self.activated.append(f"{route.key.endpoint}/{target.variant}")
        if self._route is None:
            await asyncio.Event().wait()
        else:
            self._table.put(self._route)


def test_a_request_is_held_while_its_first_container_comes() -> None:
    async def scenario() -> None:
        async with container(OK, ContainerTraffic()) as address:
            table = RoutingTable([SCALED_IN])
            starter = TableActivator(table, served(address))
            app = invocations(table, HttpClient(LIMIT), activator=starter)
            assert (await asked(app)).body == b"42"
            assert (await asked(app)).body == b"42"
            assert starter.activated == ["Digits/AllTraffic"]

    story(scenario)


def test_a_request_is_not_held_for_ever() -> None:
    async def scenario() -> None:
        table = RoutingTable([SCALED_IN])
        app = invocations(table, HttpClient(LIMIT), activator=TableActivator(table, None), activation_seconds=0.01)
        answer = await asked(app)
        assert (answer.status, answer.error["message"]) == (
            503, "No container of variant AllTraffic accepts connections.",
        )  # fmt: skip

    story(scenario)


class OneModelLoader:
    """A loader that has one model, in a container of its own."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def load(self, route: Route, target: Target, model: str) -> tuple[Address, bytes]:
        if model != "one.tar.gz":
            raise AwsError("ValidationError", f"Failed to download model data of {model} for {route.key.endpoint}.")
        return self._address, b"/models/one/invoke"


def test_a_target_model_is_loaded_before_it_is_asked() -> None:
    async def scenario() -> None:
        seen = ContainerTraffic()
        async with container(OK, ContainerTraffic()) as plain, container(OK, seen) as address:
            app = invocations(RoutingTable([served(plain)]), HttpClient(LIMIT), loader=OneModelLoader(address))
            assert (await asked(app, {"x-amzn-sagemaker-target-model": "one.tar.gz"})).status == 200
            assert seen.requests[0].startswith(b"POST /models/one/invoke HTTP/1.1\r\n")
            refused = await asked(app, {"x-amzn-sagemaker-target-model": "other.tar.gz"})
            assert refused.error["message"] == "Failed to download model data of other.tar.gz for Digits."
            assert (await asked(app)).status == 200
            assert len(seen.requests) == 1

    story(scenario)


def test_an_endpoint_without_a_route_is_looked_up_before_it_is_not_found() -> None:
    async def scenario() -> None:
        client, looks = HttpClient(LIMIT), list[Key]()
        async with container(OK, ContainerTraffic()) as address:
            table = RoutingTable([])

            def look_up(key: Key) -> None:
                looks.append(key)
                if len(looks) == 2:  # stored since the first time
                    table.put(served(address))

            app = invocations(table, client, look_up=look_up)
            answers = [await asked(app) for _ in range(3)]
        await client.close()
        assert [one.status for one in answers] == [400, 200, 200]
        assert answers[0].error["message"] == f"Endpoint Digits of account {KEY.account} not found."
        assert looks == [KEY, KEY]  # a route costs no look

    story(scenario)
