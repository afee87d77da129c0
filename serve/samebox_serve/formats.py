"""CSV, JSON, JSON Lines and npy to numpy arrays and back: the formats of a model without handlers of its own."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy

from samebox_serve.errors import BadRequest, UnsupportedType

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"

ALIASES = {
    "application/x-jsonlines": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/csv": CSV,
    "application/npy": NPY,
}
TYPES = (JSON, CSV, JSON_LINES, NPY)
# What sagemaker-inference hands to input_fn as text; everything else is bytes.
TEXT_TYPES = (JSON, CSV)


def media_type(header: str | None) -> str:
    """`text/CSV; charset=utf-8` -> `text/csv`."""
    return (header or "").partition(";")[0].strip().lower()


def charset(header: str | None) -> str:
    for parameter in (header or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"') or "utf-8"
    return "utf-8"


def text(body: bytes, header: str | None = None) -> str:
    """Raises BadRequest where the bytes are not in the charset of the Content-Type."""
    encoding = charset(header)
    try:
        # A byte order mark is what spreadsheets write; no number begins with it.
        return body.decode("utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding)
    except LookupError:
        raise UnsupportedType(f"unknown charset {encoding!r} in Content-Type") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not {encoding}: {error}") from None


def decode(body: bytes | str, content_type: str) -> Any:
    """An array, or a dictionary of arrays where the JSON names its inputs. Raises BadRequest or UnsupportedType."""
    kind = ALIASES.get(media_type(content_type), media_type(content_type))
    decoder = DECODERS.get(kind)
    if decoder is None:
        what = f"Content-Type {kind!r} is" if kind else "a request without Content-Type is"
        raise UnsupportedType(f"{what} not supported; send one of {', '.join(TYPES)}", supported=list(TYPES))
    if not body:
        raise BadRequest("the body is empty")
    if decoder is not _npy and isinstance(body, bytes):
        body = text(body, content_type)
    return decoder(body)


def encode(prediction: Any, accept: str) -> bytes:
    """The answer's body. `accept` is one of TYPES."""
    return ENCODERS[ALIASES.get(accept, accept)](prediction)


def _csv(body: str) -> Any:
    try:
        return numpy.loadtxt(io.StringIO(body), delimiter=",", ndmin=2, comments=None, dtype=numpy.float64)
    except ValueError as error:
        raise BadRequest(f"the body is not CSV of numbers without a header: {error}") from None


def _json(body: str) -> Any:
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if isinstance(document, dict):
        for key in ("instances", "inputs"):
            if key in document:
                return _instances(document[key], key)
        raise BadRequest(
            'the JSON object has neither "instances" nor "inputs"; a bare list of instances will do as well'
        )
    return _instances(document, "the list")


def _json_lines(body: str) -> Any:
    rows = []
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line, parse_constant=_refuse_constant)
            except (ValueError, RecursionError) as error:
                raise BadRequest(f"line {number} is not JSON: {error}") from None
            rows.append(row["features"] if isinstance(row, dict) and list(row) == ["features"] else row)
    if not rows:
        raise BadRequest("the body has no line that is not blank")
    return _instances(rows, "the lines")


