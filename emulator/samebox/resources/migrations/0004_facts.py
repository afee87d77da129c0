"""What we know of a resource leaves `state`, which is AWS's members alone from here on, for a column of its own."""

import json
import sqlite3

# The members of ours that schemas up to 3 have among AWS's.
_OURS = {
    "TrainingJob": ("ResolvedImage", "Run"),
    "Endpoint": ("Wanted", "Current", "Routes"),
    "Repository": ("Images", "Tags", "Policy", "LifecyclePolicy"),
}


def migrate(connection: sqlite3.Connection) -> None:
    """Add the column and fill it."""
    connection.execute("ALTER TABLE resources ADD COLUMN facts TEXT NOT NULL DEFAULT '{}'")
    for kind, ours in _OURS.items():
        for row, text in connection.execute("SELECT rowid, state FROM resources WHERE kind = ?", (kind,)).fetchall():
            known = json.loads(text)
            facts = {member: known.pop(member) for member in ours if member in known}
            connection.execute(
                "UPDATE resources SET state = ?, facts = ? WHERE rowid = ?", (_text(known), _text(facts), row)
            )


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
