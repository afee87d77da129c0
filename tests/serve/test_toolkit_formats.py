"""Arrays as AWS's scikit-learn and XGBoost containers read and write them."""

from __future__ import annotations

import io

import numpy
import pytest

from samebox_serve.errors import BadRequest, UnsupportedType
from samebox_serve.toolkit_formats import decode, encode


def npy(array: object) -> bytes:
    stream = io.BytesIO()
    numpy.save(stream, numpy.asarray(array))
    return stream.getvalue()


def test_each_type_is_read() -> None:
    assert decode("[[1, 2], [3, 4]]", "application/json").tolist() == [[1, 2], [3, 4]]
    assert decode("1,2\n3,4\n", "text/csv").tolist() == [[1, 2], [3, 4]]
    assert decode(npy([[1.5]]), "application/x-npy").tolist() == [[1.5]]


def test_one_row_of_csv_has_one_dimension_as_on_aws() -> None:
    assert decode("1,2", "text/csv").shape == (2,)


def test_answers_are_bare() -> None:
    assert encode(numpy.array([1, 2]), "application/json") == b"[1, 2]"
    assert encode(numpy.array([0.5, 2.0]), "text/csv") == b"0.5\n2.0\n"
    assert encode(numpy.array([3]), "application/x-npy") == npy([3])


@pytest.mark.parametrize(("body", "kind"), [("{", "application/json"), (b"text", "application/x-npy")])
def test_a_body_that_is_not_of_its_type_is_refused(body: bytes | str, kind: str) -> None:
    with pytest.raises(BadRequest):
        decode(body, kind)


def test_a_pickle_is_not_loaded() -> None:
    stream = io.BytesIO()
    numpy.save(stream, numpy.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BadRequest):
        decode(stream.getvalue(), "application/x-npy")


def test_another_type_is_refused() -> None:
    with pytest.raises(UnsupportedType):
        decode(b"", "text/libsvm")
