"""Invocations of endpoints: the routing table, the connections to containers, and what requests go through."""

import asyncio
from collections.abc import Callable

from samebox.app.endings import Endings
from samebox.app.stores import Stores
from samebox.services.endpoint_routes import EndpointRoutes
from samebox.services.invocation_metrics import InvocationMetrics
from samebox.settings import Settings
from samebox.traffic.client import HttpClient
from samebox.traffic.invoke import Identify, Invocations
from samebox.traffic.observers import ObserverQueue
from samebox.traffic.routes import RoutingTable


class DataPlane:
    """`table` is written by `follow` alone; `client` has the connections that requests share."""

    def __init__(self, settings: Settings, endings: Endings) -> None:
        self._settings = settings
        self._endings = endings
        self.table = RoutingTable()
        self.client = HttpClient(settings.invocation_bytes)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._endpoint_routes: EndpointRoutes | None = None

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the event loop that the connections to containers belong to."""
        self._loop = loop

    def invocations(self, identify: Identify, stores: Stores, clock: Callable[[], float]) -> Invocations:
        """The ASGI application of InvokeEndpoint; what observers see becomes metrics."""
        own = self._settings
        observers = ObserverQueue([InvocationMetrics(stores.metrics.put_counts, clock)])
        self._endings.add(observers.close)
        return Invocations(
            self.table, self.client, identify, own.invocation_bytes, own.invocation_seconds,
            own.lenient_responses, observers, look_up=self._routes(stores).look_up,
            pipeline_bytes=own.pipeline_payload_mb << 20,
        )  # fmt: skip

    def follow(self, stores: Stores) -> None:
        """Keep the table equal to the routes of the stored endpoints, from now on."""
        self._routes(stores).follow()

    def _routes(self, stores: Stores) -> EndpointRoutes:
        # One for all: it lets one thread at a time write the table.
        if self._endpoint_routes is None:
            self._endpoint_routes = EndpointRoutes(stores.store, self.table, self._close_unused_connections)
        return self._endpoint_routes

    def _close_unused_connections(self) -> None:
        """Close connections to containers that no route leads to any more, in the loop that they belong to."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.client.forget, self.table.addresses())
