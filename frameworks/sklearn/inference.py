"""The handlers of scikit-learn models that define none of their own, as those of sagemaker-scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy

from samebox_serve import toolkit_formats
from samebox_serve.formats import TEXT_TYPES

TYPES = toolkit_formats.TYPES


def model_fn(_model_dir: str) -> Any:
    # As on AWS: how a model was saved is known to its author alone.
    raise NotImplementedError("Please provide a model_fn implementation, in the script that SAGEMAKER_PROGRAM names.")


def input_fn(body: Any, content_type: str) -> Any:
    array = toolkit_formats.decode(body, content_type)
    return array.astype(numpy.float32) if content_type in TEXT_TYPES else array


def predict_fn(data: Any, model: Any) -> Any:
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    return toolkit_formats.encode(prediction, accept), accept
