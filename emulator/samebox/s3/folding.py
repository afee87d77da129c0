"""Pages of keys in order, where keys with a common prefix are folded into one entry.

What a common prefix hides is leapt over in the index, within one statement: a page of a thousand folders costs a
thousand searches, however many keys are in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from samebox.s3.index import Row, Transaction

T = TypeVar("T")
# Above every key: UTF-8 has no byte 0xFF.
END = b"\xff"
# So many rows say what a folder is like.
_FIRST_LOOK = 20

# Each row is the first key at or after where the one before it leads: behind that key, or behind all keys that begin
# with its common prefix, which ends at the first delimiter after the listing's prefix.
_KEYS = """
WITH RECURSIVE walk(key, number) AS (
    SELECT (SELECT key FROM {source} AND key >= :start AND key < :end ORDER BY key LIMIT 1), 1
    UNION ALL
    SELECT (
        SELECT key FROM {source} AND key < :end AND key >= CASE instr(substr(walk.key, :behind), :delimiter)
            WHEN 0 THEN CAST(walk.key || x'00' AS BLOB)
            ELSE CAST(
                substr(walk.key, 1, :cut + instr(substr(walk.key, :behind), :delimiter)) || :raised AS BLOB
            ) END
        ORDER BY key LIMIT 1
    ), number + 1 FROM walk WHERE key IS NOT NULL AND number < :limit
)
SELECT key FROM walk WHERE key IS NOT NULL
"""


@dataclass(frozen=True)
class Range:
    """The keys that a listing is about: `start` is the first that may be on the page."""

    start: bytes
    prefix: bytes
    delimiter: bytes

    @property
    def end(self) -> bytes:
        """The first key after all that have the prefix."""
        return after_all(self.prefix)

    def common(self, key: bytes) -> bytes:
        """The common prefix that a key is folded into; empty where it stands for itself."""
        end = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return key[: end + len(self.delimiter)] if end >= 0 else b""


@dataclass
class Folded(Generic[T]):
    """A page: items and common prefixes, together at most as many as were asked for. `last` is the last of both."""

    items: list[T] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    last: bytes = b""

    def is_full(self, limit: int) -> bool:
        """Is there no room for another entry?"""
        return self.truncated or len(self.items) + len(self.prefixes) >= limit


class Folding(Generic[T]):
    """One kind of listing.

    `source` is what follows FROM in a query of its keys, up to conditions that name `:bucket`; `select` is a query of
    its rows, with the key first, for (bucket, first key, end, number of rows).
    """

    def __init__(self, source: str, select: str, item: Callable[[Row], T]) -> None:
        self._keys = _KEYS.format(source=source)
        self._select = select
        self._item = item

    def page(self, t: Transaction, bucket: int, keys: Range, first: Sequence[Row], limit: int) -> Folded[T]:
        """A page that begins with the rows `first`, which come before the range."""
        page: Folded[T] = Folded()
        self._add(page, first, limit)
        if page.truncated:
            return page
        if not keys.delimiter:
            self._add(page, self._rows(t, bucket, keys.start, keys.end, limit - len(page.items)), limit)
            return page
        rest = self._add_leading(t, bucket, page, keys, limit)
        if rest is not None:
            self._add_folded(t, bucket, page, rest, limit)
        return page

    def _add_leading(self, t: Transaction, bucket: int, page: Folded[T], keys: Range, limit: int) -> Range | None:
        # The rows before the first common prefix, read as they lie, and what is left to look at: a page of a folder
        # that has no folders needs no leaps.
        for room in (_FIRST_LOOK, limit):
            rows = self._rows(t, bucket, keys.start, keys.end, room)
            folded = next((place for place, row in enumerate(rows) if keys.common(row[0])), None)
            if folded is not None:
                start: bytes = rows[folded][0]
                self._add(page, rows[:folded], limit)
                return None if page.truncated else Range(start, keys.prefix, keys.delimiter)
            if len(rows) <= room:
                break
        self._add(page, rows, limit)
        return None

    def _add_folded(self, t: Transaction, bucket: int, page: Folded[T], keys: Range, limit: int) -> None:
        run: list[bytes] = []  # keys that stand for themselves, one after the other
        for key in self._folded_keys(t, bucket, keys, limit + 1):
            common = keys.common(key)
            if not common:
                run.append(key)
                continue
            self._add_run(t, bucket, page, run, limit)
            run = []
            if page.is_full(limit):
                page.truncated = True
                return
            page.prefixes.append(common)
            page.last = common
        self._add_run(t, bucket, page, run, limit)

    def _folded_keys(self, t: Transaction, bucket: int, keys: Range, limit: int) -> list[bytes]:
        delimiter = keys.delimiter
        values = {
            "bucket": bucket,
            "start": keys.start,
            "end": keys.end,
            "limit": limit,
            "delimiter": delimiter,
            "behind": len(keys.prefix) + 1,
            # All of the common prefix but its last byte, which is raised by one: the first key behind it.
            "cut": len(keys.prefix) + len(delimiter) - 2,
            "raised": bytes([delimiter[-1] + 1]),
        }
        return [key for (key,) in t.all(self._keys, values)]

    def _add_run(self, t: Transaction, bucket: int, page: Folded[T], run: Sequence[bytes], limit: int) -> None:
        if run and not page.truncated:
            room = limit - len(page.items) - len(page.prefixes)
            self._add(page, self._rows(t, bucket, run[0], run[-1] + b"\0", room), limit)

    def _rows(self, t: Transaction, bucket: int, start: bytes, end: bytes, room: int) -> list[Row]:
        # One row more than there is room for says whether the page is the last.
        return t.all(self._select, (bucket, start, end, room + 1))

    def _add(self, page: Folded[T], rows: Sequence[Row], limit: int) -> None:
        room = limit - len(page.items) - len(page.prefixes)
        page.items += [self._item(row) for row in rows[:room]]
        if room and rows:
            page.last = rows[:room][-1][0]
        page.truncated = len(rows) > room


def after_all(prefix: bytes) -> bytes:
    """The first key after all keys that start with `prefix`."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else END
