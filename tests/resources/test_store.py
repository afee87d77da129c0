"""The store: what is written is there, and two who change one thing do not lose each other's change."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from samebox.resources.store import (
    _COUNT_BY_STATUS,
    _STATUSES,
    AlreadyThere,
    Changed,
    Condition,
    Query,
    Resource,
    Scope,
    Store,
)


def row(name: str = "one", **changes: object) -> Resource:
    base = Resource(
        kind="TrainingJob",
        account="1",
        region="here",
        name=name,
        arn=f"arn:{name}",
        status="InProgress",
        created=1.0,
        modified=1.0,
        version=1,
        spec={"Nested": {"List": [1, 2.5, None, "ü"]}},
        state={},
        tags={},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def names(rows: list[Resource]) -> list[str]:
    return [one.name for one in rows]


def test_what_was_inserted_is_read_back_equal(store: Store) -> None:
    assert (
        store.insert(row()) == row() == store.get("TrainingJob", Scope("1", "here"), "one") == store.by_arn("arn:one")
    )


def test_it_is_there_after_the_store_was_opened_again(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.sqlite")
    first.insert(row())
    first.close()
    second = Store(tmp_path / "state.sqlite")
    assert second.by_arn("arn:one") == row()
    second.close()


def test_a_name_or_an_arn_is_taken_once(store: Store) -> None:
    store.insert(row())
    for twice in (row(arn="arn:other"), row("other", arn="arn:one")):
        with pytest.raises(AlreadyThere):
            store.insert(twice)


def test_an_update_of_an_old_version_is_refused(store: Store) -> None:
    old = store.insert(row())
    new = store.update(old, modified=2.0, state={"a": 1})
    assert (new.version, new.state, new.modified) == (2, {"a": 1}, 2.0)
    with pytest.raises(Changed):
        store.update(old, modified=3.0, state={"b": 1})
    with pytest.raises(Changed):
        store.delete(old)
    store.delete(new)
    assert store.by_arn("arn:one") is None


def test_of_many_who_change_one_row_each_version_has_one_author(store: Store) -> None:
    store.insert(row())
    wins: list[int] = []

    def count(worker: int) -> None:
        for _ in range(20):
            while True:
                newest = store.by_arn("arn:one")
                assert newest is not None
                try:
                    store.update(newest, modified=1.0, state={"count": newest.state.get("count", 0) + 1})
                    break
                except Changed:
                    continue
            wins.append(worker)

    threads = [threading.Thread(target=count, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = store.by_arn("arn:one")
    assert newest is not None
    assert (newest.state["count"], newest.version, len(wins)) == (80, 81, 80)


def test_threads_that_ended_leave_no_connection_behind(store: Store) -> None:
    for number in range(20):
        thread = threading.Thread(target=store.insert, args=(row(str(number)),))
        thread.start()
        thread.join()
    assert len(store._idle) == 1


def test_listeners_hear_of_each_change_after_it_is_there(store: Store) -> None:
    heard: list[tuple[str, bool]] = []
    store.subscribe(lambda one: heard.append((one.status, store.by_arn(one.arn) is not None)))
    made = store.insert(row())
    store.delete(store.update(made, modified=2.0, status="Failed"))
    assert heard == [("InProgress", True), ("Failed", True), ("Failed", False)]


def test_rows_are_filtered_then_sorted_then_cut(store: Store) -> None:
    for place, name in enumerate(["b", "a", "c", "d"]):
        store.insert(row(name, created=float(place), status="Failed" if name == "c" else "InProgress"))
    store.insert(row("other", account="2"))
    scope = Scope("1", "here")
    query = Query("TrainingJob", scope, (Condition("status", "!=", "Failed"),), order_by="name", limit=2)
    assert names(store.find(query)) == ["a", "b"]
    assert names(store.find(replace(query, after=("b", "b")))) == ["d"]
    assert names(store.find(replace(query, descending=True))) == ["d", "b"]
    assert names(store.find(Query("TrainingJob", conditions=(Condition("name", "contains", "the"),)))) == ["other"]


def test_statuses_are_counted_and_listed_of_all_accounts(store: Store) -> None:
    store.insert(row("a"))
    store.insert(row("b", status="Failed"))
    store.insert(row("c", account="2", status="Failed"))
    store.insert(row("d", kind="Endpoint", status="Failed"))
    assert store.count_by_status("TrainingJob") == {"InProgress": 1, "Failed": 2}
    assert store.statuses("TrainingJob") == {"a": "InProgress", "b": "Failed", "c": "Failed"}
    assert store.count_by_status("Model") == {}
    assert store.statuses("Model") == {}


@pytest.mark.parametrize("statement", [_COUNT_BY_STATUS, _STATUSES])
def test_no_row_is_read_for_its_status(store: Store, statement: str) -> None:
    # A row holds its job's whole request: 10,000 of them are seconds, their index entries milliseconds.
    with store._connection() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("TrainingJob",)).fetchall()
    assert [step[3] for step in plan if "resources" in step[3] and "COVERING INDEX" not in step[3]] == []
    assert any("COVERING INDEX" in step[3] for step in plan)


def test_rows_of_one_moment_are_paged_by_name(store: Store) -> None:
    for name in ("c", "a", "b"):
        store.insert(row(name))
    seen: list[str] = []
    after: tuple[object, str] | None = None
    while page := store.find(Query("TrainingJob", after=after, limit=1)):
        seen += names(page)
        after = (page[0].created, page[0].name)
    assert seen == ["a", "b", "c"]


def test_members_of_spec_and_state_can_be_compared(store: Store) -> None:
    store.insert(row("one", spec={"Size": 1}, state={"Group": "x"}))
    store.insert(row("two", spec={"Size": 2}))
    assert names(store.find(Query("TrainingJob", conditions=(Condition("spec.Size", ">", 1),)))) == ["two"]
    assert names(store.find(Query("TrainingJob", conditions=(Condition("state.Group", "=", "x"),)))) == ["one"]


@pytest.mark.parametrize("column", ["version; DROP TABLE resources", "spec.a'b", "tags.x", "version"])
def test_what_cannot_be_compared_is_refused(store: Store, column: str) -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        store.find(Query("TrainingJob", conditions=(Condition(column, "=", 1),)))
