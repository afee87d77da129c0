"""The hyperparameters of the built-in algorithm: names, types and bounds as AWS documents them.

https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

INTEGERS: dict[str, tuple[int | None, int | None]] = {
    "num_round": (1, None),
    "csv_weights": (0, 1),
    "early_stopping_rounds": (1, None),
    "verbosity": (0, 3),
    "nthread": (1, None),
    "max_depth": (0, None),
    "refresh_leaf": (0, 1),
    "max_leaves": (0, None),
    "max_bin": (0, None),
    "one_drop": (0, 1),
    "num_class": (2, None),
    "seed": (None, None),
    "num_parallel_tree": (1, None),
    "deterministic_histogram": (0, 1),
}
NUMBERS: dict[str, tuple[float | None, float | None]] = {
    "eta": (0, 1),
    "gamma": (0, None),
    "min_child_weight": (0, None),
    "max_delta_step": (0, None),
    "subsample": (0, 1),
    "colsample_bytree": (0, 1),
    "colsample_bylevel": (0, 1),
    "colsample_bynode": (0, 1),
    "lambda": (0, None),
    "alpha": (0, None),
    "sketch_eps": (0, 1),
    "scale_pos_weight": (0, None),
    "rate_drop": (0, 1),
    "skip_drop": (0, 1),
    "lambda_bias": (0, 1),
    "tweedie_variance_power": (1, 2),
    "base_score": (0, None),
    "huber_slope": (0, None),
    "aft_loss_distribution_scale": (0, None),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "booster": ("gbtree", "gblinear", "dart"),
    "tree_method": ("auto", "exact", "approx", "hist", "gpu_hist"),
    "dsplit": ("row", "col"),
    "process_type": ("default", "update"),
    "grow_policy": ("depthwise", "lossguide"),
    "predictor": ("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": ("uniform", "weighted"),
    "normalize_type": ("tree", "forest"),
    "aft_loss_distribution": ("normal", "logistic", "extreme"),
    "save_model_on_termination": ("true", "false"),
    "use_dask_gpu_training": ("true", "false"),
    "single_precision_histogram": ("true", "false"),
    "objective": (
        *("binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob"),
        *("rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma"),
        *("reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft"),
        "survival:cox",
    ),
}
# Handed on as they are: XGBoost itself looks at what is in them.
TEXTS = ("updater", "eval_metric", "_tuning_objective_metric")
# XGBoost 3 has no such parameter any more.
DROPPED = ("dsplit", "predictor", "sketch_eps", "use_dask_gpu_training", "single_precision_histogram")
RENAMED = {("objective", "reg:linear"): "reg:squarederror", ("tree_method", "gpu_hist"): "hist"}
CONSTRAINTS = ("monotone_constraints", "interaction_constraints")
CROSS_VALIDATION = ("_kfold", "_num_cv_round")


class UserError(Exception):
    """What the person who made the job can mend; the message says what."""


def validated(given: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters with their types. Raises UserError, as AWS's container does before it reads data."""
    if "num_round" not in given:
        raise UserError("Missing required hyperparameter: num_round")
    found = {name: _value(name, text) for name, text in given.items() if not name.startswith("sagemaker_")}
    if str(found.get("objective", "")).startswith("multi:") and "num_class" not in found:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    return found


def _value(name: str, text: str) -> Any:
    if name in CROSS_VALIDATION:
        raise UserError(f"Hyperparameter {name}: cross-validation is not run by this image")
    if name in INTEGERS:
        return _number(name, text, int, *INTEGERS[name])
    if name in NUMBERS:
        return _number(name, text, float, *NUMBERS[name])
    if name in CHOICES:
        if text not in CHOICES[name]:
            raise UserError(f"Hyperparameter {name}: value {text} is not one of {', '.join(CHOICES[name])}")
        return RENAMED.get((name, text), text)
    if name in CONSTRAINTS:
        return _constraints(name, text)
    if name in TEXTS:
        return text
    raise UserError(f"Extraneous hyperparameter found: {name}")


def _number(name: str, text: str, kind: type[int | float], low: float | None, high: float | None) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not abs(value) < math.inf:
        what = "an integer" if kind is int else "a number"
        raise UserError(f"Hyperparameter {name}: could not parse value: {text} is not {what}")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = " and ".join(
            f"{word} {bound}" for word, bound in (("at least", low), ("at most", high)) if bound is not None
        )
        raise UserError(f"Hyperparameter {name}: value {text} is out of range: it must be {bounds}")
    return value


def parameters(found: Mapping[str, Any]) -> dict[str, Any]:
    """What XGBoost's own `train` takes of them."""
    ours = {"num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "eval_metric", *DROPPED}
    return {name: value for name, value in found.items() if name not in ours and not name.startswith("_")}


def _constraints(name: str, text: str) -> list[Any]:
    """Of features, as (1,-1) or [[0,1],[2]]."""
    try:
        found = json.loads(text.replace("(", "[").replace(")", "]"))
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise UserError(f"Hyperparameter {name}: could not parse value: {text} is not a list")
    return found
