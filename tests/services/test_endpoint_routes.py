"""The routing table is what the store says of endpoints in service, in whatever order its writes are heard of."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from samebox.resources.deployment import EndpointDeployment, Serving, VariantRoute, serving
from samebox.resources.kinds import ENDPOINT, KINDS, MODEL
from samebox.resources.resources import Resources
from samebox.resources.store import Resource, Store
from samebox.services.endpoint_routes import EndpointRoutes
from samebox.traffic.routes import Key, RoutingTable, Target
from samebox.wire.caller import Caller
from samebox.wire.models import Models

CALLER = Caller("123456789012", "cn-north-1")
KEY = Key(CALLER.account, CALLER.region, "digits")
ADDRESS = ("127.0.0.1", 8080)


class Routed:
    """A store, and a routing table that follows it."""

    def __init__(self, folder: Path, models: Models) -> None:
        self.store = Store(folder / "state.sqlite")
        self.resources = Resources(self.store, models, KINDS, lambda: 1_700_000_000.0)
        self.table = RoutingTable()
        self.changes = 0
        self.routes = EndpointRoutes(self.store, self.table, self.count)

    def count(self) -> None:
        self.changes += 1

    def endpoint(self, *addresses: tuple[str, int]) -> Resource:
        routes = (VariantRoute("a", 2.0, addresses, "/aws/sagemaker/Endpoints/digits"),)
        facts = Serving(EndpointDeployment("config", ()), routes=routes)
        return self.resources.create(ENDPOINT, CALLER, {"EndpointName": "digits"}, facts)


@pytest.fixture
def routed(tmp_path: Path, models: Models) -> Iterator[Routed]:
    routed = Routed(tmp_path, models)
    yield routed
    routed.store.close()


def test_an_endpoint_is_routed_while_it_is_in_service_or_updating(routed: Routed) -> None:
    routed.routes.follow()
    row = routed.endpoint(ADDRESS)
    assert routed.table.find(KEY) is None
    row = routed.resources.advance(row, "InService")
    route = routed.table.find(KEY)
    assert route is not None
    assert route.targets == (Target("a", 2.0, (ADDRESS,), "primary"),)
    assert (route.log_group, route.partition) == ("/aws/sagemaker/Endpoints/digits", "aws-cn")
    row = routed.resources.advance(row, "Updating")
    assert routed.table.find(KEY) == route
    routed.resources.advance(row, "Deleting")
    assert routed.table.find(KEY) is None


def test_what_was_in_service_before_the_start_is_routed(routed: Routed) -> None:
    routed.resources.advance(routed.endpoint(ADDRESS), "InService")
    routed.routes.follow()
    assert routed.table.addresses() == {ADDRESS}


def test_new_addresses_replace_the_old_ones_with_a_notification(routed: Routed) -> None:
    routed.routes.follow()
    row = routed.resources.advance(routed.endpoint(ADDRESS), "InService")
    before = routed.changes
    moved = (VariantRoute("a", 2.0, (("127.0.0.1", 8081),), "g"),)
    routed.resources.change(row, facts=lambda row: replace(serving(row), routes=moved))
    assert routed.table.addresses() == {("127.0.0.1", 8081)}
    assert routed.changes == before + 1


def test_an_endpoint_is_routed_when_it_is_looked_up_before_its_write_is_heard_of(routed: Routed) -> None:
    routed.routes.look_up(KEY)
    assert routed.table.find(KEY) is None
    routed.resources.advance(routed.endpoint(ADDRESS), "InService")
    routed.routes.look_up(KEY)
    assert routed.table.addresses() == {ADDRESS}


def test_rows_of_other_kinds_change_nothing(routed: Routed) -> None:
    routed.routes.follow()
    routed.resources.create(MODEL, CALLER, {"ModelName": "digits"})
    assert routed.changes == 0


def test_of_two_writes_the_newer_one_counts_whichever_is_heard_of_last(routed: Routed) -> None:
    routed.routes.follow()
    older = routed.resources.advance(routed.endpoint(ADDRESS), "InService")
    routed.store.delete(older)
    routed.routes.update(older)  # as the thread of the older write does when it was held up
    assert routed.table.find(KEY) is None
