"""`TrainingStartedAt` among the facts of a run becomes `BeganAt`: processing and transform jobs have runs, too."""

import json
import sqlite3


def migrate(connection: sqlite3.Connection) -> None:
    """Rename it in each row that has it."""
    found = connection.execute("SELECT rowid, facts FROM resources WHERE kind = 'TrainingJob'").fetchall()
    for row, text in found:
        facts = json.loads(text)
        run = facts.get("Run") or {}
        if "TrainingStartedAt" not in run:
            continue
        run["BeganAt"] = run.pop("TrainingStartedAt")
        written = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
        connection.execute("UPDATE resources SET facts = ? WHERE rowid = ?", (written, row))
