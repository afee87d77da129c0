"""Scripts for AWS's TensorFlow Serving container: what their handlers get, and what becomes of what they return."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from samebox_serve import handlers as module
from samebox_serve.tensorflow_serving import columnar
from tests.serve.test_handlers import clean_imports, handlers

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["clean_imports"]  # a fixture of every test

# In place of a SavedModel: ten times what it is given.
MODEL = """
from samebox_serve import formats
def model_fn(folder): return 10.0
def input_fn(body, content_type): return formats.decode(body, content_type)
def predict_fn(data, model): return data * model
def output_fn(prediction, accept): return formats.encode(prediction, accept), accept
"""
PAIR = """
import json
def input_handler(data, context):
    rows = [[float(cell) for cell in line.split(",")] for line in data.read().decode().splitlines()]
    return json.dumps({"instances": rows})
def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode("utf-8"))
    seen = [context.request_content_type, context.accept_header, context.custom_attributes, context.method]
    return json.dumps([response.json()["predictions"], seen]), context.accept_header
"""
ALONE = """
import json, urllib.request, urllib.error
def handler(data, context):
    asked = urllib.request.Request(context.rest_uri, data.read())
    try:
        with urllib.request.urlopen(asked, timeout=60) as response:
            return response.read(), "application/json"
    except urllib.error.HTTPError as error:
        return json.dumps([error.code, json.load(error)]), "application/json"
"""


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "image.py"
    path.write_text(MODEL)
    monkeypatch.setattr(module, "DEFAULTS", path)


def test_a_pair_of_handlers_stands_around_the_model(tmp_path: Path) -> None:
    made = handlers(tmp_path, PAIR)
    answer = made.answer(b"1,2\n3,4", "text/csv", "application/json", {"X-Amzn-SageMaker-Custom-Attributes": "a=b"})
    assert json.loads(answer.body) == [
        [[10.0, 20.0], [30.0, 40.0]], ["text/csv", "application/json", "a=b", "predict"],
    ]  # fmt: skip
    assert (answer.content_type, answer.status) == ("application/json", 200)


def test_what_the_model_refuses_is_a_response_that_the_script_sees(tmp_path: Path) -> None:
    refused = PAIR.replace('{"instances": rows}', "{}")
    with pytest.raises(ValueError, match=r'\{"error": "the JSON object has neither'):
        handlers(tmp_path, refused).answer(b"1", "text/csv", None, {})


def test_a_handler_alone_asks_the_rest_api(tmp_path: Path) -> None:
    made = handlers(tmp_path, ALONE)
    assert json.loads(made.answer(b'{"instances": [[1.0]]}', None, None, {}).body) == {"predictions": [[10.0]]}
    status, refused = json.loads(made.answer(b"{}", None, None, {}).body)
    assert (status, list(refused)) == (400, ["error"])


def test_the_rest_api_predicts_and_does_nothing_else(tmp_path: Path) -> None:
    made = handlers(tmp_path, ALONE.replace("context.rest_uri", 'context.rest_uri.replace(":predict", ":classify")'))
    status, refused = json.loads(made.answer(b'{"instances": [[1.0]]}', None, None, {}).body)
    assert (status, refused["error"]) == (400, "Malformed request: only predict is answered here")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def input_handler(data, context): ...", "input_handler and output_handler are a pair"),
        ("def handler(data, context): ...\ndef predict_fn(data, model): ...", "it must be one or the other"),
    ],
)
def test_what_is_not_a_script_of_either_kind_is_named(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        handlers(tmp_path, code)


@pytest.mark.parametrize(
    ("asked", "given", "answered"),
    [
        ('{"inputs": [[1]]}', '{"predictions": [[2]]}', {"outputs": [[2]]}),
        ('{"inputs": {"a": [1]}}', '{"predictions": [{"x": 1, "y": 2}]}', {"outputs": {"x": [1], "y": [2]}}),
        ('{"instances": [[1]]}', '{"predictions": [[2]]}', {"predictions": [[2]]}),
        ("[[1]]", '{"predictions": [[2]]}', {"predictions": [[2]]}),
    ],
)
def test_columns_are_answered_with_columns(asked: str, given: str, answered: object) -> None:
    assert json.loads(columnar(asked.encode(), given.encode())) == answered
