"""Listings: pages of keys, versions and uploads in the byte order of UTF-8, with common prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from samebox.s3 import buckets, facts
from samebox.s3.folding import Folding, Range, after_all
from samebox.s3.records import Listed, Page, Upload, UploadsPage
from samebox.s3.versions import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.s3.index import Index, Row

T = TypeVar("T")
_COLUMNS = "key, version, modified, size, etag, class, latest, marker, checksums, checksum_type"
_CURRENT = "versions INDEXED BY versions_current WHERE bucket = {} AND latest = 1 AND marker = 0"
_VERSIONS = "versions WHERE bucket = {}"
_UPLOADS = "uploads INDEXED BY uploads_open WHERE bucket = {} AND completed IS NULL"
_PAGE = "SELECT {} FROM {} AND key >= ? AND key < ? ORDER BY {} LIMIT ?"
_REST_OF_VERSIONS = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND age > ? ORDER BY age LIMIT ?"
_UPLOAD_COLUMNS = "key, name, initiated, algorithm, checksum_type, class, facts"
_REST_OF_UPLOADS = (
    f"SELECT {_UPLOAD_COLUMNS} FROM {_UPLOADS.format('?')} AND key = ? "
    "AND id > (SELECT id FROM uploads WHERE name = ?) ORDER BY id LIMIT ?"
)


class Lists:
    """Pages. What they cost depends on the page, not on the bucket. Every call may raise NoSuchBucket."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._objects = _folding(_CURRENT, _COLUMNS, "key", _listed)
        self._versions = _folding(_VERSIONS, _COLUMNS, "key, age", _listed)

    def objects(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: str = "",
        skip_prefix: bool = True,
        limit: int = 1000,
    ) -> Page:
        """Objects and common prefixes after `after`, which is a key or, with `skip_prefix`, a common prefix.

        StartAfter is only ever a key (`skip_prefix=False`): keys that begin with it come after it.
        """
        keys = _range(prefix, delimiter, after, skip_prefix)
        with self._index.read() as t:
            number = buckets.row(t, bucket).id
            if limit <= 0:
                return Page(())
            page = self._objects.page(t, number, keys, (), limit)
        last = page.last.decode() if page.truncated else ""
        return Page(tuple(page.items), _decoded(page.prefixes), page.truncated, last)

    def versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after_key: str = "",
        after_version: str = "",
        limit: int = 1000,
    ) -> Page:
        """Versions and delete markers, of each key the newest first, after a version of a key, or after all of it.

        Raises InvalidArgument for an `after_version` that can be none.
        """
        keys, key = _range(prefix, delimiter, after_key, True), after_key.encode()
        with self._index.read() as t:
            row = buckets.row(t, bucket)
            if limit <= 0:
                return Page(())
            rest: list[Row] = []
            known = named(t, row, key, after_version) if after_version else None
            if known is not None and not keys.common(key):
                rest = t.all(_REST_OF_VERSIONS, (row.id, key, known.age, limit + 1))
            page = self._versions.page(t, row.id, keys, rest, limit)
        prefixes = _decoded(page.prefixes)
        if not page.truncated:
            return Page(tuple(page.items), prefixes)
        last = page.last.decode()
        version = page.items[-1].version if page.items and page.items[-1].key == last else ""
        return Page(tuple(page.items), prefixes, True, last, version)

    def uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after_key: str = "",
        after_upload: str = "",
        limit: int = 1000,
    ) -> UploadsPage:
        """Open uploads after an upload of a key, or after all of the key's."""
        keys, key = _range(prefix, delimiter, after_key, True), after_key.encode()
        folding = _folding(_UPLOADS, _UPLOAD_COLUMNS, "key, id", lambda raw: _upload(bucket, raw))
        with self._index.read() as t:
            number = buckets.row(t, bucket).id
            if limit <= 0:
                return UploadsPage(())
            rest: list[Row] = []
            if after_upload and not keys.common(key):
                rest = t.all(_REST_OF_UPLOADS, (number, key, after_upload, limit + 1))
            page = folding.page(t, number, keys, rest, limit)
        prefixes = _decoded(page.prefixes)
        if not page.truncated:
            return UploadsPage(tuple(page.items), prefixes)
        last = page.last.decode()
        upload = page.items[-1].upload_id if page.items and page.items[-1].key == last else ""
        return UploadsPage(tuple(page.items), prefixes, True, last, upload)


def _folding(source: str, columns: str, order: str, item: Callable[[Row], T]) -> Folding[T]:
    return Folding(source.format(":bucket"), _PAGE.format(columns, source.format("?"), order), item)


def _range(prefix: str, delimiter: str, after: str, skip_prefix: bool) -> Range:
    wanted, behind = prefix.encode(), after.encode()
    keys = Range(wanted, wanted, delimiter.encode())
    if not behind or behind < wanted:
        return keys
    start = behind + b"\0"
    # A marker in a common prefix stands for all of it, as recorded from AWS in 2025.
    if skip_prefix and behind.startswith(wanted) and (common := keys.common(behind)):
        start = after_all(common)
    return Range(start, wanted, keys.delimiter)


def _decoded(prefixes: list[bytes]) -> tuple[str, ...]:
    return tuple(one.decode() for one in prefixes)


def _listed(raw: Row) -> Listed:
    key, version, modified, size, etag, kind, latest, marker, sums, sums_type = raw
    # The names of its checksums, of JSON that has neither quotation marks nor commas in names or values.
    algorithms = sums[2 : sums.index('"', 2)] if sums and "," not in sums else ",".join(sums.split('"')[1::4])
    values = (key.decode(), version, modified, size, etag, kind, latest == 1, marker == 1, algorithms, sums_type)
    return tuple.__new__(Listed, values)  # in half of the time that Listed itself takes; a page has a thousand


def _upload(bucket: str, raw: Row) -> Upload:
    key, name, initiated, algorithm, kind, storage_class, text = raw
    return Upload(bucket, key.decode(), name, initiated, facts.loaded(text, storage_class), algorithm, kind)
