"""Small writes of several connections: what the event loop has read in one turn is one commit."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from samebox.s3.records import Version
from samebox.s3.store import S3Store
from samebox.services.s3.together import WritesTogether
from tests.s3.harness import ACCOUNT, REGION, keys, put


@pytest.fixture
def steps() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, steps: list[str]) -> Iterator[S3Store]:
    store = S3Store(tmp_path, step=steps.append)
    store.buckets.create("bucket", ACCOUNT, REGION)
    yield store
    store.close()


def test_writes_of_one_turn_of_the_loop_are_one_commit(store: S3Store, steps: list[str]) -> None:
    async def write() -> list[Version]:
        writes: WritesTogether[Version] = WritesTogether(store)
        steps.clear()
        stored = await asyncio.gather(*(writes.carry_out(partial(put, store, f"{n:02}", b"1")) for n in range(20)))
        await writes.close()
        return stored

    stored = asyncio.run(write())
    assert [one.key for one in stored] == keys(store) == [f"{n:02}" for n in range(20)]
    assert steps.count("row committed") == 1


def test_a_write_that_came_before_the_end_is_carried_out_and_one_after_it_is_refused(store: S3Store) -> None:
    async def write() -> None:
        writes: WritesTogether[Version] = WritesTogether(store)
        before = asyncio.ensure_future(writes.carry_out(partial(put, store, "before", b"1")))
        await asyncio.sleep(0)  # it waits to be handed over
        await writes.close()
        assert (await before).key == "before"
        with pytest.raises(RuntimeError, match="is being closed"):
            await writes.carry_out(partial(put, store, "after", b"1"))

    asyncio.run(write())
    assert keys(store) == ["before"]


def test_more_writes_than_one_commit_may_have_are_all_carried_out(store: S3Store, steps: list[str]) -> None:
    async def write() -> None:
        writes: WritesTogether[Version] = WritesTogether(store)
        steps.clear()
        await asyncio.gather(*(writes.carry_out(partial(put, store, f"{n:03}", b"1")) for n in range(300)))
        await writes.close()

    asyncio.run(write())
    assert len(keys(store)) == 300
    assert 3 <= steps.count("row committed") <= 5
