"""The address on which containers reach an emulator without 169.254.170.2. Real networks: tests/scenarios."""

from pathlib import Path

import pytest

from samebox.containers.engine import EngineError
from samebox.containers.fake import FakeEngine
from samebox.containers.way_back import WayBackNetwork


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path)


def names(engine: FakeEngine) -> list[str]:
    return [one.name for one in engine.networks({})]


def test_it_listens_at_the_hosts_address_on_the_network(engine: FakeEngine) -> None:
    network = WayBackNetwork(engine, "id", 0)
    listener = network.open(["127.0.0.9/24"])  # an address that each host has
    assert listener is not None
    with listener:
        assert listener.getsockname()[0] == "127.0.0.9"
        assert names(engine) == ["samebox-id"]
        network.close()
    assert names(engine) == []


def test_the_network_of_an_earlier_life_keeps_its_address(engine: FakeEngine) -> None:
    first = WayBackNetwork(engine, "id", 0).open(["127.0.0.9/24"])
    again = WayBackNetwork(engine, "id", 0).open(["127.0.0.10/24"])
    assert first is not None
    assert again is not None
    with first, again:
        assert again.getsockname()[0] == "127.0.0.9"


def test_addresses_that_are_taken_are_passed_over(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    make = engine.create_network

    def refuse_one(name: str, labels: dict[str, str], internal: bool = False, gateway: str | None = None) -> object:
        if gateway == "127.0.0.9/24":
            raise EngineError("Pool overlaps with other one on this address space")
        return make(name, labels, internal, gateway)

    monkeypatch.setattr(engine, "create_network", refuse_one)
    listener = WayBackNetwork(engine, "id", 0).open(["127.0.0.9/24", "127.0.0.10/24"])
    assert listener is not None
    with listener:
        assert listener.getsockname()[0] == "127.0.0.10"
    assert WayBackNetwork(engine, "other", 0).open(["127.0.0.9/24"]) is None


def test_where_the_address_is_not_on_this_machine_no_network_stays(engine: FakeEngine) -> None:
    assert WayBackNetwork(engine, "id", 0).open(["198.51.100.1/24"]) is None  # RFC 5737: of no machine
    assert names(engine) == []
