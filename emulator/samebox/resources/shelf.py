"""Shelf: rows of a noun whose names, ARNs and changes its service decides, because no model shows them.

SageMaker's nouns are Kinds: what their Create, Describe and List operations do is read out of the model. Those of other
services are put, tagged and listed by operations of their own, over a shelf.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from samebox.resources.facts import to_json
from samebox.resources.query import EVERYTHING, Column, Expression, Query, Scope
from samebox.resources.store import Changed, Resource, Store

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Shelf:
    """The rows of one noun. Names are unique within a scope; case counts. Thread-safe."""

    def __init__(self, store: Store, noun: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._noun = noun
        self._clock = clock

    def find(self, scope: Scope, name: str) -> Resource | None:
        """The row of this name, or None."""
        return self._store.get(self._noun, scope, name)

    def by_arn(self, arn: str) -> Resource | None:
        """The row with this ARN, or None."""
        found = self._store.by_arn(arn)
        return found if found is not None and found.kind == self._noun else None

    def all(self, scope: Scope | None = None, where: Expression = EVERYTHING) -> list[Resource]:
        """The rows of a scope, or of all, that fit `where`; by name."""
        return self._store.find(Query(self._noun, scope, where, Column("name_key")))

    def add(
        self,
        scope: Scope,
        name: str,
        arn: str,
        spec: Mapping[str, Any],
        *,
        status: str = "",
        state: Mapping[str, Any] = _NOTHING,
        tags: Mapping[str, str] = _NOTHING,
        facts: object | None = None,
        parent: str | None = None,
    ) -> Resource:
        """Write a new row; of a part, `parent` is the whole's ARN. Raises AlreadyThere."""
        at = self._clock()
        known = {} if facts is None else to_json(facts)
        return self._store.insert(
            Resource(
                self._noun, scope.account, scope.region, name, arn, status, at, at, 1,
                dict(spec), dict(state), dict(tags), parent, known,
            )
        )  # fmt: skip

    def change(self, row: Resource, change: Callable[[Resource], Mapping[str, Any]]) -> Resource:
        """Replace columns of the newest version: spec, state, status, tags, facts. Raises Changed if it is gone."""
        while True:
            try:
                return self._store.update(row, modified=self._clock(), **change(row))
            except Changed:
                row = self._newest(row)

    def tag(self, row: Resource, add: Mapping[str, str] = _NOTHING, remove: tuple[str, ...] = ()) -> Resource:
        """Add and remove tags."""
        return self.change(
            row, lambda now: {"tags": {**{key: now.tags[key] for key in now.tags if key not in remove}, **add}}
        )

    def remove(self, row: Resource) -> None:
        """Forget the row; one that is gone already is not an error."""
        while True:
            try:
                return self._store.delete(row)
            except Changed:
                newest = self._store.by_arn(row.arn)
                if newest is None or newest.created != row.created:
                    return None
                row = newest

    def _newest(self, row: Resource) -> Resource:
        newest = self._store.by_arn(row.arn)
        if newest is None or newest.created != row.created:
            raise Changed(row.arn)
        return newest
