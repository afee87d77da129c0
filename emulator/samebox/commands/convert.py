"""`samebox convert`: data as RecordIO-protobuf, from CSV or JSON Lines, and back to JSON Lines."""

import argparse
import base64
import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from samebox.commands.outcome import Stop
from samebox.data import record_protobuf
from samebox.data.record_protobuf import BadRecord, Blobs, DataRecord, Tensor
from samebox.data.recordio import RecordError

_RECORDIO, _LINES, _CSV = (".recordio", ".pbr", ".rec"), (".jsonl", ".json"), (".csv",)
_READ = 1 << 20


def run(given: argparse.Namespace) -> int:
    read, write = _reader(given.source, given.no_label), _writer(given.target)
    count = 0

    def counted(records: Iterable[DataRecord]) -> Iterator[DataRecord]:
        nonlocal count
        for count, record in enumerate(records, 1):  # noqa: B007 - it is what is reported
            yield record

    part = given.target.with_name(f"{given.target.name}.part")
    try:
        with part.open("wb") as file:
            for chunk in write(counted(read())):
                file.write(chunk)
        part.replace(given.target)
    except (BadRecord, RecordError, ValueError) as error:
        raise Stop(f"{given.source}, record {count + 1}: {error}", status=2) from None
    except OSError as error:
        raise Stop(f"{error.filename}: {error.strerror}", status=2) from None
    finally:
        part.unlink(missing_ok=True)
    sys.stdout.write(f"{count} records in {given.target}\n")
    return 0


def _reader(source: Path, no_label: bool) -> Callable[[], Iterator[DataRecord]]:
    suffix = source.suffix.lower()
    if suffix in _RECORDIO:
        return lambda: record_protobuf.read(_chunks(source))
    if suffix in _LINES:
        return lambda: map(_of_json, _json_lines(source))
    if suffix in _CSV:
        return lambda: _of_csv(source, no_label)
    raise Stop(f"{source}: expected a name that ends with {', '.join((*_RECORDIO, *_LINES, *_CSV))}.", status=2)


def _writer(target: Path) -> Callable[[Iterator[DataRecord]], Iterator[bytes]]:
    suffix = target.suffix.lower()
    if suffix in _RECORDIO:
        return record_protobuf.write
    if suffix in _LINES:
        return lambda records: (f"{json.dumps(_as_json(record))}\n".encode() for record in records)
    raise Stop(f"{target}: expected a name that ends with {', '.join((*_RECORDIO, *_LINES))}.", status=2)


def _chunks(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while chunk := file.read(_READ):
            yield chunk


def _json_lines(source: Path) -> Iterator[Mapping[str, Any]]:
    with source.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _of_csv(source: Path, no_label: bool) -> Iterator[DataRecord]:
    """Rows of numbers, the label first, as SageMaker's algorithms have it in CSV."""
    with source.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            numbers = [float(cell) for cell in row]
            if not numbers:
                continue
            label = {} if no_label else {"values": Tensor("float32", numbers[:1])}
            yield DataRecord({"values": Tensor("float32", numbers[0 if no_label else 1 :])}, label)


def _as_json(record: DataRecord) -> dict[str, Any]:
    def value(one: Tensor | Blobs) -> dict[str, Any]:
        if isinstance(one, Blobs):
            encoded = [base64.b64encode(blob).decode() for blob in one.values]
            return {
                "type": "bytes",
                "values": encoded,
                **({"content_type": one.content_type} if one.content_type else {}),
            }
        sparse = {name: list(numbers) for name, numbers in (("keys", one.keys), ("shape", one.shape)) if numbers}
        return {"type": one.type, "values": list(one.values), **sparse}

    values = {"features": record.features, "label": record.label}
    texts = {name: getattr(record, name) for name in ("uid", "metadata", "configuration")}
    return {
        **{name: {key: value(one) for key, one in found.items()} for name, found in values.items() if found},
        **{name: text for name, text in texts.items() if text is not None},
    }


def _of_json(line: Mapping[str, Any]) -> DataRecord:
    def value(one: Any) -> Tensor | Blobs:
        if one.get("type") == "bytes":
            return Blobs([base64.b64decode(blob) for blob in one["values"]], one.get("content_type"))
        if one.get("type") not in ("float32", "float64", "int32"):
            raise ValueError(f"type {one.get('type')}: expected float32, float64, int32 or bytes")
        return Tensor(one["type"], one["values"], one.get("keys", ()), one.get("shape", ()))

    try:
        found = [{key: value(one) for key, one in line.get(name, {}).items()} for name in ("features", "label")]
        texts = {name: line[name] for name in ("uid", "metadata", "configuration") if name in line}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"expected what `samebox convert` writes of a record: {error!r}") from None
    features, label = found
    return DataRecord(features, label, **texts)
