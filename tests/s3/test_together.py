"""Works that are carried out together: one commit, and each whole or not at all."""

from functools import partial
from pathlib import Path

import pytest

from samebox.errors import AwsError
from samebox.s3.conditions import WriteConditions
from samebox.s3.index import Transaction
from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, REGION, keys, put


def a_store(folder: Path) -> tuple[S3Store, list[str]]:
    steps: list[str] = []
    store = S3Store(folder / "store", step=steps.append)
    store.buckets.create("bucket", ACCOUNT, REGION)
    steps.clear()
    return store, steps


def test_works_together_are_one_commit(tmp_path: Path) -> None:
    store, steps = a_store(tmp_path)
    outcomes = store.together([partial(put, store, key, b"1") for key in ("a", "b", "c")])
    assert ([one.key for one in outcomes], steps.count("row committed")) == (["a", "b", "c"], 1)  # type: ignore[union-attr]
    assert keys(store) == ["a", "b", "c"]
    store.close()


def test_a_work_that_is_refused_leaves_the_others(tmp_path: Path) -> None:
    store, steps = a_store(tmp_path)
    only_new = WriteConditions(if_none_match="*")
    works = [lambda: put(store, "a", b"1"), lambda: put(store, "a", b"2", conditions=only_new)]
    first, second = store.together([*works, lambda: put(store, "b", b"3")])[:2]
    assert not isinstance(first, BaseException)
    assert isinstance(second, AwsError)
    assert second.code == "PreconditionFailed"
    assert (keys(store), steps.count("row committed")) == (["a", "b"], 1)
    store.close()


def test_a_work_that_fails_half_way_is_undone_alone(tmp_path: Path) -> None:
    store, _ = a_store(tmp_path)

    def half() -> None:
        def change(t: Transaction) -> None:
            t.run("DELETE FROM versions")
            raise ValueError("half way")

        store._index.write(change)

    put(store, "old", b"0")
    outcomes = store.together([lambda: put(store, "a", b"1"), half, lambda: put(store, "b", b"2")])
    assert [isinstance(one, ValueError) for one in outcomes] == [False, True, False]
    assert keys(store) == ["a", "b", "old"]
    store.close()


@pytest.mark.parametrize("number", [1, 8])
def test_writes_go_on_after_works_together(tmp_path: Path, number: int) -> None:
    store, _ = a_store(tmp_path)
    works = [partial(put, store, f"{n}", b"1") for n in range(number)]
    assert all(not isinstance(one, BaseException) for one in store.together(works))
    put(store, "alone", b"2")
    assert len(keys(store)) == number + 1
    assert store.miscounted() == []
    store.close()
