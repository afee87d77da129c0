"""What `samebox images` finds in scripts, notebooks and URIs, and how it says what is missing."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from samebox.commands import images, script_images
from samebox.services import image_aliases

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311"
SCRIPT = f"""
from sagemaker import image_uris
from sagemaker.tensorflow import TensorFlow

tensorflow = TensorFlow("train.py", framework_version="2.11")
xgboost = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
spark = image_uris.retrieve(region="us-east-1", framework="spark")
processor = sagemaker.sklearn.SKLearnProcessor()
forest = image_uris.retrieve("randomcutforest", "us-east-1")
image = "{PYTORCH}"
"""


def found(path: Path) -> list[tuple[str, str | None]]:
    uses = script_images.of_script(path, image_aliases.read())
    return [(use.what, use.alias.image if use.alias else None) for use in uses]


def test_a_script_needs_what_its_classes_its_calls_and_its_texts_name(tmp_path: Path) -> None:
    path = tmp_path / "fit.py"
    path.write_text(SCRIPT)
    assert found(path) == [
        ("fit.py:5: TensorFlow", "samebox/train:cpu"),
        ("fit.py:5: TensorFlow", "samebox/serve:cpu"),
        ('fit.py:6: retrieve("xgboost")', "samebox/xgboost:cpu"),
        ('fit.py:7: retrieve("spark")', "samebox/spark:cpu"),
        ("fit.py:8: SKLearnProcessor", "samebox/sklearn:cpu"),
        ('fit.py:9: retrieve("randomcutforest")', None),
        (f"fit.py:10: {PYTORCH}", None),
    ]


def test_the_cells_of_a_notebook_are_read(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["SKLearn("]},
        {"cell_type": "code", "source": ["!pip install sagemaker\n", "%matplotlib inline\n", "XGBoost('a.py')"]},
    ]
    path = tmp_path / "fit.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert found(path) == [("fit.ipynb:3: XGBoost", "samebox/xgboost:cpu")]


def test_what_is_not_python_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.py"
    path.write_text("a =\n")
    with pytest.raises(ValueError, match="line 1 is not Python"):
        script_images.of_script(path, image_aliases.read())


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The exit status of the command and what it prints, where the engine holds one stand-in."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(images, "_held", lambda names: frozenset({"samebox/sklearn:cpu"}))

    def run(*asked: str, as_json: bool = False) -> tuple[int, str]:
        status = images.run(argparse.Namespace(asked=list(asked), json=as_json, data_dir=tmp_path))
        return status, capsys.readouterr().out

    return run


def test_the_whole_table_is_shown_with_the_commands_for_what_is_missing(shown: Any) -> None:
    status, text = shown()
    assert status == 0
    assert "{frameworks}/sagemaker-scikit-learn:*" in text
    assert "  docker buildx bake xgboost\n" in text
    assert "docker buildx bake sklearn" not in text


def test_the_exit_status_is_1_when_something_that_is_needed_is_not_there(shown: Any) -> None:
    assert shown(SKLEARN)[0] == 0
    assert shown(SKLEARN, "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1")[0] == 1
    status, text = shown(PYTORCH)
    assert status == 1
    assert images.NO_STAND_IN in text


def test_as_json_each_has_its_stand_in_and_its_command(shown: Any) -> None:
    _, text = shown(SKLEARN, PYTORCH, as_json=True)
    assert json.loads(text) == [
        {"asked": SKLEARN, "image": "samebox/sklearn:cpu", "here": True, "build": "docker buildx bake sklearn"},
        {"asked": PYTORCH, "image": None, "here": None, "build": None},
    ]