def _npy(body: bytes) -> Any:
    try:
        # Pickles run code. A client of an endpoint must not.
        return numpy.load(io.BytesIO(body), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        raise BadRequest(f"the body is not an npy array of numbers: {error}") from None


def _instances(value: Any, where: str) -> Any:
    """Rows as an array; rows that are objects, or an object of columns, as one array per name."""
    if isinstance(value, dict):
        return {name: _array(column, f"{where}.{name}") for name, column in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        names = list(value[0])
        for row, instance in enumerate(value):
            if not isinstance(instance, dict) or set(instance) != set(names):
                raise BadRequest(f"instance {row} in {where} has not the same names as the first: {', '.join(names)}")
        return {name: _array([instance[name] for instance in value], f"{where}.{name}") for name in names}
    return _array(value, where)


def _array(value: Any, where: str) -> Any:
    try:
        array = numpy.array(value, dtype=None if _is_text(value) else numpy.float64)
    except (ValueError, TypeError) as error:
        raise BadRequest(f"{where} is not an array of numbers with rows of one length: {error}") from None
    if array.ndim == 0 or array.size == 0:
        raise BadRequest(f"{where} is not a list of instances" if array.ndim == 0 else f"{where} is empty")
    return array


def _is_text(value: Any) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, str)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _plain(prediction: Any) -> Any:
    """Lists, dictionaries, strings and numbers; what has no JSON form (NaN, infinity) becomes null."""
    if isinstance(prediction, dict):
        return {str(name): _plain(value) for name, value in prediction.items()}
    if isinstance(prediction, (list, tuple)):
        return [_plain(value) for value in prediction]
    if hasattr(prediction, "numpy"):
        prediction = prediction.numpy()
    if isinstance(prediction, numpy.ndarray):
        if prediction.dtype.kind == "f" and not numpy.isfinite(prediction).all():
            finite = numpy.isfinite(prediction)
            prediction = prediction.astype(object)
            prediction[~finite] = None
        prediction = prediction.tolist()
        return _decoded(prediction)
    if isinstance(prediction, numpy.generic):
        return _plain(numpy.asarray(prediction))
    if isinstance(prediction, float) and not numpy.isfinite(prediction):
        return None
    return _decoded(prediction)


def _decoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list) and value and isinstance(value[0], (bytes, list)):
        return [_decoded(item) for item in value]
    return value


def _rows(prediction: Any) -> list[Any]:
    """One entry per instance."""
    plain = _plain(prediction)
    if isinstance(plain, dict):
        columns = {name: value if isinstance(value, list) else [value] for name, value in plain.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=False)]
    return plain if isinstance(plain, list) else [plain]


def _to_json(prediction: Any) -> bytes:
    if isinstance(prediction, (dict, str)) and not _is_columns(prediction):
        return json.dumps(_plain(prediction)).encode()
    # The form of TensorFlow Serving, which SageMaker's TensorFlow containers answer with.
    return json.dumps({"predictions": _rows(prediction)}).encode()


def _is_columns(prediction: Any) -> bool:
    return (
        isinstance(prediction, dict)
        and bool(prediction)
        and all(isinstance(value, numpy.ndarray) and value.ndim > 0 for value in prediction.values())
    )


def _to_json_lines(prediction: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in _rows(prediction)).encode()


def _to_csv(prediction: Any) -> bytes:
    if _is_columns(prediction):
        prediction = numpy.concatenate([value.reshape(len(value), -1) for value in prediction.values()], axis=1)
    array = numpy.asarray(prediction)
    table = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
    stream = io.StringIO()
    # The shortest forms that are read back as the same number.
    form = {"f": "%.9g" if table.dtype.itemsize <= 4 else "%.17g", "i": "%d", "u": "%d", "b": "%d"}.get(
        table.dtype.kind
    )
    if form is None:
        table, form = numpy.asarray(_plain(table), dtype=object), "%s"
    numpy.savetxt(stream, table, delimiter=",", fmt=form)
    return stream.getvalue().encode()


def _to_npy(prediction: Any) -> bytes:
    array = numpy.asarray(prediction if not isinstance(prediction, dict) else next(iter(prediction.values())))
    stream = io.BytesIO()
    numpy.save(stream, array, allow_pickle=False)
    return stream.getvalue()


DECODERS: dict[str, Callable[[Any], Any]] = {JSON: _json, JSON_LINES: _json_lines, CSV: _csv, NPY: _npy}
ENCODERS: dict[str, Callable[[Any], bytes]] = {
    JSON: _to_json,
    JSON_LINES: _to_json_lines,
    CSV: _to_csv,
    NPY: _to_npy,
}
