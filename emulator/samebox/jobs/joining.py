"""DataProcessing of a transform job: what its container sees of a record, and what is stored (contract §3.4)."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from samebox.resources import json_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.resources.json_path import Path

OUTPUT, INPUT = "SageMakerOutput", "SageMakerInput"
Format = Literal["text/csv", "application/json", "application/jsonlines"]
FORMATS = ("text/csv", "application/json", "application/jsonlines")


class NotParsed(Exception):
    """A record, or a response, is not of its format; the message is as it is in the data log."""


@dataclass(frozen=True)
class Processing:
    """`joins`: JoinSource Input."""

    input_filter: Path
    output_filter: Path
    joins: bool
    content_type: str
    accept: str

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Processing | None:
        """That of a CreateTransformJob request; None where it asks for none. Raises BadPath."""
        members = request.get("DataProcessing") or {}
        filters = members.get("InputFilter", "$"), members.get("OutputFilter", "$")
        joins = members.get("JoinSource", "None") == "Input"
        if filters == ("$", "$") and not joins:
            return None
        return cls(
            json_path.parse(filters[0]),
            json_path.parse(filters[1]),
            joins,
            kind(request["TransformInput"].get("ContentType", "")),
            kind(request["TransformOutput"].get("Accept") or request["TransformInput"].get("ContentType", "")),
        )

    def seen(self, record: bytes) -> bytes:
        """What the container sees of a record, without a line end. Raises NotParsed, NothingThere."""
        if not self.input_filter:
            return record
        return _write(json_path.find(self.input_filter, _read(record, self.content_type, "input")), self.content_type)

    def stored(self, record: bytes, response: bytes) -> bytes:
        """What is stored of a record and the response to it. Raises NotParsed, NothingThere."""
        output = _read(response, self.accept, "output from the algorithm")
        joined = self._joined(_read(record, self.content_type, "input"), output) if self.joins else output
        return _write(json_path.find(self.output_filter, joined), self.accept)

    def _joined(self, record: Any, output: Any) -> Any:
        if self.content_type == "text/csv":
            return [*record, *output]
        if isinstance(record, dict):
            return {**record, OUTPUT: output}
        return {INPUT: record, OUTPUT: output}


def kind(content_type: str) -> str:
    """The media type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _read(record: bytes, form: str, what: str) -> Any:
    name = "CSV" if form == "text/csv" else "JSON"
    try:
        text = record.decode()
        if name == "JSON":
            return json.loads(text)
        (row,) = csv.reader([text.rstrip("\r\n")], strict=True)
    except (ValueError, csv.Error, RecursionError):
        raise NotParsed(f"Failed to parse {what} as {name}") from None
    return row


def _write(value: Any, form: str) -> bytes:
    if form != "text/csv":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return row.getvalue().encode()
