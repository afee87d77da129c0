"""The handlers for a TensorFlow SavedModel; used where the model has no inference.py, or one without some of these.

A model's own code/inference.py may define any of model_fn, input_fn, predict_fn, output_fn (or transform_fn instead of
the last three), as sagemaker-inference describes them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy

from samebox_serve import formats
from samebox_serve.errors import BadRequest


class NoModel(Exception):
    """There is nothing in the model folder that these handlers can load."""


def find_saved_model(model_dir: Path) -> Path:
    """The SavedModel of the highest version: <model_dir>/1, export/Servo/2, or the folder itself. Raises NoModel."""
    if not model_dir.is_dir():
        raise NoModel(f"{model_dir} does not exist: was the endpoint's model created without model data?")
    found = [Path(folder) for folder, _, names in os.walk(model_dir) if "saved_model.pb" in names]
    if not found:
        present = ", ".join(sorted(path.name for path in model_dir.iterdir())[:10]) or "nothing"
        raise NoModel(
            f"there is no TensorFlow SavedModel (saved_model.pb) under {model_dir}, which holds {present}; "
            "another kind of model needs a code/inference.py with model_fn in its archive"
        )
    return max(found, key=lambda path: (-len(path.parts), int(path.name) if path.name.isdigit() else -1, str(path)))


def model_fn(model_dir: str) -> Any:
    """A function of named tensors: the signature `serving_default`, else the only one there is."""
    import tensorflow

    path = find_saved_model(Path(model_dir))
    loaded = tensorflow.saved_model.load(str(path))
    names = list(loaded.signatures)
    if not names:
        raise NoModel(f"the SavedModel in {path} has no signature to call")
    signature = loaded.signatures["serving_default" if "serving_default" in names else names[0]]
    # The signature holds only a weak reference to what it belongs to.
    signature.samebox_model = loaded
    return signature


def model_warmup_fn(_model_dir: str, model: Any) -> None:
    """Calls the model once, so that the first client does not wait for TensorFlow to set up its kernels."""
    inputs = {
        name: numpy.full([size or 1 for size in spec.shape.as_list()], *_blank(spec))
        for name, spec in _inputs(model).items()
        if spec.shape.rank is not None
    }
    if len(inputs) == len(_inputs(model)):
        predict_fn(inputs, model)


def input_fn(body: Any, content_type: str) -> Any:
    return formats.decode(body, content_type)


def predict_fn(data: Any, model: Any) -> Any:
    """The model's only output as an array, or all of them by name."""
    import tensorflow

    specs = _inputs(model)
    if not isinstance(data, dict):
        if len(specs) != 1:
            raise BadRequest(f"the model takes {len(specs)} inputs, so the JSON must name them: {', '.join(specs)}")
        data = {next(iter(specs)): data}
    elif len(specs) == 1 and len(data) == 1:
        data = {next(iter(specs)): next(iter(data.values()))}
    if set(data) != set(specs):
        raise BadRequest(f"the model takes the inputs {', '.join(specs)}; the body names {', '.join(data)}")
    tensors = {
        name: tensorflow.constant(_fit(data[name], spec, name), dtype=spec.dtype) for name, spec in specs.items()
    }
    try:
        outputs = model(**tensors)
    except tensorflow.errors.InvalidArgumentError as error:
        raise BadRequest(f"the model does not take this input: {error.message}") from None
    arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    return formats.encode(prediction, accept), accept


def _inputs(model: Any) -> dict[str, Any]:
    return dict(model.structured_input_signature[1])


def _blank(spec: Any) -> tuple[Any, Any]:
    """A value and the numpy type to fill an array of this kind with."""
    return (b"", object) if spec.dtype.name == "string" else (0, spec.dtype.as_numpy_dtype)


def _fit(array: Any, spec: Any, name: str) -> Any:
    """Bring rows into the model's shape: a CSV row of 64 becomes 8 x 8 x 1 where the model wants that.

    Raises BadRequest.
    """
    if array.dtype.kind in "US" or spec.dtype.name == "string":
        if spec.dtype.name != "string":
            raise BadRequest(f"the model takes numbers ({spec.dtype.name}) in {name}, not text")
        return array.astype(object)
    wanted = spec.shape.as_list() if spec.shape.rank is not None else None
    if wanted is not None and not _matches(list(array.shape), wanted):
        fixed = [size for size in wanted[1:] if size is not None]
        one_row = int(numpy.prod(fixed)) if len(fixed) == len(wanted) - 1 else None
        rows = array.shape[0] if array.ndim > 1 else 1 if array.size == one_row else array.shape[0]
        if one_row is None or array.size != rows * one_row:
            raise BadRequest(
                f"the model takes instances of shape {wanted[1:]} in {name}, the body has "
                f"{list(array.shape[1:]) if array.ndim > 1 else list(array.shape)}"
            )
        array = array.reshape([rows, *fixed])
    return array.astype(spec.dtype.as_numpy_dtype)


def _matches(shape: list[int], wanted: list[int | None]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, have) for have, want in zip(shape, wanted, strict=True))
