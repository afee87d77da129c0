"""The rows of bodies: bytes in the index, a file, or pieces of others. Who uses a body is counted; at none it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.s3.files import Files
    from samebox.s3.index import Transaction


@dataclass(frozen=True)
class Body:
    """The bytes of an object or part, synced; `data` is None where they are in a file.

    `gathered`: where they are in the file of their upload.
    """

    number: int
    size: int
    data: bytes | None
    gathered: Slice | None = None


@dataclass(frozen=True)
class Slice:
    """Bytes of a body that is not a composition of others; `data` where they are in the index."""

    body: int
    first: int
    size: int
    data: bytes | None = None


class Bodies:
    """Rows of bodies, in the transactions of others."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def insert(self, t: Transaction, body: Body) -> int | None:
        """Write the row of a body that has come in, used once; gives its number, or None for no bytes at all."""
        if not body.size:
            return None
        if body.gathered is not None:
            return self.compose(t, [body.gathered])
        kind = "file" if body.data is None else "inline"
        t.run("INSERT INTO bodies VALUES (?, ?, ?, 1, ?)", (body.number, kind, body.size, body.data))
        if body.data is None:
            t.afterwards.append(lambda: self._files.place(body.number))
        return body.number

    def replace(self, t: Transaction, number: int | None, body: Body) -> bool:
        """Write a body that has come in into the row `number`, whose only user it is for. False where that cannot be.

        A row that stays where it is has two pages written; one that goes and one that comes, nine.
        """
        if number is None or not body.size or body.data is None:
            return False
        statement = "UPDATE bodies SET size = ?, data = ? WHERE id = ? AND kind = 'inline' AND uses = 1"
        return t.run(statement, (body.size, body.data, number)) == 1

    def share(self, t: Transaction, number: int | None) -> int | None:
        """Count one more use of a body."""
        if number is not None:
            t.run("UPDATE bodies SET uses = uses + 1 WHERE id = ?", (number,))
        return number

    def compose(self, t: Transaction, slices: Sequence[Slice]) -> int | None:
        """Make a body of slices of others, which are used once more; gives its number, or None for no bytes."""
        slices = [one for one in slices if one.size]
        size = sum(one.size for one in slices)
        if not size:
            return None
        number = self._files.new_id()
        t.run("INSERT INTO bodies VALUES (?, 'pieces', ?, 1, NULL)", (number, size))
        start, rows = 0, []
        for one in _joined(slices):
            rows.append((number, start, one.body, one.first, one.size))
            start += one.size
        t.run_many("INSERT INTO pieces VALUES (?, ?, ?, ?, ?)", rows)
        t.run_many("UPDATE bodies SET uses = uses + 1 WHERE id = ?", [(row[2],) for row in rows])
        return number

    def gather(self, t: Transaction, upload: int, gathered: Slice, now: float) -> None:
        """Have the file of an upload's parts held by the upload, from its first part on."""
        held = t.one("SELECT body FROM parts WHERE upload = ? AND number = 0", (upload,))
        if held is not None and held[0] == gathered.body:
            return
        t.run("INSERT INTO bodies VALUES (?, 'file', ?, 1, NULL)", (gathered.body, gathered.first + gathered.size))
        t.run("INSERT OR REPLACE INTO parts VALUES (?, 0, ?, 0, '', ?, '')", (upload, gathered.body, now))
        if held is not None:
            self.release(t, held[0])
        t.afterwards.append(lambda: self._files.place(gathered.body))

    def release(self, t: Transaction, number: int | None) -> None:
        """Count one use less; the last one takes the body away, its file after the commit."""
        if number is None:
            return
        gone = t.one("DELETE FROM bodies WHERE id = ? AND uses = 1 RETURNING kind", (number,))
        if gone is None:
            others = t.run("UPDATE bodies SET uses = uses - 1 WHERE id = ?", (number,))
            assert others, f"body {number} is used and has no row"
            return
        (kind,) = gone
        if kind == "file":
            self._files.forget_removed(t)
            t.run("INSERT INTO garbage VALUES (?)", (number,))
            t.afterwards.append(lambda: self._files.remove(number))
        elif kind == "pieces":
            sources = t.all("SELECT source FROM pieces WHERE body = ?", (number,))
            t.run("DELETE FROM pieces WHERE body = ?", (number,))
            for (source,) in sources:
                self.release(t, source)


def _joined(slices: Sequence[Slice]) -> list[Slice]:
    """The same bytes in as few slices as can be: those that follow each other in one file are one."""
    joined: list[Slice] = []
    for one in slices:
        last = joined[-1] if joined else None
        if last is not None and last.body == one.body and last.first + last.size == one.first:
            joined[-1] = Slice(last.body, last.first, last.size + one.size)
        else:
            joined.append(one)
    return joined


def slices(t: Transaction, number: int | None, first: int, size: int) -> list[Slice]:
    """Where `size` bytes of a body from `first` on are. An empty list for a body that is gone."""
    row = t.one("SELECT kind, size, data FROM bodies WHERE id = ?", (number,)) if number is not None and size else None
    if row is None:
        return []
    kind, _, data = row
    if kind != "pieces":
        return [Slice(number or 0, first, size, data)]
    found, end = [], first + size
    # The piece that holds the first byte starts at or before it, the others after it.
    pieces = t.all(
        "SELECT start, source, first, pieces.size, data FROM pieces JOIN bodies ON bodies.id = source WHERE body = ? "
        "AND start >= (SELECT max(start) FROM pieces WHERE body = ? AND start <= ?) AND start < ? ORDER BY start",
        (number, number, first, end),
    )
    for start, source, offset, length, inline in pieces:
        skipped = max(0, first - start)
        found.append(Slice(source, offset + skipped, min(length, end - start) - skipped, inline))
    return found
