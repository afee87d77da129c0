"""Routes of endpoints: the routing table holds what the store says of the endpoints that are in service."""

import threading
from collections.abc import Callable
from dataclasses import replace

from samebox.resources.deployment import serving
from samebox.resources.kinds import ENDPOINT
from samebox.resources.query import Query, Scope
from samebox.resources.store import Resource, Store
from samebox.traffic.routes import Key, Route, RoutingTable, Target, TargetStage
from samebox.wire.partitions import partition_of

_SERVING = ("InService", "Updating")


class EndpointRoutes:
    """Keeps a routing table as the store is. `changed` is called after each change, in the thread that wrote."""

    def __init__(self, store: Store, table: RoutingTable, changed: Callable[[], None]) -> None:
        self._store = store
        self._table = table
        self._changed = changed
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Fill the table, and change it with each write of the store from here on."""
        self._store.subscribe(self.update)
        for row in self._store.find(Query(ENDPOINT.noun)):
            self.update(row)

    def look_up(self, key: Key) -> None:
        """Bring the table to what the store says of an endpoint now.

        A client may see an endpoint in service before the thread that wrote this has changed the table.
        """
        row = self._store.get(ENDPOINT.noun, Scope(key.account, key.region), ENDPOINT.key(key.endpoint))
        if row is not None:
            self.update(row)

    def update(self, row: Resource) -> None:
        """Bring the table to what the store says of an endpoint; a row of another kind changes nothing.

        The store calls this after a write, in the thread that wrote: of two writes the older one may come last. So what
        counts is the row as it is now, and one thread at a time looks.
        """
        if row.kind != ENDPOINT.noun:
            return
        with self._lock:
            newest = self._store.by_arn(row.arn)
            self._put(newest if newest is not None else replace(row, status="Deleting"))
        self._changed()

    def _put(self, row: Resource) -> None:
        key = Key(row.account, row.region, row.name)
        routes = serving(row).routes if row.status in _SERVING else ()
        if not routes:
            self._table.remove(key)
            return
        targets = tuple(
            Target(
                one.variant_name, one.weight, one.addresses, one.container_name,
                tuple(TargetStage(stage.container_name, stage.addresses) for stage in one.further),
            )
            for one in routes
        )  # fmt: skip
        self._table.put(Route(key, targets, routes[0].log_group, partition_of(row.region).name))
