"""Multipart uploads: begun, sent in parts, listed, aborted. How they are completed is in completion.py."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.s3 import bodies, buckets, checksums, completion, facts, locks, refusals
from samebox.s3.conditions import ANY_STATE, NO_CONDITIONS, ReadConditions, WriteConditions
from samebox.s3.copying import SourceChanged, check_unchanged, open_source
from samebox.s3.objects import StoredObjects, key_bytes
from samebox.s3.records import (
    Attributes,
    ChecksumType,
    Completion,
    Expected,
    Part,
    PartsPage,
    Source,
    Upload,
    Version,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.s3.bodies import Bodies
    from samebox.s3.buckets import BucketRow
    from samebox.s3.gathering import Gathering
    from samebox.s3.index import Index, Transaction
    from samebox.s3.receiving import Received
    from samebox.s3.versions import Stored, Versions

MOST_PARTS = 10_000
# How long a completed upload is remembered for a client whose first answer was lost.
REMEMBERED_SECONDS = 24 * 3600
_COLUMNS = "id, name, initiated, algorithm, checksum_type, class, facts, answer"


@dataclass(frozen=True)
class UploadRow:
    """An upload with the number that its rows have, and the answer of its completion."""

    id: int
    upload: Upload
    answer: str | None


class Uploads:
    """The uploads of all buckets. Every call may raise NoSuchBucket, and NoSuchUpload where it names one."""

    def __init__(
        self,
        index: Index,
        objects: StoredObjects,
        stored: Bodies,
        versions: Versions,
        gathering: Gathering,
        clock: Callable[[], float],
    ) -> None:
        self._gathering = gathering
        self._index = index
        self._objects = objects
        self._bodies = stored
        self._versions = versions
        self._clock = clock

    def create(
        self,
        bucket: str,
        key: str,
        attributes: Attributes | None = None,
        *,
        algorithm: str = "",
        checksum_type: ChecksumType = "",
    ) -> Upload:
        """Begin an upload. Raises KeyTooLongError, InvalidRequest (a lock in a bucket without object lock)."""
        name, attributes, now = key_bytes(key), attributes or Attributes(), self._clock()
        kind = checksum_type or checksums.default_type(algorithm)
        upload = Upload(bucket, key, secrets.token_urlsafe(48), now, attributes, algorithm, kind)

        def change(t: Transaction) -> Upload:
            row = buckets.row(t, bucket)
            locks.check_lockable(row, attributes, now)
            t.run("DELETE FROM uploads WHERE completed < ?", (now - REMEMBERED_SECONDS,))
            t.run(
                "INSERT INTO uploads VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (
                    row.id,
                    name,
                    upload.upload_id,
                    now,
                    algorithm,
                    kind,
                    attributes.storage_class,
                    facts.dumped(attributes),
                ),
            )
            return upload

        return self._index.write(change)

    def get(self, bucket: str, key: str, upload_id: str) -> Upload:
        """An open upload."""
        with self._index.read() as t:
            return opened(t, buckets.row(t, bucket), key, upload_id).upload

    def put_part(
        self, bucket: str, key: str, upload_id: str, number: int, body: Received, *, expected: Expected | None = None
    ) -> Part:
        """Make the body a part, in the place of an earlier one with its number.

        Raises BadDigest, IncompleteBody, InvalidArgument (the number), InsufficientStorage.
        """
        _check_number(number)
        body.check(expected or Expected())
        etag, sums = body.etag, body.checksums()
        sealed = body.seal()

        def change(t: Transaction) -> Part:
            upload = opened(t, buckets.row(t, bucket), key, upload_id)
            part = Part(number, sealed.size, etag, self._clock(), sums)
            t.afterwards.append(body.take)
            if sealed.gathered is not None:
                self._bodies.gather(t, upload.id, sealed.gathered, part.modified)
            self._keep(t, upload.id, part, self._bodies.insert(t, sealed))
            return part

        return self._index.write(change)

    def copy_part(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        source: Source,
        *,
        first: int | None = None,
        last: int | None = None,
        source_conditions: ReadConditions = ANY_STATE,
    ) -> tuple[Part, Version]:
        """Make bytes `first` to `last` of an object a part, or all of it; gives the part and the source.

        The bytes are read once for their checksums, and shared. Raises what `head` raises, InvalidArgument (the range).
        """
        _check_number(number)
        algorithm = self.get(bucket, key, upload_id).algorithm or checksums.DEFAULT
        while True:
            with open_source(self._objects, source, source_conditions) as reading:
                begin, size = _range(first, last, reading.version.size)
                digest, other = checksums.md5(), checksums.running(algorithm)
                for chunk in reading.chunks(begin, size):
                    digest.update(chunk)
                    other.update(chunk)
                found = reading.stored
            part = Part(
                number, size, digest.digest().hex(), self._clock(), {algorithm: checksums.encoded(other.digest())}
            )

            def change(t: Transaction, begin: int = begin, part: Part = part, found: Stored = found) -> None:
                check_unchanged(t, found)
                upload = opened(t, buckets.row(t, bucket), key, upload_id)
                slices = bodies.slices(t, found.body, begin, part.size)
                self._keep(t, upload.id, part, self._bodies.compose(t, slices))

            try:
                self._index.write(change)
            except SourceChanged:
                continue
            return part, found.version

    def parts(self, bucket: str, key: str, upload_id: str, *, after: int = 0, limit: int = 1000) -> PartsPage:
        """The parts of an open upload with numbers above `after`."""
        with self._index.read() as t:
            upload = opened(t, buckets.row(t, bucket), key, upload_id)
            rows = t.all(
                "SELECT number, size, etag, modified, checksums FROM parts WHERE upload = ? AND number > ? "
                "ORDER BY number LIMIT ?",
                (upload.id, max(after, 0), limit + 1),
            )
            (total,) = t.one("SELECT count(*) FROM parts WHERE upload = ? AND number > 0", (upload.id,)) or (0,)
        page = tuple(Part(row[0], row[1], row[2], row[3], facts.loaded_map(row[4])) for row in rows[:limit])
        return PartsPage(page, len(rows) > limit, page[-1].number if page else after, total)

    def complete(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        named: Completion,
        *,
        conditions: WriteConditions = NO_CONDITIONS,
    ) -> Version:
        """Make the named parts the newest version of the key, without copying them; a second time: the same answer.

        Raises InvalidPart, InvalidPartOrder, EntityTooSmall, MalformedXML (no parts), InvalidRequest (the size),
        BadDigest, PreconditionFailed, NoSuchKey (If-Match where there is no object).
        """

        def change(t: Transaction) -> Version:
            row = buckets.row(t, bucket)
            upload = any_upload(t, row, key, upload_id)
            if upload.answer is not None:
                return completion.answered(upload.upload, upload.answer)
            done = completion.Completing(t, row, upload.id, upload.upload, self._bodies, self._versions)
            return done.complete(named, conditions, self._clock())

        version = self._index.write(change)
        self._gathering.forget(upload_id)
        return version

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Remove an open upload and its parts."""

        def change(t: Transaction) -> None:
            self.remove(t, opened(t, buckets.row(t, bucket), key, upload_id).id)

        self._index.write(change)
        self._gathering.forget(upload_id)

    def remove(self, t: Transaction, upload: int) -> None:
        """Remove the rows of an upload and of its parts."""
        for (body,) in t.all("SELECT body FROM parts WHERE upload = ?", (upload,)):
            self._bodies.release(t, body)
        t.run("DELETE FROM parts WHERE upload = ?", (upload,))
        t.run("DELETE FROM uploads WHERE id = ?", (upload,))

    def _keep(self, t: Transaction, upload: int, part: Part, body: int | None) -> None:
        earlier = t.one("SELECT body FROM parts WHERE upload = ? AND number = ?", (upload, part.number))
        t.run(
            "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
            (upload, part.number, body, part.size, part.etag, part.modified, facts.dumped_map(part.checksums)),
        )
        if earlier is not None:
            self._bodies.release(t, earlier[0])


