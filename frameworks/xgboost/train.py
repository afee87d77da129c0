#!/usr/bin/env python3
"""The built-in algorithm XGBoost: what the image trains where a job names no script.

It reads the channels `train` and `validation`, CSV or LIBSVM, prints each round's metrics as AWS's container does, and
saves the file xgboost-model.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import xgboost

from samebox_xgboost import matrices, metrics
from samebox_xgboost.hyperparameters import DROPPED, UserError, parameters, validated

BASE = Path("/opt/ml")
MODEL = "xgboost-model"


class Printer(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Prints a line for each round, in which a tab is #011, as it is in AWS's logs."""

    def after_iteration(self, _model: Any, epoch: int, evals_log: Any) -> bool:
        values = [
            f"{name}-{metric}:{history[-1]:.5f}" for name, of in evals_log.items() for metric, history in of.items()
        ]
        print("#011".join([f"[{epoch}]", *values]), flush=True)
        return False


class Keeper(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Keeps the model of the last round that has ended, for a job that is stopped (save_model_on_termination)."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._kept = Path(tempfile.mkdtemp()) / f"{MODEL}.ubj"

    def after_iteration(self, model: Any, _epoch: int, _evals_log: Any) -> bool:
        written = self._kept.with_name("written.ubj")
        model.save_model(written)
        written.replace(self._kept)
        return False

    def end(self, *_: object) -> NoReturn:
        """For SIGTERM: the model goes where it is uploaded from, and the program ends."""
        if self._kept.exists():
            shutil.copyfile(self._kept, self._folder / MODEL)
        sys.exit(0)


def main() -> None:
    found = validated(json.loads((BASE / "input/config/hyperparameters.json").read_text()))
    for name in sorted(found.keys() & set(DROPPED)):
        print(f"the hyperparameter {name} has no effect on XGBoost {xgboost.__version__}", flush=True)
    channels = json.loads((BASE / "input/config/inputdataconfig.json").read_text())
    resources = json.loads((BASE / "input/config/resourceconfig.json").read_text())
    if len(resources["hosts"]) > 1:
        raise UserError("this image trains the built-in algorithm on one host only")
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    read = {name: matrix_of(name, channels, found) for name in ("train", "validation") if name in channels}
    for name, matrix in read.items():
        print(f"{name.capitalize()} matrix has {matrix.num_row()} rows", flush=True)
    folder = Path(os.environ.get("SM_MODEL_DIR", BASE / "model"))
    callbacks: list[Any] = [Printer()]
    # A stop ends the job without a model, unless the job wants it: so it is on AWS.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if found.get("save_model_on_termination") == "true":
        callbacks.append(keeper := Keeper(folder))
        signal.signal(signal.SIGTERM, keeper.end)
    model = trained(found, read, callbacks)
    model.save_model(folder / f"{MODEL}.ubj")
    (folder / f"{MODEL}.ubj").rename(folder / MODEL)


def matrix_of(name: str, channels: Any, found: dict[str, Any]) -> xgboost.DMatrix:
    """The matrix of a channel. Raises UserError."""
    if channels[name].get("TrainingInputMode", "File") == "Pipe":
        raise UserError(f"channel {name}: this image reads no pipes")
    kind = matrices.content_type(channels[name].get("ContentType"))
    has_weights = name == "train" and bool(found.get("csv_weights"))
    matrix = matrices.of_channel(BASE / "input/data" / name, kind, has_weights)
    if matrix is None:
        raise UserError(f"No data in {'training' if name == 'train' else name} channel path {BASE}/input/data/{name}")
    return matrix


def trained(found: dict[str, Any], read: dict[str, xgboost.DMatrix], callbacks: list[Any]) -> xgboost.Booster:
    """Raises UserError for what XGBoost refuses."""
    tuned = str(found.get("_tuning_objective_metric", "")).partition(":")[2]
    wanted = [one.strip() for one in str(found.get("eval_metric", "")).split(",")]
    theirs, ours = metrics.split(name for name in (*wanted, tuned) if name)
    settings = {**parameters(found), **({"eval_metric": theirs} if theirs else {})}
    if rounds := found.get("early_stopping_rounds"):
        # XGBoost watches the last metric, and knows only of its own whether more of it is better.
        maximize = ours[-1] not in metrics.SMALLER_IS_BETTER if ours else None
        callbacks.append(xgboost.callback.EarlyStopping(rounds, maximize=maximize))
    try:
        return xgboost.train(
            settings,
            read["train"],
            num_boost_round=found["num_round"],
            evals=[(matrix, name) for name, matrix in read.items()],
            custom_metric=metrics.custom(ours),
            callbacks=callbacks,
            verbose_eval=False,
        )
    except (ValueError, xgboost.core.XGBoostError) as error:
        raise UserError(f"XGB train call failed with exception:\n {error}") from error


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        (BASE / "output/failure").write_text(f"Customer Error: {error}")
        print(f"Customer Error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
