"""RecordIO-protobuf: the vector of the contract, what goes in and comes out, and what is not a record."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebox.data import record_protobuf, recordio
from samebox.data.record_protobuf import BadRecord, Blobs, DataRecord, Tensor, decode, encode

# contract §5.2, made with the toolkit's record_pb2 and the SDK's framing
VECTOR = bytes.fromhex(
    "0A12 0A06 76616C756573 1208 1206 0A04 0000803F 1212 0A06 76616C756573 1208 1206 0A04 00000000".replace(" ", "")
)
INT32 = st.integers(-(2**31), 2**31 - 1)
UINT64 = st.integers(0, 2**64 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False)
TENSORS = st.one_of(
    st.builds(Tensor, st.just("int32"), st.lists(INT32), st.lists(UINT64), st.lists(UINT64)),
    st.builds(Tensor, st.just("float32"), st.lists(FLOAT32), st.lists(UINT64), st.lists(UINT64)),
    st.builds(Tensor, st.just("float64"), st.lists(st.floats(allow_nan=False)), st.lists(UINT64), st.lists(UINT64)),
    st.builds(Blobs, st.lists(st.binary()), st.none() | st.text()),
)
VALUES = st.dictionaries(st.text(), TENSORS, max_size=3)
TEXT = st.none() | st.text()


def test_the_vector_of_the_contract() -> None:
    record = DataRecord({"values": Tensor("float32", [1.0], [], [])}, {"values": Tensor("float32", [0.0], [], [])})
    assert encode(record) == VECTOR
    assert decode(VECTOR) == record


@given(st.lists(st.builds(DataRecord, VALUES, VALUES, TEXT, TEXT, TEXT), max_size=3))
def test_any_records_come_back_as_they_went_in(records: list[DataRecord]) -> None:
    stream = b"".join(record_protobuf.write(records))
    assert list(record_protobuf.read([stream])) == records


def test_a_sparse_record_has_its_keys_and_its_shape() -> None:
    record = DataRecord({"values": Tensor("float32", [2.5, 3.5], [0, 300], [1000])})
    assert decode(encode(record)) == record


def test_a_record_in_parts_is_read_whole() -> None:
    magic = struct.pack("<I", recordio.MAGIC)
    record = DataRecord({"image": Blobs([b"\0" + magic + b"pixels"])})
    payload = encode(record)
    first, last = payload.split(magic)
    parts = [
        struct.pack("<II", recordio.MAGIC, kind << 29 | len(part)) + part + bytes(-len(part) % 4)
        for kind, part in ((1, first), (3, last))
    ]
    assert list(record_protobuf.read(parts)) == [record]


def test_numbers_that_are_not_packed_are_read_too() -> None:
    # proto2 allows both; a value and a key, each a field of its own.
    tensor = b"\x0d" + struct.pack("<f", 1.5) + b"\x10\x07"
    value = b"\x12" + bytes([len(tensor)]) + tensor
    entry = b"\x0a\x01v\x12" + bytes([len(value)]) + value
    assert decode(b"\x0a" + bytes([len(entry)]) + entry) == DataRecord({"v": Tensor("float32", [1.5], [7], [])})


@pytest.mark.parametrize(
    "payload", [b"\x0a", b"\x0a\x05ab", b"\x0b", b"\xff" * 11, b"\x0a\x03\x0a\x01v", b"\x1a\x01\xff"]
)
def test_bytes_that_are_no_record_are_refused(payload: bytes) -> None:
    with pytest.raises(BadRecord):
        decode(payload)
