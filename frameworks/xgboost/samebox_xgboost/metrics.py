"""Metrics of the built-in algorithm that XGBoost itself has not: of scikit-learn, over rounded predictions.

https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy
from sklearn import metrics as of_sklearn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _classes(predictions: Any) -> Any:
    """One class for each row: the likeliest of several, or the nearer of two."""
    return predictions.argmax(axis=1) if predictions.ndim > 1 else numpy.rint(predictions)


def _of_classes(function: Callable[..., float], **options: Any) -> Callable[[Any, Any], float]:
    return lambda labels, predictions: float(function(labels, _classes(predictions), **options))


OWN: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": _of_classes(of_sklearn.accuracy_score),
    "balanced_accuracy": _of_classes(of_sklearn.balanced_accuracy_score),
    "f1": _of_classes(of_sklearn.f1_score, average="macro"),
    "f1_binary": _of_classes(of_sklearn.f1_score, average="binary"),
    "f1_macro": _of_classes(of_sklearn.f1_score, average="macro"),
    "precision": _of_classes(of_sklearn.precision_score, zero_division=0),
    "precision_macro": _of_classes(of_sklearn.precision_score, average="macro", zero_division=0),
    "precision_micro": _of_classes(of_sklearn.precision_score, average="micro", zero_division=0),
    "recall": _of_classes(of_sklearn.recall_score, zero_division=0),
    "recall_macro": _of_classes(of_sklearn.recall_score, average="macro", zero_division=0),
    "recall_micro": _of_classes(of_sklearn.recall_score, average="micro", zero_division=0),
    "mse": lambda labels, predictions: float(of_sklearn.mean_squared_error(labels, predictions)),
    "r2": lambda labels, predictions: float(of_sklearn.r2_score(labels, predictions)),
}
# Larger is better: what early stopping must know of ours.
SMALLER_IS_BETTER = ("mse",)


def split(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those that XGBoost has, and those that are here."""
    wanted = list(dict.fromkeys(names))
    return [name for name in wanted if name not in OWN], [name for name in wanted if name in OWN]


def custom(names: list[str]) -> Callable[[Any, Any], list[tuple[str, float]]] | None:
    """What `xgboost.train` takes as custom_metric for these; None for none."""
    return partial(_evaluated, names) if names else None


def _evaluated(names: list[str], predictions: Any, data: Any) -> list[tuple[str, float]]:
    labels = data.get_label()
    return [(name, OWN[name](labels, predictions)) for name in names]
