"""How an upload is completed: the parts that the client names become one object, and no byte is copied."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

from samebox.s3 import bodies, checksums, facts, locks, refusals, versions
from samebox.s3.records import Checksums, Completion, NamedPart, Upload, Version
from samebox.s3.versions import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.s3.bodies import Bodies
    from samebox.s3.buckets import BucketRow
    from samebox.s3.conditions import WriteConditions
    from samebox.s3.index import Row, Transaction
    from samebox.s3.versions import Versions

LEAST_PART_BYTES = 5 * 1024 * 1024
LARGEST_OBJECT = 50 * 1024**4


class Completing:
    """One completion, within its transaction."""

    def __init__(
        self, t: Transaction, bucket: BucketRow, number: int, upload: Upload, stored: Bodies, changes: Versions
    ) -> None:
        self._t = t
        self._bucket = bucket
        self._number = number
        self._upload = upload
        self._bodies = stored
        self._versions = changes

    def complete(self, named: Completion, conditions: WriteConditions, now: float) -> Version:
        """Make the object, and remember the answer. Raises what `Uploads.complete` raises."""
        key = self._upload.key.encode()
        parts = self._chosen(named.parts)
        size = sum(part[1] for part in parts)
        if size > LARGEST_OBJECT:
            raise refusals.too_large(size, LARGEST_OBJECT)
        if named.size is not None and named.size != size:
            raise refusals.size_mismatch(named.size, size)
        if named.checksums.kind not in ("", self._upload.checksum_type):
            raise refusals.other_checksum_type(self._upload.checksum_type)
        sums = self._checksums(parts)
        for algorithm, value in named.checksums.values.items():
            if sums.values.get(algorithm) not in (value, None):
                raise refusals.bad_checksum(algorithm)
        newest = versions.latest(self._t, self._bucket, key)
        current = versions.visible(newest)
        changed = newest is not None and newest.version.modified > self._upload.initiated
        if conditions.if_match is not None and changed and current is None:
            raise refusals.conflicting_operation("If-Match", self._upload.key)
        conditions.check_write(current, self._upload.key)
        if conditions.if_match is not None and changed:
            raise refusals.conflicting_operation("If-Match", self._upload.key)
        locks.check_lockable(self._bucket, self._upload.attributes, now)
        content = Content(
            self._body(parts), size, checksums.multipart_etag(part[2] for part in parts), sums, self._number, len(parts)
        )
        self._keep_layout(parts)
        version = self._versions.add(self._t, self._bucket, key, content, self._upload.attributes, now, newest)
        self._t.run("UPDATE uploads SET completed = ?, answer = ? WHERE id = ?", (now, _answer(version), self._number))
        return version

    def _chosen(self, named: Sequence[NamedPart]) -> list[Row]:
        # (number, size, etag, checksums, body) of each part that the client names.
        if not named:
            raise refusals.no_parts()
        if any(one.number >= other.number for one, other in pairwise(named)):
            raise refusals.invalid_part_order(self._upload.upload_id)
        rows = self._t.all(
            "SELECT number, size, etag, checksums, body FROM parts WHERE upload = ? AND number > 0 ORDER BY number",
            (self._number,),
        )
        sent = {row[0]: row for row in rows}
        chosen = []
        for one in named:
            self._check_algorithm(one)
            row = sent.get(one.number)
            if row is None or row[2] != one.etag.strip('"') or not _agrees(one, facts.loaded_map(row[3])):
                raise refusals.invalid_part(self._upload.upload_id, one.number, one.etag)
            chosen.append(row)
        for number, size, etag, _, _ in chosen[:-1]:
            if size < LEAST_PART_BYTES:
                raise refusals.part_too_small(size, number, etag, LEAST_PART_BYTES)
        return chosen

    def _check_algorithm(self, named: NamedPart) -> None:
        algorithm = self._upload.algorithm
        if not algorithm:
            return
        other = next((one for one in named.checksums if one != algorithm), None)
        if other is not None:
            raise refusals.other_checksum_of_part(other, named.number)
        if self._upload.checksum_type == "COMPOSITE" and algorithm not in named.checksums:
            raise refusals.no_checksum_of_part(algorithm, named.number)

    def _checksums(self, parts: Sequence[Row]) -> Checksums:
        algorithm, kind = self._upload.algorithm, self._upload.checksum_type
        if not algorithm:
            algorithm, kind = checksums.DEFAULT, "FULL_OBJECT"
        return checksums.of_parts(algorithm, kind, [(part[1], facts.loaded_map(part[3])) for part in parts])

    def _body(self, parts: Sequence[Row]) -> int | None:
        # One part is the object; several are pieces of it. Parts that are not named go.
        if len(parts) == 1:
            joint = self._bodies.share(self._t, parts[0][4])
        else:
            found = [one for part in parts for one in bodies.slices(self._t, part[4], 0, part[1])]
            joint = self._bodies.compose(self._t, found)
        for (body,) in self._t.all("SELECT body FROM parts WHERE upload = ?", (self._number,)):
            self._bodies.release(self._t, body)
        self._t.run("DELETE FROM parts WHERE upload = ?", (self._number,))
        return joint

    def _keep_layout(self, parts: Sequence[Row]) -> None:
        start, rows = 0, []
        for number, size, _, sums, _ in parts:
            rows.append((self._number, number, start, size, sums))
            start += size
        self._t.run_many("INSERT INTO layouts VALUES (?, ?, ?, ?, ?)", rows)


def answered(upload: Upload, answer: str) -> Version:
    """What the first completion answered."""
    known = json.loads(answer)
    sums = Checksums(known["checksums"], known["type"])
    return Version(
        upload.bucket, upload.key, known["version"], known["modified"], known["size"], known["etag"],
        attributes=upload.attributes, checksums=sums, part_count=known["parts"],
    )  # fmt: skip


def _answer(version: Version) -> str:
    known = {
        "version": version.version,
        "modified": version.modified,
        "size": version.size,
        "etag": version.etag,
        "checksums": dict(version.checksums.values),
        "type": version.checksums.kind,
        "parts": version.part_count,
    }
    return json.dumps(known, separators=(",", ":"))


def _agrees(named: NamedPart, known: dict[str, str]) -> bool:
    return all(known.get(algorithm, value) == value for algorithm, value in named.checksums.items())
