"""Which bytes of an object a request means: a range, a part, or all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3 import refusals
from samebox.services.s3.members import unquoted
from samebox.wire.shapes import write_timestamp

if TYPE_CHECKING:
    from samebox.s3.reading import OpenObject
    from samebox.s3.records import Version
    from samebox.services.s3.requests import S3Request

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(frozen=True)
class Selected:
    """`length` bytes from `first` on; `partial` where the answer is a 206."""

    first: int
    length: int
    partial: bool = False

    def content_range(self, size: int) -> str:
        return f"bytes {self.first}-{self.first + self.length - 1}/{size}"


def selected(request: S3Request, reading: OpenObject) -> Selected:
    """The bytes that a GetObject or HeadObject means. Raises InvalidRange, InvalidPartNumber, InvalidRequest."""
    size, number, text = reading.version.size, request.params.get("PartNumber"), request.params.get("Range")
    if number is not None:
        if text:
            raise AwsError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        if not 1 <= number <= 10_000:
            raise refusals.part_number(number)
        part = reading.part(number)
        return Selected(part.start, part.size, partial=part.size > 0)  # no Content-Range can say "no bytes"
    validator = request.header("if-range")
    if validator is not None and not _is_of(validator.strip(), reading.version):
        return Selected(0, size)
    # What is not a single range of bytes is ignored, as RFC 9110 and S3 have it.
    found = _RANGE.fullmatch((text or "").replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return Selected(0, size)
    first, last = found[1], found[2]
    if not first:
        if int(last) == 0:
            raise refusals.unsatisfiable_range(str(text), size)
        length = min(int(last), size)
        # Of an empty object these are its last bytes, as RFC 9110 and S3 have it: 200, and nothing.
        return Selected(size - length, length, partial=length > 0)
    begin = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < begin:
        return Selected(0, size)
    if begin >= size:
        raise refusals.unsatisfiable_range(str(text), size)
    return Selected(begin, end - begin + 1, partial=True)


def _is_of(validator: str, version: Version) -> bool:
    """Whether If-Range names the object as it is: its entity tag, which is strong, or exactly its Last-Modified.

    RFC 9110 §13.1.5. Quotation marks may be missing, as in If-Match: a guess.
    """
    if validator.startswith("W/"):
        return False
    return unquoted(validator) == version.etag or validator == write_timestamp(int(version.modified), "rfc822")


def copied(text: str | None) -> tuple[int | None, int | None]:
    """First and last byte of UploadPartCopy's range, which has one form only. Raises InvalidArgument."""
    if not text:
        return None, None
    found = _COPY_RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise AwsError(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            400,
            {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text},
        )
    return int(found[1]), int(found[2])
