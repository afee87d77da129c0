"""CSV and LIBSVM as XGBoost's matrices: the channels of the built-in algorithm, and the bodies of requests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy
import pandas
import xgboost
from scipy.sparse import csr_matrix, vstack

from samebox_xgboost.hyperparameters import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CSV, LIBSVM = "text/csv", "text/libsvm"
# AWS's names of each type; a channel without one is LIBSVM.
TYPES = {"csv": CSV, CSV: CSV, "libsvm": LIBSVM, LIBSVM: LIBSVM, "text/x-libsvm": LIBSVM, "": LIBSVM}


def content_type(given: str | None) -> str:
    """The type of a channel. Raises UserError."""
    name, _, rest = (given or "").lower().partition(";")
    options = dict(part.strip().partition("=")[::2] for part in rest.split(";") if part.strip())
    found = TYPES.get(name.strip())
    if found is None:
        raise UserError(f"{given} is not an accepted ContentType: {', '.join(filter(None, TYPES))}.")
    if options.get("label_size", "1") != "1":
        raise UserError(f"{given} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1")
    return found


def of_channel(folder: Path, kind: str, has_weights: bool = False) -> xgboost.DMatrix | None:
    """The matrix of a channel's files; None where it has none. Raises UserError, which names the file."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith((".", "_"))]
    if not files:
        return None
    if kind == CSV:
        tables = [_read(path, csv) for path in files]
        for path, one in zip(files, tables, strict=True):
            if one.shape[1] != (width := tables[0].shape[1]):
                raise UserError(f"{path.name} has {one.shape[1]} columns, and {files[0].name} has {width}")
        table = numpy.concatenate(tables)
        first = 2 if has_weights else 1
        if table.shape[1] <= first:
            raise UserError(f"{files[0].name} has {table.shape[1]} columns: no feature is among them")
        weights = table[:, 1] if has_weights else None
        return xgboost.DMatrix(table[:, first:], label=table[:, 0], weight=weights)
    parts = [_read(path, libsvm) for path in files]
    width = max(rows.shape[1] for rows, _, _ in parts)
    rows = vstack([_widened(rows, width) for rows, _, _ in parts], format="csr")
    labels = numpy.concatenate([labels for _, labels, _ in parts])
    weights = numpy.concatenate([weights for _, _, weights in parts])
    return xgboost.DMatrix(rows, label=labels, weight=weights)


class CsvMatrix(xgboost.DMatrix):  # type: ignore[misc]
    """A matrix in which each row has a place for every feature."""


def csv(text: str) -> Any:
    """A table of numbers without a header, separated by commas, tabs or semicolons; an empty cell is missing."""
    separator = next((one for one in ",\t;| " if one in text.partition("\n")[0]), ",")
    return pandas.read_csv(io.StringIO(text), header=None, sep=separator, dtype=numpy.float32).to_numpy()


def libsvm(text: str) -> tuple[csr_matrix, Any, Any]:
    """Rows, labels and weights of lines `label[:weight] index:value …`."""
    return _libsvm([line.split() for line in text.splitlines() if line.strip()])


def without_labels(text: str) -> csr_matrix:
    """The rows of a request, whose lines may begin with a label."""
    lines = [line.split() for line in text.splitlines()]
    return _libsvm([words if words and ":" not in words[0] else ["0", *words] for words in lines])[0]


def _libsvm(lines: Iterable[list[str]]) -> tuple[csr_matrix, Any, Any]:
    values: list[float] = []
    columns: list[int] = []
    ends, labels, weights = [0], [], []
    for words in lines:
        label, _, weight = words[0].partition(":")
        labels.append(float(label))
        weights.append(float(weight or 1))
        for word in words[1:]:
            column, _, value = word.partition(":")
            columns.append(int(column))
            values.append(float(value))
        ends.append(len(columns))
    width = max(columns, default=-1) + 1
    rows = csr_matrix((values, columns, ends), shape=(len(labels), width), dtype=numpy.float32)
    return rows, numpy.array(labels), numpy.array(weights)


def _widened(rows: csr_matrix, width: int) -> csr_matrix:
    rows.resize((rows.shape[0], width))
    return rows


def _read(path: Path, parse: Any) -> Any:
    try:
        return parse(path.read_text())
    except (ValueError, UnicodeDecodeError) as error:
        kind = "CSV" if parse is csv else "LIBSVM"
        raise UserError(f"{path.name} is not in {kind} format: {error}") from None
