"""Listings: pages of keys, versions and uploads in the byte order of UTF-8, with common prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.s3 import buckets, facts
from samebox.s3.records import Listed, Page, Upload, UploadsPage
from samebox.s3.skipping import after_all, walk
from samebox.s3.versions import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox.s3.index import Index, Row, Transaction

_COLUMNS = "key, version, modified, size, etag, class, latest, marker, checksums, checksum_type"
_CURRENT = (
    f"SELECT {_COLUMNS} FROM versions INDEXED BY versions_current WHERE bucket = ? AND latest = 1 AND marker = 0 "
    "AND key >= ? AND key < ? ORDER BY key LIMIT ?"
)
_ALL = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key, age LIMIT ?"
_REST_OF_KEY = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND age > ? ORDER BY age LIMIT ?"
_UPLOADS = (
    "SELECT key, id, name, initiated, algorithm, checksum_type, class, facts FROM uploads "
    "WHERE bucket = ? AND completed IS NULL AND key >= ? AND key < ? ORDER BY key, id LIMIT ?"
)
_REST_OF_UPLOADS = (
    "SELECT key, id, name, initiated, algorithm, checksum_type, class, facts FROM uploads "
    "WHERE bucket = ? AND completed IS NULL AND key = ? AND id > ? ORDER BY id LIMIT ?"
)


class Lists:
    """Pages. What they cost depends on the page, not on the bucket. Every call may raise NoSuchBucket."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", skip_prefix: bool = True,
        limit: int = 1000,
    ) -> Page:  # fmt: skip
        """Objects and common prefixes after `after`, which is a key or, with `skip_prefix`, a common prefix.

        StartAfter is only ever a key (`skip_prefix=False`): keys that begin with it come after it.
        """
        with self._index.read() as t:
            number, wanted = buckets.row(t, bucket).id, prefix.encode()
            if limit <= 0:
                return Page(())
            start = _start(wanted, delimiter.encode(), after.encode(), skip_prefix)
            end = after_all(wanted)
            page = walk(
                lambda key, count: t.rows(_CURRENT, (number, key, end, count)),
                _listed, start, wanted, delimiter.encode(), limit,
            )  # fmt: skip
        prefixes = tuple(one.decode() for one in page.prefixes)
        return Page(tuple(page.items), prefixes, page.truncated, page.last.decode() if page.truncated else "")

    def versions(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after_key: str = "", after_version: str = "",
        limit: int = 1000,
    ) -> Page:  # fmt: skip
        """Versions and delete markers, of each key the newest first, after a version of a key, or after all of it.

        Raises InvalidArgument for an `after_version` that can be none.
        """
        wanted, marker = prefix.encode(), after_key.encode()
        with self._index.read() as t:
            row = buckets.row(t, bucket)
            if limit <= 0:
                return Page(())
            first: list[Row] = []
            if after_version:
                known = named(t, row, marker, after_version)
                first = t.all(_REST_OF_KEY, (row.id, marker, known.age, limit + 1)) if known else []
            start, end = _start(wanted, delimiter.encode(), marker, True), after_all(wanted)

            def select(key: bytes, count: int) -> Iterator[Row]:
                if key == start:
                    yield from first
                yield from t.rows(_ALL, (row.id, key, end, count))

            page = walk(select, _listed, start, wanted, delimiter.encode(), limit)
        if not page.truncated:
            return Page(tuple(page.items), tuple(one.decode() for one in page.prefixes))
        last = page.last.decode()
        ends_with_item = bool(page.items) and page.items[-1].key == last
        version = page.items[-1].version if ends_with_item else ""
        return Page(tuple(page.items), tuple(one.decode() for one in page.prefixes), True, last, version)

    def uploads(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after_key: str = "", after_upload: str = "",
        limit: int = 1000,
    ) -> UploadsPage:  # fmt: skip
        """Open uploads after an upload of a key, or after all of the key's."""
        wanted, marker = prefix.encode(), after_key.encode()
        with self._index.read() as t:
            number = buckets.row(t, bucket).id
            if limit <= 0:
                return UploadsPage(())
            first = _uploads_after(t, number, marker, after_upload, limit) if after_upload else []
            start, end = _start(wanted, delimiter.encode(), marker, True), after_all(wanted)

            def select(key: bytes, count: int) -> Iterator[Row]:
                if key == start:
                    yield from first
                yield from t.rows(_UPLOADS, (number, key, end, count))

            page = walk(select, lambda raw: _upload(bucket, raw), start, wanted, delimiter.encode(), limit)
        prefixes = tuple(one.decode() for one in page.prefixes)
        if not page.truncated:
            return UploadsPage(tuple(page.items), prefixes)
        last = page.last.decode()
        ends_with_item = bool(page.items) and page.items[-1].key == last
        return UploadsPage(tuple(page.items), prefixes, True, last, page.items[-1].upload_id if ends_with_item else "")


def _start(prefix: bytes, delimiter: bytes, after: bytes, skip_prefix: bool) -> bytes:
    # The first key that may be on the page.
    if not after or after < prefix:
        return prefix
    if skip_prefix and delimiter and after.startswith(prefix):
        end = after.find(delimiter, len(prefix))
        if end >= 0 and end + len(delimiter) == len(after):
            return after_all(after)
    return after + b"\0"


def _uploads_after(t: Transaction, bucket: int, key: bytes, upload: str, limit: int) -> list[Row]:
    known = t.one("SELECT id FROM uploads WHERE name = ?", (upload,))
    return t.all(_REST_OF_UPLOADS, (bucket, key, known[0], limit + 1)) if known else []


def _listed(raw: Row) -> Listed:
    key, version, modified, size, etag, kind, latest, marker, sums, sums_type = raw
    algorithms = ",".join(facts.loaded_map(sums)) if sums else ""
    return Listed(key.decode(), version, modified, size, etag, kind, bool(latest), bool(marker), algorithms, sums_type)


def _upload(bucket: str, raw: Row) -> Upload:
    key, _, name, initiated, algorithm, kind, storage_class, text = raw
    return Upload(bucket, key.decode(), name, initiated, facts.loaded(text, storage_class), algorithm, kind)
