"""Walks over keys in order that leap over what a common prefix hides, instead of reading it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from samebox.s3.index import Row

T = TypeVar("T")
# A folder of a few keys is read to its end; only a longer one is worth a new search in the index.
_READ_BEFORE_LEAP = 12
# Above every key: UTF-8 has no byte 0xFF.
END = b"\xff"


@dataclass
class Walked(Generic[T]):
    """A page: its items and common prefixes, together at most as many as were asked for."""

    items: list[T] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    last: bytes = b""  # the last key or common prefix


def after_all(prefix: bytes) -> bytes:
    """The first key after all keys that start with `prefix`."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else END


def walk(
    select: Callable[[bytes, int], Iterator[Row]],
    item: Callable[[Row], T],
    start: bytes,
    prefix: bytes,
    delimiter: bytes,
    limit: int,
) -> Walked[T]:
    """A page of rows whose first column is the key, from `start` on.

    `select` gives the rows from a key on, in order, at most as many as the number says (-1: all); it ends where the
    prefix ends.
    """
    if not delimiter:
        return _walk_plainly(select(start, limit + 1), item, limit)
    page: Walked[T] = Walked()
    position: bytes | None = start
    while position is not None:
        position = _walk_folded(page, select(position, -1), item, prefix, delimiter, limit)
    return page


def _walk_plainly(rows: Iterator[Row], item: Callable[[Row], T], limit: int) -> Walked[T]:
    # One row more than there is room for says whether the page is the last.
    found = list(rows)
    page = Walked([item(row) for row in found[:limit]], truncated=len(found) > limit)
    if page.items:
        page.last = found[: len(page.items)][-1][0]
    return page


def _walk_folded(
    page: Walked[T], rows: Iterator[Row], item: Callable[[Row], T], prefix: bytes, delimiter: bytes, limit: int
) -> bytes | None:
    # Gives the key to go on from, after a leap; None when the page is done.
    room = limit - len(page.items) - len(page.prefixes)
    after, common, hidden = len(prefix), b"", 0
    for row in rows:
        key: bytes = row[0]
        if common and key.startswith(common):
            hidden += 1
            if hidden == _READ_BEFORE_LEAP:
                return after_all(common)
            continue
        if not room:
            page.truncated = True
            return None
        room -= 1
        end = key.find(delimiter, after)
        if end < 0:
            page.items.append(item(row))
            page.last = key
        else:
            common, hidden = key[: end + len(delimiter)], 0
            page.prefixes.append(common)
            page.last = common
    return None
