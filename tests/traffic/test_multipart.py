"""A multipart body is the same parts however its bytes come."""

import pytest

from samebox.traffic.multipart import Malformed, Parts

BODY = (
    b'--B\r\nContent-Disposition: form-data; name="key"\r\n\r\nvalue\r\n'
    b'--B\r\ncontent-disposition: form-data; name="file"; filename="x.csv"\r\nContent-Type: text/csv\r\n\r\n'
    b"1,2\r\n--Bad\r\n-\r\n\r\n--B--\r\n"
)


def read(body: bytes, size: int) -> list[tuple[str, bytes]]:
    parts = Parts((body[start : start + size] for start in range(0, len(body), size)), "B")
    found = []
    while (head := parts.next()) is not None:
        name = str(head.get_param("name", "", "content-disposition"))
        found.append((name, b"".join(parts.content())))
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 1000])
def test_parts_are_found_wherever_the_pieces_end(size: int) -> None:
    # A line that begins as the delimiter does and goes on otherwise ends the content all the same, as RFC 2046 has it:
    # the maker of a boundary sees to it that the content has none.
    body = BODY.replace(b"--Bad", b"--bad")
    assert read(body, size) == [("key", b"value"), ("file", b"1,2\r\n--bad\r\n-\r\n")]


@pytest.mark.parametrize("body", [b"", b"no boundary", b"--B\r\n", BODY[:60], BODY[:-8], b"--B\r\n" + b"a" * 20_000])
def test_half_a_body_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body, 16)


def test_nothing_is_a_whole_body_too() -> None:
    assert read(b"--B--\r\n", 3) == []
