"""A storage in a folder of the test, with a bucket, and a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.s3.store import Store
from tests.s3.harness import ACCOUNT, REGION, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = Store(tmp_path / "objects", clock=clock)
    store.buckets.create("bucket", ACCOUNT, REGION)
    yield store
    problems = faults(store)
    store.close()
    assert problems == []


def faults(store: Store) -> list[str]:
    return [*(f"orphan {one}" for one in store.orphans()), *(f"miscounted {one}" for one in store.miscounted())]
