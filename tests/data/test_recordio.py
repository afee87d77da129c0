import pytest

from samebox.data.recordio import RecordError, frame, records

ABC = bytes.fromhex("0A23D7CE 03000000 61626300")


def test_the_vector_of_the_contract() -> None:
    assert frame(b"abc") == ABC
    assert list(records([ABC])) == [b"abc"]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_records_do_not_care_how_their_bytes_arrive(size: int) -> None:
    payloads = [b"", b"a", b"ab", b"abc", b"abcd", bytes(1000)]
    stream = b"".join(frame(payload) for payload in payloads)
    assert list(records(stream[at : at + size] for at in range(0, len(stream), size))) == payloads


def test_a_split_record_is_joined_by_the_magic_that_split_it() -> None:
    magic = bytes.fromhex("0A23D7CE")
    first, last = magic + bytes.fromhex("04000020") + b"left", magic + bytes.fromhex("05000060") + b"right\0\0\0"
    assert list(records([first + last])) == [b"left" + magic + b"right"]


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"not a record", "at byte 0"),
        (ABC + b"\x0a\x23", "inside a header, at byte 12"),
        (ABC[:10], "breaks off"),
        (bytes.fromhex("0A23D7CE 00000060"), "out of place"),
        (bytes.fromhex("0A23D7CE 00000020"), "inside a split record"),
    ],
)
def test_invalid_recordio_is_reported_with_its_place(stream: bytes, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        list(records([stream]))