def any_upload(t: Transaction, bucket: BucketRow, key: str, upload_id: str) -> UploadRow:
    """An upload, open or completed. Raises NoSuchUpload."""
    raw = t.one(
        f"SELECT {_COLUMNS} FROM uploads WHERE name = ? AND bucket = ? AND key = ?",
        (upload_id, bucket.id, key_bytes(key)),
    )
    if raw is None:
        raise refusals.no_such_upload(upload_id)
    number, name, initiated, algorithm, kind, storage_class, text, answer = raw
    attributes = facts.loaded(text, storage_class)
    return UploadRow(number, Upload(bucket.name, key, name, initiated, attributes, algorithm, kind), answer)


def opened(t: Transaction, bucket: BucketRow, key: str, upload_id: str) -> UploadRow:
    """An open upload. Raises NoSuchUpload."""
    found = any_upload(t, bucket, key, upload_id)
    if found.answer is not None:
        raise refusals.no_such_upload(upload_id)
    return found


def _check_number(number: int) -> None:
    if not 1 <= number <= MOST_PARTS:
        raise refusals.part_number(number)


def _range(first: int | None, last: int | None, size: int) -> tuple[int, int]:
    if first is None:
        return 0, size
    end = size - 1 if last is None else last
    if first > end or end >= size:
        raise refusals.bad_copy_range(f"bytes={first}-{'' if last is None else last}", first, size)
    return first, end - first + 1
