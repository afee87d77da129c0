"""What holds for every List operation of SageMaker: each filter and each order runs, or has a reason why not."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from samebox.errors import NotImplementedByEmulator, ValidationException
from samebox.resources import list_rules, listing, nouns
from samebox.resources.identity import PartOf
from samebox.resources.kind import Kind
from samebox.resources.list_rules import LEFT_OVER, PAGING, ListRules
from samebox.resources.query import Column, Scope
from samebox.resources.store import Resource, Store
from samebox.wire.models import Models, Operation
from samebox.wire.schema import Shape
from tests.laws.list_documentation import documented

SERVICE = Models().service("sagemaker")
LISTS = sorted(name for name in SERVICE.operations if name.startswith("List"))
NOUN_OF = {names.list: noun for noun in nouns.nouns(SERVICE) if (names := nouns.operations(noun, SERVICE)).list}
SCOPE = Scope("123456789012", "us-east-1")
ROWS = 7

each_list = pytest.mark.parametrize("name", LISTS)


def rules_of(name: str) -> ListRules:
    return list_rules.derive(SERVICE.operations[name], SERVICE, NOUN_OF.get(name, ""))


def wishes(name: str) -> Iterator[str]:
    """Every filter of a list, and every value of its SortBy."""
    request = SERVICE.operations[name].input
    for member, one in request.members.items() if request is not None else ():
        if member not in PAGING:
            yield member
        if member == "SortBy":
            yield from (f"SortBy={value}" for value in one.shape.enum)


def test_all_lists_are_looked_at() -> None:
    assert len(LISTS) == 95
    assert sum(len(list(wishes(name))) for name in LISTS) > 550


@each_list
def test_what_a_list_is_asked_for_has_a_rule_or_a_reason(name: str) -> None:
    rules = rules_of(name)
    runs = {*rules.filters, *(f"SortBy={value}" for value in rules.sorts)}
    left = {wish for operation, wish in LEFT_OVER if operation == name}
    assert runs | left == set(wishes(name))
    assert not runs & left


def test_a_reason_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(LEFT_OVER)
    assert all(LEFT_OVER.values())
    monkeypatch.setattr(list_rules, "LEFT_OVER", {})
    for name, wish in rows:
        rules = rules_of(name)
        assert wish not in rules.filters, f"{name} {wish} has a rule"
        assert wish.removeprefix("SortBy=") not in rules.sorts, f"{name} {wish} has a rule"


@pytest.mark.parametrize(("name", "wish"), sorted(LEFT_OVER))
def test_what_no_rule_covers_is_refused_by_name(name: str, wish: str) -> None:
    member, _, value = wish.partition("=")
    with pytest.raises(NotImplementedByEmulator, match=re.escape(f"{name} with {wish}")):
        listing.query(made_up("Row"), rules_of(name), SCOPE, {member: value or "x"})


@each_list
def test_defaults_of_lists_are_those_of_the_documentation(name: str) -> None:
    sort, order, page = documented(SERVICE.operations[name])
    rules = rules_of(name)
    assert rules.default == (rules.sorts[sort] if sort else Column("created"))
    assert rules.descending == (order == "Descending")
    assert rules.page == (page or 10)


# Running them


def made_up(noun: str) -> Kind:
    return Kind(noun, ValidationException, ValidationException)


class Sample:
    """Rows of a list as clients see them, and as they are stored."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.operation: Operation = SERVICE.operations[name]
        self.noun = NOUN_OF.get(name) or re.sub(r"(For|By)[A-Z]\w+$", "", name.removeprefix("List")).removesuffix("s")
        names = nouns.operations(self.noun, SERVICE)
        self.asked = members(names.create, "input")
        self.shown = {**members(names.describe, "output"), **self.asked, **self._listed()}
        self.seen = [{member: value(shape, row, member) for member, shape in self.shown.items()} for row in range(ROWS)]

    def _listed(self) -> dict[str, Shape]:
        key = rules_of(self.name).key
        assert self.operation.output is not None
        row = self.operation.output.members[key].shape.element.shape
        return {member: one.shape for member, one in row.members.items()}

    def time(self, member: str, row: int) -> float:
        """When a row was made or changed, whatever the member is called."""
        return 1_700_000_000.0 + (row * 10 if member == "created" else row * 3 % 7)

    def rows(self) -> Iterator[Resource]:
        for number, seen in enumerate(self.seen):
            yield Resource(
                kind=self.noun,
                account=SCOPE.account,
                region=SCOPE.region,
                name=self.own_name(number),
                arn=f"arn:{number * 3 % ROWS}",
                status=str(self.status(seen)),
                created=self.time("created", number),
                modified=self.time("modified", number),
                version=1,
                spec={member: one for member, one in seen.items() if member in self.asked},
                state={member: one for member, one in seen.items() if member not in self.asked},
                tags={},
            )

    def own_name(self, number: int) -> str:
        return f"{'Bacdefg'[number]}-name"

    def status(self, seen: Mapping[str, Any]) -> Any:
        return next(iter(one for member, one in seen.items() if self.is_status(member)), "")

    def is_status(self, member: str) -> bool:
        listed = self._listed()
        own = [one for one in ("Status", f"{self.noun}Status") if one in listed]
        ends = [one for one in listed if one.endswith("Status")]
        return member in (own[:1] or (ends if len(ends) == 1 else []))

    def is_name(self, member: str) -> bool:
        names = nouns.operations(self.noun, SERVICE)
        identity = nouns.identity(self.noun, SERVICE) if names.create else None
        own = f"{self.noun}Name" if identity is None or isinstance(identity, PartOf) else identity.name
        return member in ("Name", own)


