"""Loads a model as an endpoint would, and predicts from every given input.

Run as `python driver.py PLAN OUT`. The plan is a JSON file: {"inputs": [{"path", "content_type", "accept"}]}. The
predictions are written to the folder OUT, as files 0, 1, … and `result.json`, which is written last.

The handlers of `code/inference.py` are called as sagemaker-inference calls them; it need not be installed. Handlers
that are missing, or all of them where there is no such file, are those of samebox's own serve image (serve/).
"""

import importlib.util
import inspect
import io
import json
import os
import sys
import time
import traceback
from typing import Any, Callable, Dict, List, Optional, Tuple

JSON, JSON_LINES, CSV, NPY = "application/json", "application/jsonlines", "text/csv", "application/x-npy"
TYPES = (JSON, CSV, JSON_LINES, NPY)
ALIASES = {
    "application/x-jsonlines": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/csv": CSV,
    "application/npy": NPY,
}
TEXT_TYPES = (JSON, CSV)  # sagemaker-inference hands these to input_fn as text, everything else as bytes
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn")


class BadInput(Exception):
    """The model, or its format, does not take the input, or no model can be loaded. The message has the reason."""


class HandlerContext:
    """What handlers that take one argument more get; the names are multi-model-server's."""

    def __init__(self, model_dir: str, headers: Dict[str, str]) -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}
        self.request_headers = headers
        self.response_headers: Dict[str, str] = {}
        self.response_status = 200

    def get_request_header(self, index: int, name: str) -> Optional[str]:
        return self.request_headers.get(name)

    def get_all_request_header(self, index: int) -> Dict[str, str]:
        return dict(self.request_headers)

    def set_response_header(self, index: int, name: str, value: str) -> None:
        self.response_headers[name] = value

    def set_response_content_type(self, index: int, value: str) -> None:
        self.response_headers["Content-Type"] = value

    def set_response_status(self, code: int = 200, phrase: str = "", index: int = 0) -> None:
        self.response_status = code


