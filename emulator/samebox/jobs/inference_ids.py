"""Inference ids: what a transform job with GenerateInferenceId appends to each row of its output (contract §2.12)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from samebox.jobs import joining
from samebox.jobs.joining import NotParsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ID, TIME = "SageMakerInferenceId", "SageMakerInferenceTime"


@dataclass(frozen=True)
class InferenceIds:
    """`form` is that of the output, `time` the start of the job, as both are appended to each row with a new id."""

    form: str
    time: str

    @classmethod
    def of(cls, request: Mapping[str, Any], started: float) -> InferenceIds | None:
        """Those of a CreateTransformJob request; None where it asks for none."""
        if not (request.get("DataCaptureConfig") or {}).get("GenerateInferenceId"):
            return None
        form = request["TransformOutput"].get("Accept") or request["TransformInput"].get("ContentType", "")
        return cls(joining.kind(form), datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def appended(self, rows: bytes) -> bytes:
        """The rows of a response, each with an id and the time; line ends stay as they are. Raises NotParsed.

        JSON is one row where all of it is one value, and otherwise a row a line.
        """
        if self.form == "application/json" and _is_json(rows):
            return self._row(rows)
        return b"".join(map(self._row, rows.splitlines(keepends=True)))

    def appended_to(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same of a response that comes in pieces; only a document of JSON is held whole."""
        if self.form == "application/json":
            yield self.appended(b"".join(pieces))
            return
        rest = b""
        for piece in pieces:
            whole, line_end, rest = (rest + piece).rpartition(b"\n")
            if line_end:
                yield self.appended(whole + line_end)
        yield self.appended(rest)

    def _row(self, row: bytes) -> bytes:
        content = row.rstrip(b"\r\n")
        line_end, own = row[len(content) :], uuid.uuid4()
        if self.form == "text/csv":
            return b"%b,%b,%b%b" % (content, str(own).encode(), self.time.encode(), line_end)
        if not _is_json(content):
            raise NotParsed("Failed to parse output from the algorithm as JSON")
        members = f'"{ID}": "{own}", "{TIME}": "{self.time}"}}'.encode()
        text = content.strip()
        if not text.startswith(b"{"):
            # Choice: stored as JoinSource stores a value that is not an object.
            return b'{"%b": %b, %b%b' % (joining.OUTPUT.encode(), text, members, line_end)
        before = text[:-1].rstrip()
        return before + (b", " if before != b"{" else b"") + members + line_end


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
