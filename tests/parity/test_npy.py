"""Arrays are read as numpy reads them: numpy itself is asked."""

import io
import pickle
from typing import Any

import numpy as np
import pytest

from samebox.parity import npy

NUMBERS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


def saved(array: "np.ndarray[Any, Any]") -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def values(data: bytes) -> list[npy.Scalar]:
    ((_, found),) = npy.read(data).columns
    return found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(), (6,), (3, 2), (1, 2, 3), (0,), (2, 0)])
def test_numbers_of_every_type_order_and_shape(dtype: str, order: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(f"{order}{dtype}")
    read = npy.read(saved(array))
    assert read.shape == shape
    assert read.columns[0][1] == array.ravel().tolist()


def test_the_limits_of_integers_are_exact() -> None:
    assert values(saved(np.array([2**64 - 1], "u8"))) == [2**64 - 1]
    assert values(saved(np.array([-(2**63)], "i8"))) == [-(2**63)]


def test_an_array_in_fortran_order_is_read_in_ours() -> None:
    array = np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))
    assert values(saved(array)) == array.ravel(order="C").tolist()


def test_texts_and_bytes() -> None:
    assert values(saved(np.array(["ä", "cat", ""]))) == ["ä", "cat", ""]
    assert values(saved(np.array(["ä", "cat"], ">U4"))) == ["ä", "cat"]
    assert values(saved(np.array([b"a", b"bcd"]))) == [b"a", b"bcd"]


def test_times_are_their_numbers() -> None:
    assert values(saved(np.array(["1970-01-02", "NaT"], "M8[D]"))) == [1, -(2**63)]


def test_records_are_columns_and_padding_is_none() -> None:
    dtype = np.dtype([("label", "U3"), ("score", ">f8"), ("box", "<i2", (2,))], align=True)
    array = np.array([("cat", 0.5, (1, 2)), ("dog", 0.25, (3, 4))], dtype)
    read = npy.read(saved(array))
    assert dict(read.columns) == {"label": ["cat", "dog"], "score": [0.5, 0.25], "box[0]": [1, 3], "box[1]": [2, 4]}


def test_records_within_records() -> None:
    inner = np.dtype([("x", "<f4"), ("y", "<f4")])
    read = npy.read(saved(np.array([(7, (1.0, 2.0))], np.dtype([("n", "u1"), ("at", inner)]))))
    assert dict(read.columns) == {"n": [7], "at.x": [1.0], "at.y": [2.0]}


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_header(version: tuple[int, int]) -> None:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.arange(3.0), version=version)
    assert values(file.getvalue()) == [0.0, 1.0, 2.0]


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("it was unpickled",))


def test_objects_are_never_unpickled() -> None:
    array = np.empty(1, object)
    array[0] = Evil()
    with pytest.raises(npy.Unreadable, match="nothing is unpickled"):
        npy.read(saved(array))
    with pytest.raises(npy.NotNpy):
        npy.read(pickle.dumps(Evil()))


def test_a_number_that_is_wider_than_ours_is_unreadable() -> None:
    with pytest.raises(npy.Unreadable, match="no counterpart"):
        npy.read(saved(np.zeros(2, np.longdouble)))


def with_header(text: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        b"1,2,3",
        saved(np.arange(4))[:-1],
        saved(np.arange(4)) + b"more",
        saved(np.arange(4))[:40],
        with_header("[]"),
        with_header("{"),
        with_header("(" * 3000),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': 4}"),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}", b"1234"),
        with_header("{'descr': 4, 'fortran_order': False, 'shape': (1,)}"),
        with_header("{'descr': [4], 'fortran_order': False, 'shape': (1,)}"),
        with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,)}"),
        with_header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", b"\xff\xff\xff\xff"),
        with_header("{'descr': " + "[('a', " * 40 + "'<f4'" + ")]" * 40 + ", 'shape': (0,)}"),
    ],
    ids=lambda data: repr(data[:24]),
)
def test_a_file_that_is_no_npy_is_reported_at_no_cost(data: bytes) -> None:
    with pytest.raises(npy.NotNpy):
        npy.read(data)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': [('a', '<f4', (65535, 65535))], 'fortran_order': False, 'shape': (0,)}",
        "{'descr': [('a', [('b', '<f4', (60000,))], (60000,))], 'fortran_order': False, 'shape': (0,)}",
        "{'descr': [], 'fortran_order': False, 'shape': (5,)}",
    ],
)
def test_a_header_cannot_make_it_work_without_end(header: str) -> None:
    with pytest.raises(npy.Unreadable):
        npy.read(with_header(header))