def main(plan_path: str, out: str) -> int:
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    result: Dict[str, Any] = {"how": "", "error": "", "trace": "", "answers": [], "notes": []}
    began = time.time()
    try:
        model = LoadedModel(os.path.join(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml", "model"))
        result["how"] = model.how
        result["notes"] = model.notes
        model.load()
        result["how"] = model.how
    except BaseException as error:  # a model that calls sys.exit() is one that could not be loaded
        result["error"], result["trace"] = words(error), trace_of(error)
    else:
        result["load_seconds"] = round(time.time() - began, 3)
        for number, one in enumerate(plan["inputs"]):
            result["answers"].append(answer(model, one, os.path.join(out, str(number))))
            sys.stdout.flush()
    partial = os.path.join(out, "result.part")
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.rename(partial, os.path.join(out, "result.json"))
    return 0


def answer(model: "LoadedModel", one: Dict[str, str], target: str) -> Dict[str, Any]:
    began = time.time()
    try:
        with open(one["path"], "rb") as file:
            body = file.read()
        said, content_type, status = model.answer(body, one["content_type"], one["accept"])
        if status >= 400:
            raise BadInput("the handlers answered with status %d: %s" % (status, said[:300].decode("utf-8", "replace")))
        with open(target, "wb") as file:
            file.write(said)
    except BaseException as error:
        return {"error": words(error), "trace": trace_of(error), "seconds": round(time.time() - began, 3)}
    return {"content_type": content_type, "error": "", "seconds": round(time.time() - began, 3)}


class LoadedModel:
    """One model, and the functions around it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.notes: List[str] = []
        code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or ""
        self.code = code if code and "://" not in code else os.path.join(folder, "code")
        self.own = self._own()
        self.loaded: Any = None
        self.kind = ""  # of a model that is loaded here, and not by its own model_fn
        if os.path.isfile(os.path.join(self.code, "requirements.txt")):
            self.notes.append(
                "the model's code/requirements.txt was not installed: nothing here has a network. "
                "What it names must be in the image."
            )
        names = [name for name in HANDLERS if hasattr(self.own, name)]
        if self.own is not None and hasattr(self.own, "transform_fn"):
            if names[1:] or (names and names[0] != "model_fn"):
                raise BadInput("%s defines transform_fn and %s: one or the other" % (self.program, ", ".join(names)))
            names.append("transform_fn")
        self.how = "%s (%s)" % (self.program, ", ".join(names)) if names else ""

    @property
    def program(self) -> str:
        name = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
        return name if name.endswith(".py") else name + ".py"

    def _own(self) -> Any:
        path = os.path.join(self.code, self.program)
        if not os.path.isfile(path):
            if os.environ.get("SAGEMAKER_PROGRAM"):
                raise BadInput("SAGEMAKER_PROGRAM is %s, which is not in %s" % (self.program, self.code))
            return None
        if self.code not in sys.path:
            sys.path.insert(0, self.code)  # its neighbours are imported by name
        name = os.path.splitext(os.path.basename(path))[0]
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise BadInput("%s is not a Python file" % path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def load(self) -> None:
        context = HandlerContext(self.folder, {})
        before = getattr(self.own, "pre_model_fn", None)
        if before:
            call(before, context, self.folder)
        own = getattr(self.own, "model_fn", None)
        if own:
            self.loaded = call(own, context, self.folder)
        else:
            self.kind, self.loaded = load(self.folder)
            self.how = self.kind if not self.how else "%s; %s" % (self.how, self.kind)
        warm_up = getattr(self.own, "model_warmup_fn", None)
        if warm_up:
            call(warm_up, context, self.folder, self.loaded)

    def answer(self, body: bytes, content_type: str, accepted: str) -> Tuple[bytes, str, int]:
        """Body, content type and status, as a client of an endpoint would have them."""
        kind = content_type.partition(";")[0].strip().lower()
        data: Any = text(body, content_type) if kind in TEXT_TYPES else body
        context = HandlerContext(self.folder, {"Content-Type": content_type, "Accept": accepted})
        default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
        wanted = accepted.partition(",")[0].partition(";")[0].strip().lower() or default
        wanted = default if "*" in wanted else wanted
        transform = getattr(self.own, "transform_fn", None)
        if transform:
            result = call(transform, context, self.loaded, data, kind, wanted)
        else:
            decoded = call(self._function("input_fn", decode), context, data, kind)
            prediction = call(self._function("predict_fn", predict), context, decoded, self.loaded)
            result = call(self._function("output_fn", encode), context, prediction, wanted)
        return finished(result, wanted, context)

    def _function(self, name: str, default: Callable[..., Any]) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.own, name, None) or default
        return found


def call(function: Callable[..., Any], context: HandlerContext, *arguments: Any) -> Any:
    """With the context if it takes one argument more, as sagemaker-inference does."""
    takes = len(inspect.signature(function).parameters)
    if takes == len(arguments) + 1:
        return function(*(arguments + (context,)))
    return function(*arguments)


def finished(result: Any, wanted: str, context: HandlerContext) -> Tuple[bytes, str, int]:
    if hasattr(result, "get_data") and hasattr(result, "status_code"):  # a Flask response
        return result.get_data(), result.content_type or wanted, result.status_code
    body, content_type = result if isinstance(result, tuple) and len(result) == 2 else (result, wanted)
    content_type = context.response_headers.get("Content-Type", content_type)
    if isinstance(body, str):
        body = body.encode("utf-8")
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError("the handler answered with %s; it must be bytes or str" % type(body).__name__)
    return bytes(body), str(content_type), context.response_status


def words(error: BaseException) -> str:
    return str(error) if isinstance(error, BadInput) else "%s: %s" % (type(error).__name__, error)


def trace_of(error: BaseException) -> str:
    """The traceback; "" for our own errors, whose message is enough."""
    return "" if isinstance(error, BadInput) else traceback.format_exc()


# Models without a model_fn


def load(folder: str) -> Tuple[str, Any]:
    """What kind of model it is, and the model. Raises BadInput."""
    files = sorted(os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    saved = [os.path.dirname(path) for path in files if os.path.basename(path) == "saved_model.pb"]
    if saved:
        path = max(saved, key=lambda one: (-len(one.split("/")), int(_name(one)) if _name(one).isdigit() else -1, one))
        if any(_name(one) == "keras_metadata.pb" and os.path.dirname(one) == path for one in files):
            return "TensorFlow SavedModel (of Keras)", saved_model(path)
        return "TensorFlow SavedModel", saved_model(path)
    for path in files:
        if path.endswith((".keras", ".h5", ".hdf5")):
            return "Keras model %s" % _name(path), _keras(path)
    for path in files:
        if path.endswith((".joblib", ".pkl", ".pickle")):
            return "pickled model %s" % _name(path), _pickled(path)
    present = ", ".join(sorted(os.listdir(folder))[:10]) if os.path.isdir(folder) else ""
    raise BadInput(
        "there is no code/inference.py, SavedModel, .keras, .h5, .joblib or .pkl file in %s, which holds %s"
        % (folder, present or "nothing")
    )


def saved_model(path: str) -> Any:
    import tensorflow

    loaded = tensorflow.saved_model.load(path)
    names = list(loaded.signatures)
    if not names:
        raise BadInput("the SavedModel in %s has no signature to call" % path)
    signature = loaded.signatures["serving_default" if "serving_default" in names else names[0]]
    signature.samebox_model = loaded  # it holds only a weak reference to what it belongs to
    return signature


def _keras(path: str) -> Any:
    try:
        import keras

        return keras.models.load_model(path)
    except ImportError:
        from tensorflow import keras

        return keras.models.load_model(path)


def _pickled(path: str) -> Any:
    try:
        import joblib
    except ImportError:
        if path.endswith(".joblib"):
            raise
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)  # reads plain pickles, too


def predict(data: Any, model: Any) -> Any:
    if hasattr(model, "structured_input_signature"):
        return _call_signature(data, model)
    if hasattr(model, "predict"):
        if type(model).__module__.split(".")[0] in ("keras", "tensorflow", "tf_keras"):
            return model.predict(data, verbose=0)
        return model.predict(data)
    if callable(model):
        return model(data)
    raise BadInput("a %s has no predict; the model needs a predict_fn" % type(model).__name__)


def _call_signature(data: Any, model: Any) -> Any:
    import tensorflow

    specs = dict(model.structured_input_signature[1])
    if not isinstance(data, dict):
        if len(specs) != 1:
            raise BadInput("the model takes %d inputs, so the JSON must name them: %s" % (len(specs), ", ".join(specs)))
        data = {next(iter(specs)): data}
    elif len(specs) == 1 and len(data) == 1:
        data = {next(iter(specs)): next(iter(data.values()))}
    if set(data) != set(specs):
        raise BadInput("the model takes the inputs %s; the body names %s" % (", ".join(specs), ", ".join(data)))
    tensors = {name: tensorflow.constant(_fit(data[name], spec), dtype=spec.dtype) for name, spec in specs.items()}
    arrays = {name: tensor.numpy() for name, tensor in model(**tensors).items()}
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _fit(array: Any, spec: Any) -> Any:
    """Rows in the model's shape: a CSV row of 64 becomes 8 x 8 x 1 if the model expects that."""
    if spec.dtype.name == "string":
        return array.astype(object)
    wanted = spec.shape.as_list() if spec.shape.rank is not None else None
    shape = list(array.shape)
    if wanted is not None and not (
        len(shape) == len(wanted) and all(want in (None, have) for have, want in zip(shape, wanted))
    ):
        fixed = [size for size in wanted[1:] if size is not None]
        one_row = 1
        for size in fixed:
            one_row *= size
        rows = shape[0] if len(shape) > 1 or array.size != one_row else 1
        if len(fixed) != len(wanted) - 1 or array.size != rows * one_row:
            raise BadInput("the model takes instances of shape %s, the body has %s" % (wanted[1:], shape[1:] or shape))
        array = array.reshape([rows] + fixed)
    return array.astype(spec.dtype.as_numpy_dtype)


def _name(path: str) -> str:
    return os.path.basename(path)


# Bodies, to arrays and back


def text(body: bytes, content_type: str) -> str:
    charset = "utf-8"
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"'):
            charset = value.strip().strip('"')
    return body.decode("utf-8-sig" if charset.lower().replace("-", "") == "utf8" else charset)


def decode(body: Any, content_type: str) -> Any:
    import numpy

    kind = ALIASES.get(content_type, content_type)
    if kind == NPY:
        return numpy.load(io.BytesIO(body), allow_pickle=False)
    if kind not in TYPES:
        raise BadInput("content type %r is not read without an input_fn; one of %s" % (content_type, ", ".join(TYPES)))
    if isinstance(body, bytes):
        body = body.decode("utf-8")
    if kind == CSV:
        return numpy.loadtxt(io.StringIO(body), delimiter=",", ndmin=2, comments=None, dtype=numpy.float64)
    if kind == JSON_LINES:
        rows = [json.loads(line) for line in body.splitlines() if line.strip()]
        return _instances(
            [row["features"] if isinstance(row, dict) and list(row) == ["features"] else row for row in rows]
        )
    document = json.loads(body)
    if isinstance(document, dict):
        for key in ("instances", "inputs"):
            if key in document:
                return _instances(document[key])
        raise BadInput('the JSON object has neither "instances" nor "inputs"')
    return _instances(document)


def _instances(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _array(column) for name, column in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {name: _array([instance[name] for instance in value]) for name in value[0]}
    return _array(value)


def _array(value: Any) -> Any:
    import numpy

    first = value
    while isinstance(first, list) and first:
        first = first[0]
    return numpy.array(value, dtype=None if isinstance(first, str) else numpy.float64)


def encode(prediction: Any, accept: str) -> Tuple[bytes, str]:
    kind = ALIASES.get(accept, accept)
    if kind == NPY:
        import numpy

        stream = io.BytesIO()
        first = next(iter(prediction.values())) if isinstance(prediction, dict) else prediction
        numpy.save(stream, numpy.asarray(first), allow_pickle=False)
        return stream.getvalue(), accept
    if kind == CSV:
        return _csv(prediction), accept
    if kind == JSON_LINES:
        return "".join(json.dumps(row) + "\n" for row in _rows(prediction)).encode("utf-8"), accept
    if kind != JSON:
        raise BadInput("%r cannot be answered without an output_fn; one of %s" % (accept, ", ".join(TYPES)))
    if isinstance(prediction, str) or (isinstance(prediction, dict) and not _is_columns(prediction)):
        return json.dumps(_plain(prediction)).encode("utf-8"), accept
    return json.dumps({"predictions": _rows(prediction)}).encode("utf-8"), accept


def _csv(prediction: Any) -> bytes:
    import numpy

    if _is_columns(prediction):
        prediction = numpy.concatenate([value.reshape(len(value), -1) for value in prediction.values()], axis=1)
    array = numpy.asarray(prediction)
    table = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
    form = {"f": "%.9g" if table.dtype.itemsize <= 4 else "%.17g", "i": "%d", "u": "%d", "b": "%d"}.get(
        table.dtype.kind
    )
    if form is None:
        table, form = numpy.asarray(_plain(table), dtype=object), "%s"
    stream = io.StringIO()
    numpy.savetxt(stream, table, delimiter=",", fmt=form)
    return stream.getvalue().encode("utf-8")


def _is_columns(prediction: Any) -> bool:
    return (
        isinstance(prediction, dict)
        and bool(prediction)
        and all(getattr(value, "ndim", 0) > 0 for value in prediction.values())
    )


def _rows(prediction: Any) -> List[Any]:
    plain = _plain(prediction)
    if isinstance(plain, dict):
        columns = {name: value if isinstance(value, list) else [value] for name, value in plain.items()}
        return [dict(zip(columns, row)) for row in zip(*columns.values())]
    return plain if isinstance(plain, list) else [plain]


def _plain(value: Any) -> Any:
    """Lists, dictionaries, text and numbers; NaN and infinity, which JSON does not have, become null."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


if __name__ == "__main__":
    # Neither this file nor its neighbours may be found under a name that the model's code means otherwise.
    sys.path[:] = [one for one in sys.path if os.path.abspath(one) != os.path.dirname(os.path.abspath(__file__))]
    sys.exit(main(sys.argv[1], sys.argv[2]))
