"""Queries: SQL finds the rows that a plain evaluation in Python finds, in the same order."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samebox.resources.query import (
    INDEXED,
    And,
    Column,
    Compare,
    Contains,
    Exists,
    Expression,
    Field,
    In,
    Includes,
    JsonPath,
    Not,
    Or,
    Query,
    Scope,
)
from samebox.resources.store import Resource, Store
from tests.resources import evaluate
from tests.resources.test_store import names, row

KINDS = ("TrainingJob", "Model")
KEYS = ("a", "b", 'q"uo\\te', "it's", "é.x", "0")

# No NUL, where texts end for SQLite's functions; no half of a surrogate pair, which no request can have.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
# Binary fractions: what JSON has of them is exact.
numbers = st.integers(-(2**62), 2**62) | st.integers(-80, 80).map(lambda eighths: eighths / 8)
scalars = texts | st.sampled_from(["a", "ab", "1", "true"]) | numbers | st.booleans()
times = st.integers(0, 6000).map(lambda quarters: 1_700_000_000 + quarters / 4000)
documents = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), scalars | st.none(), max_size=4),
    lambda inner: st.dictionaries(
        st.sampled_from(KEYS), inner | scalars | st.lists(scalars | st.none(), max_size=3), max_size=4
    ),
    max_leaves=8,
)
rows = st.builds(
    row,
    name=st.sampled_from(["A", "a", "b", "Ab", "ba"]),
    kind=st.sampled_from(KINDS),
    account=st.sampled_from(["1", "2"]),
    status=st.sampled_from(["", "InProgress", "Failed"]),
    created=times,
    modified=times,
    spec=documents,
    state=documents,
    tags=st.dictionaries(st.sampled_from(KEYS), texts, max_size=2),
    parent=st.none() | st.sampled_from(["arn:a", "arn:b"]),
)
members = st.builds(
    lambda document, path, last: JsonPath(document, *path, last),
    st.sampled_from(["spec", "state", "tags"]),
    st.lists(st.sampled_from([key for key in KEYS if '"' not in key]), max_size=2),
    st.sampled_from([*KEYS, "absent"]),
)
columns = st.sampled_from(["name", "status", "created", "modified", "kind", "account", "parent"]).map(Column)
fields: st.SearchStrategy[Field] = columns | members
leaves: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Compare, fields, st.sampled_from(["=", "<", ">", "<=", ">="]), scalars | times),
    st.builds(Contains, fields, texts, st.booleans()),
    st.builds(Includes, members, texts | st.just("a")),
    st.builds(Exists, fields),
    st.builds(In, fields, st.lists(scalars, max_size=3).map(tuple)),
)
expressions: st.SearchStrategy[Expression] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(*parts)),
        st.lists(inner, max_size=3).map(lambda parts: Or(*parts)),
        inner.map(Not),
    ),
    max_leaves=6,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


def unique(rows: list[Resource]) -> list[Resource]:
    """Rows that may stand in one table."""
    named = [replace(one, arn=f"arn:{number:02}") for number, one in enumerate(rows)]
    return list({(one.kind, one.account, one.name.lower()): one for one in named}.values())


def fill(store: Store, rows: list[Resource]) -> list[Resource]:
    with store._writer() as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")  # 600 files of tests need not be on the disk
        connection.execute("DELETE FROM resources")
    for one in rows:
        store.insert(one, one.name.lower())
    return rows


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(rows, max_size=6).map(unique), where=expressions)
def test_sql_finds_what_python_finds(store: Store, found: list[Resource], where: Expression) -> None:
    fill(store, found)
    assert {one.arn for one in store.find(Query(KINDS, where=where))} == {
        one.arn for one in found if evaluate.holds(where, one)
    }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=st.lists(rows, max_size=8).map(unique),
    kinds=st.sampled_from(["TrainingJob", KINDS]),
    scope=st.sampled_from([None, Scope("1", "here")]),
    field=fields,
    descending=st.booleans(),
    size=st.integers(1, 3),
)
def test_pages_are_the_rows_in_the_order_of_python(
    store: Store, found: list[Resource], kinds: Any, scope: Scope | None, field: Field, descending: bool, size: int
) -> None:
    fill(store, found)
    query = Query(kinds, scope, order_by=field, descending=descending)
    pages: list[Resource] = []
    after: tuple[object, str] | None = None
    while True:
        page = store.page(replace(query, after=after), size)
        assert len(page.rows) <= size
        pages += page.rows
        after = page.after
        if after is None:
            break
    assert [one.arn for one in pages] == [one.arn for one in evaluate.ordered(query, found)]


def test_what_cannot_be_compared_is_refused() -> None:
    for name in ("version", "spec", "version; DROP TABLE resources", "created, 1"):
        with pytest.raises(ValueError, match="no column to compare"):
            Column(name)
    for path in (("tags",), ("name", "x"), ("spec", 'a"b', "c"), ("spec", "", "c")):
        with pytest.raises(ValueError, match="no path to compare"):
            JsonPath(*path)


def test_a_quote_in_a_path_is_part_of_its_name(store: Store) -> None:
    store.insert(row("one", tags={"it's": "a", "'); DROP TABLE resources; --": "b"}))
    for key, value in (("it's", "a"), ("'); DROP TABLE resources; --", "b")):
        assert names(store.find(Query("TrainingJob", where=Compare(JsonPath("tags", key), "=", value)))) == ["one"]


@pytest.mark.parametrize("path", INDEXED, ids=lambda path: ".".join(path))
def test_chosen_members_are_found_by_an_index(store: Store, path: tuple[str, ...]) -> None:
    query = Query("Artifact", Scope("1", "here"), Compare(JsonPath(*path), "=", "x")).sql()
    with store._connection() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM resources{query.text}", query.values).fetchall()
    assert [step[3] for step in plan if "INDEX resources_spec" in step[3] and "<expr>=?" in step[3]], plan


@pytest.mark.parametrize("order", ["created", "modified", "name", "status"])
def test_a_page_in_any_usual_order_reads_no_more_rows_than_it_has(store: Store, order: str) -> None:
    query = Query("TrainingJob", Scope("1", "here"), order_by=Column(order), descending=True, limit=11).sql()
    with store._connection() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM resources{query.text}", query.values).fetchall()
    assert [step[3] for step in plan if "TEMP B-TREE" in step[3]] == []
