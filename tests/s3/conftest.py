"""A storage in a folder of the test, with a bucket, and a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, REGION, StorageClock


@pytest.fixture
def clock() -> StorageClock:
    return StorageClock()


@pytest.fixture
def store(tmp_path: Path, clock: StorageClock) -> Iterator[S3Store]:
    store = S3Store(tmp_path / "objects", clock=clock)
    store.buckets.create("bucket", ACCOUNT, REGION)
    yield store
    problems = faults(store)
    store.close()
    assert problems == []


def faults(store: S3Store) -> list[str]:
    return [*(f"orphan {one}" for one in store.orphans()), *(f"miscounted {one}" for one in store.miscounted())]
