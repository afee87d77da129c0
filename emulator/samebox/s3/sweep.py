"""What a kill leaves, and what becomes of it at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.s3.files import Files
    from samebox.s3.index import Index


def sweep(index: Index, files: Files) -> None:
    """Remove files whose rows are gone or were never written, and move the others to their place.

    Only the table `garbage` and the folder `incoming/` are looked at, however many objects there are.
    """
    incoming = files.incoming()
    with index.read() as t:
        garbage = [body for (body,) in t.rows("SELECT body FROM garbage")]
        known = {body for body in incoming if t.one("SELECT 1 FROM bodies WHERE id = ?", (body,))}
        highest = t.one(
            "SELECT max((SELECT coalesce(max(id), 0) FROM bodies), (SELECT coalesce(max(body), 0) FROM garbage))"
        )
    for body in garbage:
        files.remove(body)
    for body in incoming:
        if body in known:
            files.place(body)
        else:
            files.discard(body)
    if garbage:
        index.write(lambda t: files.forget_removed(t))
    files.start_ids(max(highest[0] if highest else 0, *incoming, 0) + 1)


def orphans(index: Index, files: Files) -> list[int]:
    """Files in their place that no row names, and rows of files that are not there: none, unless there is a bug."""
    with index.read() as t:
        rows = {body for (body,) in t.rows("SELECT id FROM bodies WHERE kind = 'file'")}
    return sorted(rows ^ {*files.placed(), *files.incoming()})


def miscounted(index: Index) -> list[int]:
    """Bodies whose number of uses is not that of the rows that use them: none, unless there is a bug."""
    counted = (
        "SELECT id FROM bodies WHERE uses != (SELECT count(*) FROM versions WHERE body = id) "
        "+ (SELECT count(*) FROM parts WHERE body = id) + (SELECT count(*) FROM pieces WHERE source = id)"
    )
    with index.read() as t:
        return [body for (body,) in t.all(counted)]
