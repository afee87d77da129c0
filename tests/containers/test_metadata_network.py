"""Who has the address that AWS SDKs ask for credentials. Real networks: tests/scenarios/test_credentials.py."""

from pathlib import Path

import pytest

from samebox.containers import metadata_network
from samebox.containers.fake import FakeEngine
from samebox.containers.metadata_network import NAME, MetadataNetwork
from tests.ports import free_port


@pytest.fixture(autouse=True)
def address_of_each_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_network, "ADDRESS", "127.0.0.9")


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path)


def names(engine: FakeEngine) -> list[str]:
    return [one.name for one in engine.networks({})]


def test_of_emulators_that_start_at_once_one_has_the_address(
    engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    one, other = MetadataNetwork(engine, "one", port), MetadataNetwork(engine, "other", port)
    listener = one.open()
    assert listener is not None
    with listener:  # before anything is served there
        with caplog.at_level("INFO"):
            assert other.open() is None
        assert "another emulator has 127.0.0.9" in caplog.text
        other.close()
        other.release()
        assert names(engine) == [NAME]
        one.close()
    one.release()
    assert names(engine) == []


def test_the_address_is_free_once_the_network_is_gone_and_not_before(engine: FakeEngine) -> None:
    port = free_port()
    one, next_one = MetadataNetwork(engine, "one", port), MetadataNetwork(engine, "next", port)
    listener = one.open()
    assert listener is not None
    listener.close()  # as a server that ends
    assert next_one.open() is None
    one.close()
    assert next_one.open() is None
    assert names(engine) == []
    one.release()
    again = next_one.open()
    assert again is not None
    again.close()
    assert names(engine) == [NAME]
    next_one.close()
    next_one.release()
    assert names(engine) == []
