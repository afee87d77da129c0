"""The encoding `aws-chunked`, whatever pieces it comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebox.errors import AwsError
from samebox.services.s3.chunked import Decoder

SIGNED = b";chunk-signature=" + b"a" * 64


def encoded(chunks: list[bytes], signature: bytes = b"", trailer: bytes = b"") -> bytes:
    body = b"".join(b"%x" % len(one) + signature + b"\r\n" + one + b"\r\n" for one in chunks if one)
    return body + b"0" + signature + b"\r\n" + trailer + b"\r\n"


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50), st.booleans())
def test_the_body_is_the_same_in_pieces_of_any_size(chunks: list[bytes], size: int, signed: bool) -> None:
    whole = encoded(chunks, SIGNED if signed else b"", b"x-amz-checksum-crc32:AAAAAA==\r\n")
    decoder = Decoder()

    body = b"".join(decoder.body(whole[start : start + size] for start in range(0, len(whole), size)))

    assert body == b"".join(chunks)
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}


@pytest.mark.parametrize("ending", [b"\r\n", b""])
def test_the_last_line_end_may_be_left_out(ending: bytes) -> None:
    decoder = Decoder()

    assert b"".join(decoder.body([b"1\r\na\r\n0\r\nx-amz-checksum-crc32:AAAAAA==", ending])) == b"a"
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_body_that_breaks_off_is_incomplete(cut: int) -> None:
    whole = b"5\r\nhello\r\n0\r\n\r\n"

    with pytest.raises(AwsError) as refused:
        b"".join(Decoder().body([whole[:cut]]))

    assert refused.value.code == "IncompleteBody"


@pytest.mark.parametrize("body", [b"hello\r\n", b"-1\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"x" * 20_000])
def test_what_is_not_chunked_is_refused(body: bytes) -> None:
    with pytest.raises(AwsError) as refused:
        b"".join(Decoder().body([body]))

    assert refused.value.code == "InvalidRequest"
