"""Conditional requests: the state of an object that a client insists on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.s3 import refusals

if TYPE_CHECKING:
    from samebox.s3.records import Version

ANY = "*"


@dataclass(frozen=True)
class WriteConditions:
    """If-Match and If-None-Match of a put, a copy's target, a completion or a delete; ETags without quotation marks.

    They are compared in the transaction that writes: of six writers with `If-None-Match: *` exactly one succeeds.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    # Of DeleteObject alone: what else the current version must be like.
    if_match_modified: float | None = None
    if_match_size: int | None = None

    @property
    def header(self) -> str:
        """The header that a write's condition came in."""
        return "If-Match" if self.if_match is not None else "If-None-Match"

    def check_write(self, current: Version | None, key: str) -> None:
        """`current` is the object as a GET would find it. Raises PreconditionFailed or NoSuchKey."""
        if self.if_none_match is not None and current is not None and _fits(self.if_none_match, current.etag):
            raise refusals.precondition_failed("If-None-Match")
        if self.if_match is None:
            return
        if current is None:
            # A write that insists on an object finds none: 404, not 412 (S3 user guide, conditional writes).
            raise refusals.no_such_key(key)
        if not _fits(self.if_match, current.etag):
            raise refusals.precondition_failed("If-Match")

    def check_delete(self, current: Version | None, key: str) -> None:
        """`current` is the object as a GET would find it. Raises PreconditionFailed or NoSuchKey."""
        if self == NO_CONDITIONS:
            return
        if current is None:
            raise refusals.no_such_key(key)
        if self.if_match is not None and not _fits(self.if_match, current.etag):
            raise refusals.precondition_failed("If-Match")
        if self.if_match_modified is not None and int(self.if_match_modified) != int(current.modified):
            raise refusals.precondition_failed("x-amz-if-match-last-modified-time")
        if self.if_match_size is not None and self.if_match_size != current.size:
            raise refusals.precondition_failed("x-amz-if-match-size")


NO_CONDITIONS = WriteConditions()


@dataclass(frozen=True)
class ReadConditions:
    """The conditions of a read, or of the source of a copy (`x-amz-copy-source-if-…`); times in seconds since 1970.

    `if_match` and `if_none_match` are the ETags of the header, without quotation marks.
    """

    if_match: tuple[str, ...] = ()
    if_none_match: tuple[str, ...] = ()
    if_modified_since: float | None = None
    if_unmodified_since: float | None = None

    def check(self, version: Version, source: str = "") -> None:
        """Raises PreconditionFailed, or (for a read) NotModified. `source` begins the headers' names for a source.

        RFC 9110 §13.2.2: If-Match outweighs If-Unmodified-Since, and If-None-Match outweighs If-Modified-Since. A copy
        has no 304: each of its conditions fails with 412.
        """
        modified = int(version.modified)  # the headers have whole seconds
        if self.if_match:
            if not any(_fits(one, version.etag) for one in self.if_match):
                raise refusals.precondition_failed(f"{source}If-Match")
        elif self.if_unmodified_since is not None and modified > self.if_unmodified_since:
            raise refusals.precondition_failed(f"{source}If-Unmodified-Since")
        if self.if_none_match:
            unchanged = any(_fits(one, version.etag) for one in self.if_none_match)
            failed = "If-None-Match"
        else:
            unchanged = self.if_modified_since is not None and modified <= self.if_modified_since
            failed = "If-Modified-Since"
        if unchanged:
            raise (
                refusals.precondition_failed(source + failed)
                if source
                else refusals.not_modified(version.etag, version.modified)
            )


ANY_STATE = ReadConditions()


def _fits(named: str, etag: str) -> bool:
    return named == ANY or named.strip('"') == etag
