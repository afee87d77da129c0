"""The routing table: who is served where, and whose turn it is."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from samebox.traffic.routes import Key, Route, RoutingTable, Target

KEY = Key("000000000000", "us-east-1", "Digits")


def route(*targets: Target) -> Route:
    return Route(KEY, targets)


def chosen(one: Route, times: int) -> list[str]:
    """The variants chosen for evenly spread random numbers."""
    points = iter([number / times for number in range(times)])
    return [target.variant for _ in range(times) if (target := one.choose(lambda: next(points)))]


def test_a_variant_gets_the_share_of_its_weight() -> None:
    two = route(Target("a", 3, (("h", 1),)), Target("b", 1, (("h", 2),)))
    assert Counter(chosen(two, 1000)) == {"a": 750, "b": 250}


def test_a_variant_of_weight_zero_is_reached_by_name_only() -> None:
    two = route(Target("live", 1, (("h", 1),)), Target("dark", 0, (("h", 2),)))
    assert set(chosen(two, 10)) == {"live"}
    dark = two.variant("dark")
    assert dark is not None
    assert dark.addresses == (("h", 2),)


def test_a_variant_without_a_container_is_not_chosen() -> None:
    assert route(Target("a", 1, ())).choose() is None


def test_the_containers_of_a_variant_take_turns() -> None:
    target = Target("a", 1, (("h", 1), ("h", 2)))
    one = route(target)
    assert [one.addresses(target)[0] for _ in range(4)] == [("h", 1), ("h", 2), ("h", 1), ("h", 2)]


def test_names_are_matched_with_their_case() -> None:
    table = RoutingTable([route()])
    assert table.find(KEY) is not None
    assert table.find(Key(KEY.account, KEY.region, "digits")) is None
    table.remove(KEY)
    assert table.find(KEY) is None


@pytest.fixture
def threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("threads_take_turns_often")
def test_no_route_is_lost_where_many_threads_write() -> None:
    table = RoutingTable()

    def write(thread: int) -> None:
        for number in range(100):
            table.put(Route(Key("a", "r", f"{thread}-{number}"), ()))
            table.put(Route(Key("a", "r", f"{thread}-gone"), ()))
            table.remove(Key("a", "r", f"{thread}-gone"))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, thread) for thread in range(4)]:
            done.result()
    lost = [
        f"{thread}-{number}"
        for thread in range(4)
        for number in range(100)
        if table.find(Key("a", "r", f"{thread}-{number}")) is None
    ]
    assert lost == []
    assert all(table.find(Key("a", "r", f"{thread}-gone")) is None for thread in range(4))