def members(operation: str, direction: str) -> dict[str, Shape]:
    shape = getattr(SERVICE.operations[operation], direction) if operation else None
    return {member: one.shape for member, one in shape.members.items()} if shape is not None else {}


def value(shape: Shape, row: int, member: str, depth: int = 0) -> Any:
    """A value that some rows share and others do not."""
    few = row % 3
    match shape.type:
        case "string":
            return shape.enum[few % len(shape.enum)] if shape.enum else f"{member[:4]}-{'abc'[few]}"
        case "timestamp":
            return 1_700_000_000.0 + row * 5 % 7
        case "integer" | "long" | "float" | "double":
            return row * 4 % ROWS
        case "boolean":
            return few == 0
        case "list":
            element = shape.element.shape
            return (
                [value(element, row, member, depth + 1), value(element, row + 1, member, depth + 1)]
                if depth < 2
                else []
            )
        case "structure":
            inner = shape.members.items() if depth < 2 else ()
            return {one: value(of.shape, row, one, depth + 1) for one, of in inner}
    return {}


def holds(sample: Sample, row: int, wish: str, wanted: Any) -> bool:
    """The filter in plain Python, on what a client sees of a row."""
    seen = sample.seen[row]
    if found := re.fullmatch(r"(\w+?)(After|Before)", wish):
        moment = when(sample, row, found[1])
        return bool(moment > wanted if found[2] == "After" else moment < wanted)
    if found := re.fullmatch(r"(\w+?)(Contains|Prefix)", wish):
        text = sample.own_name(row) if sample.is_name(found[1]) else seen[found[1]]
        return bool(text.startswith(wanted) if found[2] == "Prefix" else wanted in text)
    member = wish.removesuffix("Equals")
    if sample.is_name(member):
        return bool(sample.own_name(row) == wanted)
    if member == "Status" or sample.is_status(member):
        return bool(sample.status(seen) == wanted)
    place = look(seen, member, sample)
    return bool(wanted in place if isinstance(place, list) else place == wanted)


def when(sample: Sample, row: int, member: str) -> float:
    if member in list_rules.CREATED:
        return sample.time("created", row)
    if member in list_rules.MODIFIED:
        return sample.time("modified", row)
    return float(sample.seen[row][member])


