"""CSV, JSON, JSON Lines and npy, both ways."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy
import pytest

from samebox_serve import formats
from samebox_serve.errors import BadRequest, UnsupportedType

ROWS = [[0.0, 1.5, -2.0], [3.0, 0.1, 1e300]]


def npy(array: Any, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    numpy.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"0,1.5,-2\n3,0.1,1e300\n", "text/csv"),
        (b"0,1.5,-2\r\n3,0.1,1e300", "text/csv; charset=utf-8"),
        (b"\xef\xbb\xbf0,1.5,-2\n\n3,0.1,1e300\n", "TEXT/CSV"),
        (json.dumps(ROWS).encode(), "application/json"),
        (json.dumps({"instances": ROWS}).encode(), "application/json"),
        (json.dumps({"inputs": ROWS, "signature_name": "x"}).encode(), "application/json"),
        (json.dumps(ROWS).encode("utf-16"), "application/json; charset=utf-16"),
        (b"[0, 1.5, -2]\n\n[3, 0.1, 1e300]\n", "application/jsonlines"),
        (b'{"features": [0, 1.5, -2]}\n{"features": [3, 0.1, 1e300]}\n', "application/x-ndjson"),
        (npy(numpy.array(ROWS)), "application/x-npy"),
    ],
)
def test_every_type_gives_the_same_array(body: bytes, content_type: str) -> None:
    assert formats.decode(body, content_type).tolist() == ROWS


@pytest.mark.parametrize("accept", formats.TYPES)
def test_what_is_encoded_is_decoded_to_the_same_numbers(accept: str) -> None:
    prediction = numpy.array([[0.1, 1 / 3], [1e-30, 12345.678]], dtype=numpy.float32)

    body = formats.encode(prediction, accept)
    if accept == formats.JSON:
        body = json.dumps(json.loads(body)["predictions"]).encode()
    assert formats.decode(body, accept).astype(numpy.float32).tolist() == prediction.tolist()


def test_named_inputs_come_as_one_array_each() -> None:
    rows = formats.decode(b'{"instances": [{"a": 1, "b": [2, 3]}, {"a": 4, "b": [5, 6]}]}', "application/json")
    columns = formats.decode(b'{"inputs": {"a": [1, 4], "b": [[2, 3], [5, 6]]}}', "application/json")

    assert {name: array.tolist() for name, array in rows.items()} == {"a": [1, 4], "b": [[2, 3], [5, 6]]}
    assert {name: array.tolist() for name, array in columns.items()} == {"a": [1, 4], "b": [[2, 3], [5, 6]]}


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"", "text/csv", "empty"),
        (b"a,b\n1,2\n", "text/csv", "CSV of numbers without a header"),
        (b"1,2\n3\n", "text/csv", "CSV of numbers"),
        (b"\xff\xfe1", "text/csv", "not utf-8"),
        (b"{", "application/json", "not JSON"),
        (b"{}", "application/json", "instances"),
        (b"5", "application/json", "not a list"),
        (b"[]", "application/json", "empty"),
        (b"[[1, 2], [3]]", "application/json", "rows of one length"),
        (b"[[NaN]]", "application/json", "NaN is not JSON"),
        (b"[" * 100_000, "application/json", "not JSON"),
        (b'{"instances": [{"a": 1}, {"b": 1}]}', "application/json", "instance 1"),
        (b"[1]\n{\n", "application/jsonlines", "line 2 is not JSON"),
        (b"\n\n", "application/jsonlines", "no line"),
        (b"junk", "application/x-npy", "npy"),
        (npy(numpy.zeros(3))[:-1], "application/x-npy", "npy"),
        (npy(numpy.array([{"a": 1}], dtype=object), pickled=True), "application/x-npy", "npy"),
    ],
)
def test_a_body_that_is_not_its_type_is_refused_with_a_message(body: bytes, content_type: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words) as refused:
        formats.decode(body, content_type)
    assert refused.value.status == 400


@pytest.mark.parametrize("content_type", ["", "text/xml", "application/octet-stream", "text/csv; charset=klingon"])
def test_types_that_cannot_be_read_are_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedType) as refused:
        formats.decode(b"1,2", content_type)
    assert refused.value.status == 415


def test_predictions_are_answered_as_tensorflow_serving_does() -> None:
    assert json.loads(formats.encode(numpy.array([[1, 2], [3, 4]]), formats.JSON)) == {"predictions": [[1, 2], [3, 4]]}
    outputs = {"label": numpy.array([1, 2]), "score": numpy.array([0.5, 0.25])}
    assert json.loads(formats.encode(outputs, formats.JSON)) == {
        "predictions": [{"label": 1, "score": 0.5}, {"label": 2, "score": 0.25}]
    }


def test_what_json_cannot_represent_becomes_null() -> None:
    assert json.loads(formats.encode(numpy.array([float("nan"), float("inf"), 1.0]), formats.JSON)) == {
        "predictions": [None, None, 1.0]
    }


def test_several_outputs_are_the_columns_of_a_csv() -> None:
    outputs = {"label": numpy.array([1, 2]), "scores": numpy.array([[0.5, 0.25], [1.0, 2.0]])}

    assert formats.encode(outputs, formats.CSV) == b"1,0.5,0.25\n2,1,2\n"


def test_text_is_answered_as_text() -> None:
    words = numpy.array([b"eins", b"zwei"], dtype=object)

    assert json.loads(formats.encode(words, formats.JSON)) == {"predictions": ["eins", "zwei"]}
    assert formats.encode(words, formats.CSV) == b"eins\nzwei\n"
    assert formats.encode(words, formats.JSON_LINES) == b'"eins"\n"zwei"\n'
