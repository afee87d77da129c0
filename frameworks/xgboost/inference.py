"""The handlers of XGBoost models: those of a script that defines none, or of a model of the built-in algorithm.

With a script they are sagemaker-xgboost's defaults. Without one, the archive holds the file xgboost-model, and the
answer is the algorithm's: scores with commas between them, or as JSON.
"""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import xgboost

from samebox_serve import formats, toolkit_formats
from samebox_serve.errors import BadRequest, UnsupportedType
from samebox_xgboost import matrices

JSON_LINES = formats.JSON_LINES
_HAS_SCRIPT = bool(os.environ.get("SAGEMAKER_PROGRAM"))
TYPES = toolkit_formats.TYPES if _HAS_SCRIPT else (formats.CSV, formats.JSON, JSON_LINES)
ACCEPT = formats.JSON if _HAS_SCRIPT else formats.CSV  # where the client names no type


def model_fn(model_dir: str) -> Any:
    """The only file of the archive, as XGBoost or as pickle has saved it."""
    if _HAS_SCRIPT:
        raise NotImplementedError(
            "Please provide a model_fn implementation, in the script that SAGEMAKER_PROGRAM names."
        )
    files = sorted(path for path in Path(model_dir).iterdir() if path.is_file())
    if not files:
        raise FileNotFoundError(f"there is no model in {model_dir}")
    chosen = next((path for path in files if path.name == "xgboost-model"), files[0])
    if chosen.read_bytes()[:1] == b"\x80":  # pickle's first byte, in its protocol 2 and later
        with chosen.open("rb") as file:
            return pickle.load(file)
    booster = xgboost.Booster()
    booster.load_model(bytearray(chosen.read_bytes()))
    return booster


def input_fn(body: Any, content_type: str) -> xgboost.DMatrix:
    kind = content_type or formats.CSV
    text = body if isinstance(body, str) else formats.text(body)
    if not text.strip():
        raise BadRequest("the body is empty")
    try:
        if kind == formats.CSV:
            return matrices.CsvMatrix(matrices.csv(text.strip()))
        if matrices.TYPES.get(kind) == matrices.LIBSVM:
            return xgboost.DMatrix(matrices.without_labels(text.strip("\n")))
    except ValueError as error:
        raise BadRequest(f"the body is not {kind}: {error}") from None
    raise UnsupportedType(
        f"Content-type {kind} not supported. Supported content-type is {formats.CSV}, {matrices.LIBSVM}"
    )


def predict_fn(matrix: xgboost.DMatrix, model: Any) -> Any:
    if not _HAS_SCRIPT:
        wanted, given = model.num_features(), matrix.num_col()
        # LIBSVM names the features that a row has: the last ones may be in none.
        if given > wanted or (given < wanted and isinstance(matrix, matrices.CsvMatrix)):
            raise BadRequest(
                f"Feature size of inference data {given} is not consistent with feature size of trained model {wanted}."
            )
    return model.predict(matrix, validate_features=False)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    if _HAS_SCRIPT:
        return toolkit_formats.encode(prediction, accept), accept
    scores = prediction.tolist()
    if accept == formats.JSON:
        return json.dumps({"predictions": [{"score": score} for score in scores]}).encode(), accept
    if accept == JSON_LINES:
        return "".join(json.dumps({"score": score}) + "\n" for score in scores).encode(), accept
    # In a batch transform a line for each row, so that its output can be joined with its input.
    if os.environ.get("SAGEMAKER_BATCH"):
        return ("\n".join(map(str, scores)) + "\n").encode(), accept
    return ",".join(map(str, scores)).encode(), accept
