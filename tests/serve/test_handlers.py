"""The handler contract: which function is called with what, and what may come back."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import pytest

from samebox_serve.errors import BadRequest, NotAcceptable, UnsupportedType
from samebox_serve.handlers import Handlers
from samebox_serve.settings import ServeSettings

if TYPE_CHECKING:
    from pathlib import Path


def handlers(folder: Path, code: str, **environment: str) -> Handlers:
    program = folder / "model" / "code" / "inference.py"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(code)
    made = Handlers(ServeSettings.read({"SAGEMAKER_BASE_DIR": str(folder), **environment}))
    made.load()
    return made


@pytest.fixture(autouse=True)
def clean_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


ECHO = """
def model_fn(model_dir): return model_dir
def input_fn(body, content_type): return [type(body).__name__, content_type]
def predict_fn(data, model): return [*data, model]
def output_fn(prediction, accept): return " ".join([*prediction, accept])
"""


@pytest.mark.parametrize(
    ("content_type", "accept", "seen"),
    [
        ("text/csv; charset=latin-1", None, "str text/csv {model} application/json"),
        ("application/json", "*/*", "str application/json {model} application/json"),
        ("application/x-image", "image/png", "bytes application/x-image {model} image/png"),
        ("application/jsonlines", "a/b;q=0.1, c/d", "bytes application/jsonlines {model} c/d"),
        (None, None, "bytes  {model} application/json"),
    ],
)
def test_each_function_gets_what_sagemaker_inference_gives_it(
    tmp_path: Path, content_type: str | None, accept: str | None, seen: str
) -> None:
    answer = handlers(tmp_path, ECHO).answer(b"1,2", content_type, accept, {})

    assert answer.body.decode() == seen.format(model=tmp_path / "model")
    assert answer.content_type == seen.rpartition(" ")[2]


def test_functions_that_are_missing_are_the_images(tmp_path: Path) -> None:
    code = "def model_fn(d): return 10\ndef predict_fn(data, model): return data * model\n"
    made = handlers(tmp_path, code)

    assert made.answer(b"1,2\n3,4\n", "text/csv", "text/csv", {}).body == b"10,20\n30,40\n"
    with pytest.raises(UnsupportedType):
        made.answer(b"1", "image/png", None, {})
    with pytest.raises(NotAcceptable):
        made.answer(b"1", "text/csv", "image/png", {})
    with pytest.raises(BadRequest):
        made.answer(b"one", "text/csv", None, {})


def test_a_default_accept_that_no_encoder_produces_is_json(tmp_path: Path) -> None:
    code = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
    made = handlers(tmp_path, code, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="image/png")

    assert made.answer(b"1", "text/csv", None, {}).content_type == "application/json"


def test_functions_may_take_the_context_and_answer_through_it(tmp_path: Path) -> None:
    code = """
def model_fn(model_dir, context): return context.system_properties["model_dir"]
def transform_fn(model, body, content_type, accept, context):
    context.set_response_status(202)
    context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", context.get_request_header(0, "x-custom"))
    context.set_response_content_type(0, "text/special")
    return model
"""
    answer = handlers(tmp_path, code).answer(b"", "a/b", None, {"X-Custom": "c000"})

    assert (answer.status, answer.content_type, answer.body) == (202, "text/special", str(tmp_path / "model").encode())
    assert answer.headers == {"X-Amzn-SageMaker-Custom-Attributes": "c000"}


def test_hooks_around_loading_are_called_in_order(tmp_path: Path) -> None:
    code = """
calls = []
def pre_model_fn(model_dir): calls.append("before")
def model_fn(model_dir): calls.append("load"); return calls
def model_warmup_fn(model_dir, model): calls.append("warm up")
def transform_fn(model, body, content_type, accept): return ", ".join(model)
"""
    assert handlers(tmp_path, code).answer(b"", None, None, {}).body == b"before, load, warm up"


def test_the_programs_neighbours_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "neighbour_of_the_program.py").write_text("WORD = 'hello'\n")
    code = (
        "from neighbour_of_the_program import WORD\n"
        "def model_fn(model_dir): return WORD\n"
        "def transform_fn(model, body, content_type, accept): return model\n"
    )

    assert handlers(tmp_path, code).answer(b"", None, None, {}).body == b"hello"


def test_a_function_with_other_arguments_is_named(tmp_path: Path) -> None:
    made = handlers(tmp_path, "def model_fn(model_dir): return 1\ndef transform_fn(model, body): return body\n")

    with pytest.raises(TypeError, match="transform_fn takes 2 arguments; it is called with 4"):
        made.answer(b"", None, None, {})


@pytest.mark.parametrize("part", ["input_fn", "predict_fn", "output_fn"])
def test_transform_fn_and_its_parts_exclude_each_other(tmp_path: Path, part: str) -> None:
    code = f"def transform_fn(a, b, c, d): return ''\ndef {part}(a, b): return ''\n"

    with pytest.raises(ValueError, match=f"defines transform_fn and {part}"):
        handlers(tmp_path, code)


@pytest.mark.parametrize("answer", ["{}", "[1]", "None", "3.5"])
def test_an_answer_that_is_no_body_is_an_error_of_the_handlers(tmp_path: Path, answer: str) -> None:
    made = handlers(tmp_path, f"def model_fn(d): return 1\ndef transform_fn(a, b, c, d): return {answer}\n")

    with pytest.raises(TypeError, match="must be bytes or str"):
        made.answer(b"", None, None, {})


def test_errors_of_sagemaker_inference_keep_their_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toolkit = types.ModuleType("sagemaker_inference.errors")

    class UnsupportedFormatError(Exception):
        pass

    class BaseInferenceToolkitError(Exception):
        def __init__(self, status_code: int, message: str, phrase: str) -> None:
            super().__init__(message)
            self.status_code, self.message, self.phrase = status_code, message, phrase

    toolkit.__dict__.update(
        UnsupportedFormatError=UnsupportedFormatError, BaseInferenceToolkitError=BaseInferenceToolkitError
    )
    monkeypatch.setitem(sys.modules, "sagemaker_inference.errors", toolkit)
    code = """
import sys
errors = sys.modules["sagemaker_inference.errors"]
def model_fn(model_dir): return None
def input_fn(body, content_type):
    if content_type == "bad/input": raise errors.UnsupportedFormatError(content_type)
    if content_type == "bad/teapot": raise errors.BaseInferenceToolkitError(418, "short and stout", "teapot")
def predict_fn(data, model): return None
def output_fn(prediction, accept): raise errors.UnsupportedFormatError(accept)
"""
    made = handlers(tmp_path, code)

    with pytest.raises(UnsupportedType):
        made.answer(b"", "bad/input", None, {})
    with pytest.raises(NotAcceptable):
        made.answer(b"", "good/input", None, {})
    with pytest.raises(Exception, match="short and stout") as teapot:
        made.answer(b"", "bad/teapot", None, {})
    assert getattr(teapot.value, "status", None) == 418
