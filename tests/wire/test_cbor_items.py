"""CBOR: what is written is read, what is not CBOR is refused. botocore is the other side in tests/laws."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebox.errors import AwsError
from samebox.wire import cbor_items
from samebox.wire.cbor_items import Timestamp

ITEMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.floats(0, 4e9).map(Timestamp),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(ITEMS)
def test_what_is_written_is_read(item: Any) -> None:
    assert cbor_items.load(cbor_items.dump(item)) == item


@given(st.binary(max_size=40))
def test_what_is_not_cbor_is_refused(data: bytes) -> None:
    try:
        cbor_items.dump(cbor_items.load(data))  # an item that nothing is lost of
    except AwsError as error:
        refused = error.code
    else:
        refused = "SerializationException"
    assert refused == "SerializationException"


@pytest.mark.parametrize(
    ("data", "item"),
    [
        # RFC 8949, appendix A.
        ("1903e8", 1000),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("c1fb41d452d9ec200000", Timestamp(1363896240.5)),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("7f657374726561646d696e67ff", "streaming"),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ],
)
def test_the_examples_of_the_standard_are_read(data: str, item: Any) -> None:
    assert cbor_items.load(bytes.fromhex(data)) == item


@pytest.mark.parametrize("data", ["", "18", "82 01", "a1 01 02", "ff", "fc", "c1 61 61", "01 01", "5f 01 ff", "9f 01"])
def test_half_an_item_and_what_no_client_sends_is_refused(data: str) -> None:
    with pytest.raises(AwsError, match="CBOR"):
        cbor_items.load(bytes.fromhex(data))


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(AwsError, match="nested too deeply"):
        cbor_items.load(b"\x81" * 100_000 + b"\x00")


def test_infinity_is_an_item_and_no_time() -> None:
    assert cbor_items.load(cbor_items.dump(math.inf)) == math.inf
    with pytest.raises(AwsError, match="time"):
        cbor_items.load(b"\xc1" + cbor_items.dump(math.inf))
