"""The store: what is written is there, and two who change one thing do not lose each other's change."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from samebox.resources.query import Column, Compare, Contains, Not, Query, Scope
from samebox.resources.store import _COUNT_BY_STATUS, _STATUSES, AlreadyThere, Changed, Relation, Resource, Store


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
    running = Not(Compare(Column("status"), "=", "Failed"))
    query = Query("TrainingJob", scope, running, order_by=Column("name"), limit=2)
    assert names(store.find(query)) == ["a", "b"]
    assert names(store.find(replace(query, after=("b", "b")))) == ["d"]
    assert names(store.find(replace(query, descending=True))) == ["d", "b"]
    assert names(store.find(Query("TrainingJob", where=Contains(Column("name"), "the")))) == ["other"]


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


def test_pages_together_are_all_rows_those_of_one_moment_too(store: Store) -> None:
    for account in ("1", "2"):
        for name in ("c", "a", "b"):
            store.insert(row(name, account=account, arn=f"arn:{account}:{name}"))
            store.insert(row(name, account=account, arn=f"arn:{account}:{name}:model", kind="Model"))
    for query, count in (
        (Query("TrainingJob", Scope("1", "here")), 3),
        (Query("TrainingJob"), 6),
        (Query(("TrainingJob", "Model"), order_by=Column("name"), descending=True), 12),
    ):
        seen: list[Resource] = []
        after: tuple[object, str] | None = None
        while after is not None or not seen:
            page = store.page(replace(query, after=after), size=2)
            seen += page.rows
            after = page.after
        assert seen == store.find(query)
        assert len({one.arn for one in seen}) == count


def test_children_are_found_by_their_parent(store: Store) -> None:
    store.insert(row("tuning", kind="Tuning"))
    for number in (1, 2, 3):
        store.insert(row(f"job-{number}", parent="arn:tuning" if number > 1 else None, created=-float(number)))
    assert names(store.children("arn:tuning", "TrainingJob")) == ["job-3", "job-2"]
    assert store.children("arn:tuning", "Model") == store.children("arn:job-1", "TrainingJob") == []


def test_children_are_found_by_an_index(store: Store) -> None:
    query = Query("TrainingJob", where=Compare(Column("parent"), "=", "arn:tuning")).sql()
    with store._connection() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM resources{query.text}", query.values).fetchall()
    assert "resources_parent (parent=?)" in plan[0][3]


def test_relations_are_found_from_both_ends_until_they_are_removed(store: Store) -> None:
    for name in ("data", "step", "model"):
        store.insert(row(name))
    used = Relation("arn:data", "ContributedTo", "arn:step", 1.0, {"CreatedBy": "ü"})
    made = Relation("arn:step", "Produced", "arn:model", 2.0)
    store.relate(made)
    store.relate(used)
    assert store.related() == [used, made]
    assert store.related(source="arn:step") == store.related(target="arn:model", type="Produced") == [made]
    assert store.related(target="arn:step", type="Produced") == []
    with pytest.raises(AlreadyThere):
        store.relate(replace(made, created=3.0))
    assert store.unrelate("arn:step", "Produced", "arn:model")
    assert not store.unrelate("arn:step", "Produced", "arn:model")
    assert store.related() == [used]


@pytest.mark.parametrize("end", ["arn:data", "arn:step"])
def test_a_relation_goes_with_either_of_its_ends(store: Store, end: str) -> None:
    for name in ("data", "step"):
        store.insert(row(name))
    store.relate(Relation("arn:data", "ContributedTo", "arn:step", 1.0))
    store.delete(row(end.removeprefix("arn:"), arn=end))
    assert store.related() == []
    with pytest.raises(Changed):
        store.relate(Relation("arn:data", "ContributedTo", "arn:step", 1.0))
    assert store.related() == []


@pytest.mark.parametrize(
    ("find", "index"),
    [
        ("source = 'a' AND type = 'b'", "PRIMARY KEY (source=? AND type=?)"),
        ("target = 'a'", "relations_target (target=?)"),
    ],
)
def test_relations_are_found_by_an_index(store: Store, find: str, index: str) -> None:
    with store._connection() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM relations WHERE {find}").fetchall()
    assert index in plan[0][3]
