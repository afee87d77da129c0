#!/usr/bin/env python3
"""The sample of the scikit-learn image, for a job that names no script: handwritten digits by logistic regression.

It reads CSV without a header, the label first, from the channel `train`; without one, the digits of scikit-learn. The
model's archive gets this file as its code/inference.py.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from pathlib import Path
from typing import Any

import joblib
import numpy

MODEL = "model.joblib"


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--max-iter", "--max_iter", type=int, default=200)
    parser.add_argument("--model-dir", "--model_dir", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "model")))
    options, _ = parser.parse_known_args()

    rows, labels = load(os.environ.get("SM_CHANNEL_TRAIN") or os.environ.get("SM_CHANNEL_TRAINING"))
    train_rows, test_rows, train_labels, test_labels = train_test_split(rows, labels, test_size=0.2, random_state=1)
    model = LogisticRegression(max_iter=options.max_iter).fit(train_rows, train_labels)
    print(f"accuracy={model.score(test_rows, test_labels):.4f} on {len(test_rows)} rows", flush=True)

    code = options.model_dir / "code"
    code.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, options.model_dir / MODEL)
    shutil.copy(__file__, code / "inference.py")


def load(channel: str | None) -> tuple[Any, Any]:
    files = sorted(path for path in Path(channel).rglob("*") if path.is_file()) if channel else []
    if not files:
        from sklearn.datasets import load_digits

        digits: tuple[Any, Any] = load_digits(return_X_y=True)
        return digits
    table = numpy.concatenate([numpy.loadtxt(path, delimiter=",", ndmin=2) for path in files])
    return table[:, 1:], table[:, 0]


def model_fn(model_dir: str) -> Any:
    return joblib.load(Path(model_dir) / MODEL)


def input_fn(body: Any, content_type: str) -> Any:
    """Rows, in two dimensions where it is one row, too. Other types than CSV are scikit-learn's own."""
    if content_type == "text/csv":
        return numpy.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)
    from samebox_serve import toolkit_formats

    return numpy.atleast_2d(toolkit_formats.decode(body, content_type))


if __name__ == "__main__":
    main()
