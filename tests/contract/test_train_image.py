"""Our train image keeps the contract, and what it trains is a model that can be served."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.contract import kit

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.testing import TrainRun

IMAGE = "samebox/train:cpu"

pytestmark = pytest.mark.docker


@pytest.fixture(scope="session")
def samebox_image() -> str:
    return IMAGE


def digits(path: Path, count: int) -> None:
    """Rows as train.py reads them: a label, and 64 grey values that have to do with it."""
    path.parent.mkdir(parents=True)
    chance = random.Random(0)
    rows = []
    for number in range(count):
        label = number % 10
        bright = {(label * 6 + step) % 64 for step in range(12)}
        grey = [chance.randint(10, 16) if pixel in bright else chance.randint(0, 4) for pixel in range(64)]
        rows.append(",".join(map(str, (label, *grey))))
    path.write_text("\n".join(rows) + "\n")


def test_the_train_image_passes_every_check(tmp_path: Path) -> None:
    digits(tmp_path / "data" / "train" / "digits.csv", 400)
    digits(tmp_path / "data" / "test" / "digits.csv", 50)

    found = kit.check(
        IMAGE,
        tmp_path,
        "--samebox-claims=train",
        f"--samebox-data={tmp_path / 'data'}",
        "--samebox-hyperparameter=epochs=16",
        *kit.dockerfile("train", tmp_path),
    )

    assert found.failed == {}
    assert {name for name in found.skipped if not name.startswith("artifact-")} == set(), found.skipped
    assert found.passed > 40


def test_real_digits_become_a_saved_model(train_run: TrainRun, tmp_path: Path) -> None:
    run = train_run(hyperparameters={"epochs": "3"})  # without a channel: those that ship with scikit-learn

    assert run.exit_code == 0, run.outcome
    assert run.failure is None
    assert {"1/saved_model.pb", "1/variables/variables.index"} <= set(run.model_files)
    assert [line for line in run.log if "val_accuracy=" in line], run.log
    assert (run.extract(tmp_path / "model") / "1" / "saved_model.pb").read_bytes() == run.read("1/saved_model.pb")


def test_an_unknown_hyperparameter_is_reported_as_the_reason(train_run: TrainRun) -> None:
    run = train_run(hyperparameters={"epochs": "many"})

    assert run.exit_code == 2
    assert run.failure is not None
    assert "--epochs" in run.failure
    assert run.model_files == ()
