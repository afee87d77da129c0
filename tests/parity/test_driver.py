"""The program that loads models inside images, run here by this Python: it needs nothing of the project."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pytest

import samebox.parity

if TYPE_CHECKING:
    from collections.abc import Mapping

INSIDE = Path(samebox.parity.__file__).parent / "inside"
CSV = b"1,2\n3,4\n5,6\n"
HANDLERS = """
def model_fn(folder):
    return 10
def input_fn(body, kind):
    assert isinstance(body, str) and kind == "text/csv"
    return [[float(cell) for cell in line.split(",")] for line in body.splitlines()]
def predict_fn(rows, model):
    return [sum(row) * model for row in rows]
def output_fn(prediction, accept):
    return ",".join(str(one) for one in prediction), accept
"""


class Predictor:
    """A model as scikit-learn has them: a pickle with `predict`."""

    def predict(self, rows: Any) -> Any:
        return rows.sum(axis=1)


def drive(
    folder: Path,
    code: str = "",
    files: Mapping[str, bytes] = {},
    body: bytes = CSV,
    content_type: str = "text/csv",
    accept: str = "",
    **variables: str,
) -> tuple[dict[str, Any], bytes]:
    """The result, and the first answer."""
    model, out = folder / "model", folder / "out"
    (model / "code").mkdir(parents=True)
    out.mkdir()
    if code:
        (model / "code" / "inference.py").write_text(code)
    for name, content in files.items():
        (model / name).write_bytes(content)
    (folder / "body").write_bytes(body)
    plan = {"inputs": [{"path": str(folder / "body"), "content_type": content_type, "accept": accept}]}
    (folder / "plan.json").write_text(json.dumps(plan))
    here = str(Path(__file__).parents[2])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": here, "SAGEMAKER_BASE_DIR": str(folder), **variables}
    done = subprocess.run(
        [sys.executable, str(INSIDE / "driver.py"), str(folder / "plan.json"), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer = out / "0"
    return json.loads((out / "result.json").read_text()), answer.read_bytes() if answer.exists() else b""


def test_handlers_are_called_as_sagemaker_inference_calls_them(tmp_path: Path) -> None:
    result, answer = drive(tmp_path, HANDLERS, accept="text/plain")
    assert answer == b"30.0,70.0,110.0"
    assert result["answers"][0]["content_type"] == "text/plain"
    assert result["how"] == "inference.py (model_fn, input_fn, predict_fn, output_fn)"


def test_a_handler_that_takes_the_context_gets_it(tmp_path: Path) -> None:
    code = HANDLERS.replace("accept):", "accept, context):").replace(
        '    return ","', "    context.set_response_content_type(0, 'x/y')\n    return \",\""
    )
    result, _ = drive(tmp_path, code)
    assert result["answers"][0]["content_type"] == "x/y"


def test_transform_fn_does_all_three(tmp_path: Path) -> None:
    code = (
        "def model_fn(f): return 2\ndef transform_fn(model, data, kind, accept): return str(len(data) * model), 'a/b'\n"
    )
    result, answer = drive(tmp_path, code)
    assert (answer, result["answers"][0]["content_type"]) == (b"24", "a/b")


def test_neighbours_of_the_handlers_are_imported_by_name(tmp_path: Path) -> None:
    code = "import probe\n" + HANDLERS.replace("return 10", "return probe.FACTOR")
    _, answer = drive(tmp_path, code, {"code/probe.py": b"FACTOR = 1\n"})
    assert answer == b"3.0,7.0,11.0"


def test_a_pickled_model_needs_no_handlers(tmp_path: Path) -> None:
    model = pickle.dumps(Predictor())
    result, answer = drive(tmp_path, files={"model.pkl": model})
    assert json.loads(answer) == {"predictions": [3.0, 7.0, 11.0]}
    assert result["how"] == "pickled model model.pkl"


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "answer"),
    [
        (CSV, "text/csv", "text/csv", b"3\n7\n11\n"),
        (b"\xef\xbb\xbf1,2\n", "text/csv", "text/csv", b"3\n"),
        (b'{"instances": [[1, 2], [3, 4]]}', "application/json", "", b'{"predictions": [3.0, 7.0]}'),
        (b"[1, 2]\n[3, 4]\n", "application/jsonlines", "application/jsonlines", b"3.0\n7.0\n"),
    ],
)
def test_bodies_are_read_and_written_as_the_serve_image_does(
    tmp_path: Path, body: bytes, content_type: str, accept: str, answer: bytes
) -> None:
    files = {"model.pkl": pickle.dumps(Predictor())}
    assert drive(tmp_path, files=files, body=body, content_type=content_type, accept=accept)[1] == answer


def test_an_array_goes_in_and_comes_out(tmp_path: Path) -> None:
    stream = io.BytesIO()
    numpy.save(stream, numpy.ones((2, 3)))
    kind = "application/x-npy"
    files = {"model.pkl": pickle.dumps(Predictor())}
    _, answer = drive(tmp_path, files=files, body=stream.getvalue(), content_type=kind, accept=kind)
    assert numpy.load(io.BytesIO(answer)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_package\n", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("def model_fn(folder):\n    raise OSError('no weights')\n", "OSError: no weights"),
        ("def predict_fn(a, b): pass\n", "there is no code/inference.py, SavedModel"),
        ("def transform_fn(a, b, c, d): pass\ndef predict_fn(a, b): pass\n", "one or the other"),
    ],
)
def test_a_model_that_cannot_be_loaded_has_a_reason(tmp_path: Path, code: str, words: str) -> None:
    result, _ = drive(tmp_path, code)
    assert words in result["error"]
    assert bool(result["trace"]) == (": " in words)  # our own refusals need none
    assert result["answers"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("return [sum", "raise KeyError('x')\n    return [sum"), "KeyError: 'x'"),
        (('return ","', 'return 5\n    return ","'), "answered with int; it must be bytes or str"),
    ],
)
def test_a_prediction_that_fails_is_an_answer_with_a_reason(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    result, _ = drive(tmp_path, HANDLERS.replace(*change))
    assert words in result["answers"][0]["error"]
    assert "Traceback" in result["answers"][0]["trace"]


def test_another_program_may_be_named(tmp_path: Path) -> None:
    _, answer = drive(tmp_path, files={"code/mine.py": HANDLERS.encode()}, SAGEMAKER_PROGRAM="mine")
    assert answer == b"30.0,70.0,110.0"


def test_requirements_that_are_not_installed_are_confessed(tmp_path: Path) -> None:
    result, _ = drive(tmp_path, HANDLERS, {"code/requirements.txt": b"left-pad\n"})
    assert "requirements.txt was not installed" in result["notes"][0]


@pytest.mark.parametrize("name", ["driver.py", "probe.py"])
def test_programs_for_inside_are_python_3_6(name: str) -> None:
    tree = ast.parse((INSIDE / name).read_text(), feature_version=(3, 6))
    first = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name.split(".")[0] for node in first if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in first if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.NamedExpr) for node in ast.walk(tree))


def test_the_probe_reports_its_python(tmp_path: Path) -> None:
    command = [sys.executable, str(INSIDE / "probe.py"), str(tmp_path / "told.json")]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["Python"]["version"] == ".".join(str(part) for part in sys.version_info[:3])
    assert told["Python packages"]["numpy"] == numpy.__version__
    assert {"locale", "time", "numerics", "system"} <= set(told)
