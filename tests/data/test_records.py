"""Records of a transform job's objects: taken apart, packed, decompressed."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from samebox.data import recordio, records
from samebox.data.recordio import RecordError
from samebox.data.records import RecordTooLarge

if TYPE_CHECKING:
    from samebox.data.records import SplitType


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@given(some.lists(some.binary(max_size=9)), some.integers(1, 30), some.integers(10, 40))
def test_lines_are_packed_alike_one_by_one_and_by_the_piece(lines: list[bytes], size: int, most: int) -> None:
    body = b"\n".join(line.replace(b"\n", b" ") for line in lines)
    each = (record.framed for record in records.split(pieces(body, size), "Line", most))
    batches = [b"".join(batch) for batch in records.packed(each, most)]
    assert [b"".join(batch) for batch in records.packed_lines(pieces(body, size), most)] == batches
    assert b"".join(batches) == body
    assert all(len(batch) <= most for batch in batches)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_line_is_sent_alone_without_its_end(size: int) -> None:
    found = list(records.split(pieces(b"one\n\nthree", size), "Line", 100))
    assert [(record.payload, record.framed) for record in found] == [
        (b"one", b"one\n"), (b"", b"\n"), (b"three", b"three")
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["None", "Line", "RecordIO", "TFRecord"])
def test_a_record_that_fits_into_no_payload_is_an_error(kind: SplitType) -> None:
    bodies = {
        "RecordIO": recordio.frame(b"x" * 20),
        "TFRecord": struct.pack("<Q", 20) + b"crc." + b"x" * 20 + b"crc.",
    }
    with pytest.raises(RecordTooLarge):
        list(records.split([bodies.get(kind, b"x" * 20)], kind, 10))


@pytest.mark.parametrize("body", [b"\x01\x00", struct.pack("<Q", 20) + b"crc." + b"short"])
def test_a_tf_record_that_breaks_off_is_an_error(body: bytes) -> None:
    with pytest.raises(RecordError):
        list(records.split([body], "TFRecord", 100))


@pytest.mark.parametrize("size", [1, 1000])
def test_gzip_of_several_members_is_read_whole(size: int) -> None:
    body = gzip.compress(b"one") + gzip.compress(b"two")
    assert b"".join(records.gunzipped(pieces(body, size))) == b"onetwo"


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"x" * 1000, mtime=0)[:20]], ids=["other", "cut off"])
def test_what_is_no_whole_gzip_is_an_error(body: bytes) -> None:
    with pytest.raises(RecordError):
        list(records.gunzipped([body]))
