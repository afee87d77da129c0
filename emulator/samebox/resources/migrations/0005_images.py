"""Images and tags of ECR's repositories leave the repository's row for rows of their own, of which it is the parent."""

import json
import sqlite3

_ROW = """
INSERT INTO resources (kind, account, region, name, name_key, arn, status, created, modified, version, parent, spec,
    state, tags, facts)
SELECT :kind, account, region, name || :name_end, name_key || :name_end, :arn_type || arn || :name_end, '', :created,
    :created, 1, arn, '{}', '{}', '{}', :facts
FROM resources WHERE rowid = :repository
"""


def migrate(connection: sqlite3.Connection) -> None:
    """Make the rows."""
    found = connection.execute("SELECT rowid, created, facts FROM resources WHERE kind = 'Repository'").fetchall()
    for repository, created, text in found:
        facts = json.loads(text)
        images, tags = facts.pop("Images", {}), facts.pop("Tags", {})
        for digest, image in images.items():
            row = {"kind": "EcrImage", "arn_type": "image:", "name_end": f"@{digest}", "created": image["PushedAt"]}
            _insert(connection, repository, row, {"MediaType": image["MediaType"]})
        for tag, digest in tags.items():
            row = {"kind": "EcrTag", "arn_type": "tag:", "name_end": f":{tag}", "created": created}
            _insert(connection, repository, row, {"Digest": digest})
        connection.execute("UPDATE resources SET facts = ? WHERE rowid = ?", (_text(facts), repository))


def _insert(connection: sqlite3.Connection, repository: int, row: dict[str, object], facts: object) -> None:
    connection.execute(_ROW, {**row, "repository": repository, "facts": _text(facts)})


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
