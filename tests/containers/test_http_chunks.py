from __future__ import annotations

import pytest

from samebox.containers.http_chunks import Chunks

CODED = b"5\r\nhello\r\n1;name=value\r\n!\r\nB\r\n\r\n 12345 \r\n\r\n0\r\nTrailer: x\r\n\r\n"
CONTENT = b"hello!\r\n 12345 \r\n"


@pytest.mark.parametrize("size", range(1, len(CODED) + 1))
def test_chunks_are_taken_apart_however_they_come(size: int) -> None:
    chunks = Chunks()
    parts = [chunks.feed(CODED[start : start + size]) for start in range(0, len(CODED), size)]
    assert b"".join(parts) == CONTENT
    assert chunks.is_complete


def test_a_body_without_its_last_chunk_is_not_complete() -> None:
    chunks = Chunks()
    assert chunks.feed(CODED[: CODED.index(b"0\r\n")]) == CONTENT
    assert not chunks.is_complete


def test_what_is_not_chunked_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Chunks().feed(b"hello\r\n")