def look(seen: Mapping[str, Any], member: str, sample: Sample) -> Any:
    """What a client would compare: the member, its plural, its longer name, or the one within a structure."""
    for name in (f"{member}s", f"{member}es", re.sub("y$", "ies", member)):
        if isinstance(seen.get(name), list):
            return seen[name]
    found = seen.get(member, seen.get(f"{sample.noun}{member}"))
    if found is None and sample.noun.endswith(member):
        found = seen[sample.noun]
    if found is None:
        found = next(one[member] for one in seen.values() if isinstance(one, dict) and member in one)
    return found["Status"] if isinstance(found, dict) else found


def rank(sample: Sample, row: int, wish: str) -> Any:
    """Where a client expects a row in the order of a sort value."""
    word = wish if "_" not in wish and not wish.isupper() else "".join(map(str.capitalize, wish.split("_")))
    if word in list_rules.CREATED | list_rules.MODIFIED:
        return when(sample, row, word)
    if sample.is_name(word):
        return sample.own_name(row).lower()
    if word == "Status" or sample.is_status(word):
        return sample.status(sample.seen[row])
    if word == f"{sample.noun}Arn":
        return f"arn:{row * 3 % ROWS}"
    return look(sample.seen[row], word, sample)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite")
    with store._writer() as connection:
        connection.execute("PRAGMA synchronous = OFF")
    yield store
    store.close()


def found(store: Store, sample: Sample, params: dict[str, Any]) -> list[int]:
    """The numbers of the rows that a request finds, all pages of it."""
    kind, rules = made_up(sample.noun), rules_of(sample.name)
    rows: list[int] = []
    token: str | None = None
    for _ in range(ROWS + 1):
        asked = {"MaxResults": 2, **params, **({"NextToken": token} if token else {})}
        query = listing.query(kind, rules, SCOPE, asked)
        page = store.page(query, listing.size(rules, asked))
        rows += [[sample.own_name(number) for number in range(ROWS)].index(row.name) for row in page.rows]
        if page.after is None:
            break
        token = listing.token(rules, query, page.after)
    return rows


WITH_ROWS = [name for name in LISTS if rules_of(name).filters or rules_of(name).sorts]


@pytest.mark.parametrize("name", WITH_ROWS)
def test_each_filter_finds_what_python_finds(store: Store, name: str) -> None:
    sample = Sample(name)
    for row in sample.rows():
        store.insert(row, row.name.lower())
    for wish in rules_of(name).filters:
        for wanted in wanted_of(sample, wish):
            expected = {row for row in range(ROWS) if holds(sample, row, wish, wanted)}
            assert set(found(store, sample, {wish: wanted})) == expected, (wish, wanted)


def wanted_of(sample: Sample, wish: str) -> list[Any]:
    """Values to filter by: those of two rows, and one that no row has."""
    if found := re.fullmatch(r"(\w+?)(After|Before)", wish):
        return [when(sample, row, found[1]) for row in (0, 3)]
    if found := re.fullmatch(r"(\w+?)(Contains|Prefix)", wish):
        own = sample.is_name(found[1])
        return [
            *(sample.own_name(row)[:2] if own else sample.seen[row][found[1]][-2:] for row in (0, 4)),
            "none of these",
        ]
    member = wish.removesuffix("Equals")
    if sample.is_name(member):
        return [sample.own_name(0), "none of these"]
    if member == "Status" or sample.is_status(member):
        return [sample.status(sample.seen[0]), sample.status(sample.seen[1])]
    place = [look(sample.seen[row], member, sample) for row in (0, 1)]
    return [*(one[0] if isinstance(one, list) else one for one in place), "none of these"]


@pytest.mark.parametrize("name", [name for name in WITH_ROWS if rules_of(name).sorts])
def test_each_order_is_the_one_of_python(store: Store, name: str) -> None:
    sample = Sample(name)
    for row in sample.rows():
        store.insert(row, row.name.lower())
    for wish, order in itertools.product(rules_of(name).sorts, ("Ascending", "Descending")):
        rows = sorted(range(ROWS), key=lambda row: (rank(sample, row, wish), sample.own_name(row).lower()))
        expected = rows if order == "Ascending" else rows[::-1]
        assert found(store, sample, {"SortBy": wish, "SortOrder": order}) == expected, (wish, order)
