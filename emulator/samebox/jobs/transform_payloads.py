"""What is sent to the containers of a transform job, and what is stored of their responses (contract §3.3, §3.4).

From an object's bytes to payloads, and from responses to the bytes of its output. Nothing here reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samebox.data import records
from samebox.jobs import joining
from samebox.jobs.inference_ids import InferenceIds
from samebox.jobs.joining import NotParsed, Processing
from samebox.platform.transform import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from samebox.data.records import InputRecord
    from samebox.platform.transform import TransformRules


@dataclass(frozen=True)
class PayloadRecord:
    """A record `source` as it is in the object, and as the container gets it: `sent`, after the InputFilter."""

    source: bytes
    sent: bytes


@dataclass(frozen=True)
class Batch:
    """One payload as its pieces. `records`: with DataProcessing, those in it."""

    body: Sequence[bytes | memoryview]
    records: Sequence[PayloadRecord] = ()


@dataclass(frozen=True)
class Payloads:
    """The payloads of a CreateTransformJob request, under the limits that count for it."""

    request: Mapping[str, Any]
    limits: TransformRules
    processing: Processing | None
    ids: InferenceIds | None = None
    line_ends: bool = False

    @classmethod
    def of(cls, request: Mapping[str, Any], limits: TransformRules, started: float, line_ends: bool) -> Payloads:
        """Those of a job that started then, in seconds since 1970. `line_ends`: lines that go alone have theirs."""
        return cls(request, limits, Processing.of(request), InferenceIds.of(request, started), line_ends)

    def opened(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The object's bytes, decompressed where they are gzip."""
        gzip = self.request["TransformInput"].get("CompressionType") == "Gzip"
        return records.gunzipped(chunks) if gzip else chunks

    def batches(self, chunks: Iterator[bytes]) -> Iterator[Batch]:
        """The object's records, those of each payload together. Raises RecordError, RecordTooLarge, NotParsed."""
        most = self.limits.payload_mb * MEGABYTE
        split = self.request["TransformInput"].get("SplitType", "None")
        single = split == "None" or self.limits.strategy == "SINGLE_RECORD"
        if self.processing is None and split == "Line" and not single:
            return map(Batch, records.packed_lines(self.opened(chunks), most))
        found = records.split(self.opened(chunks), split, most)
        if self.processing is not None:
            batches = self._filtered(found, self.processing, single, most)
            if self.line_ends and split == "Line":
                return (Batch((*one.body, b"\n"), one.records) if len(one.records) == 1 else one for one in batches)
            return batches
        if single:
            framed = self.line_ends and split == "Line"
            return (Batch((record.framed if framed else record.payload,)) for record in found)
        return map(Batch, records.packed((record.framed for record in found), most))

    @staticmethod
    def _filtered(found: Iterator[InputRecord], processing: Processing, single: bool, most: int) -> Iterator[Batch]:
        batch, size = list[PayloadRecord](), 0
        for record in found:
            sent = processing.seen(record.payload)
            if batch and (single or size + len(sent) + 1 > most):
                yield _lines(batch)
                batch, size = [], 0
            batch.append(PayloadRecord(record.payload, sent))
            size += len(sent) + 1
        if batch:
            yield _lines(batch)

    def output(self, batch: Batch, response: Sequence[bytes]) -> Sequence[bytes]:
        """What is stored of a batch and the response to it, in pieces. Raises NotParsed, NothingThere."""
        line_end = b"\n" if self.request["TransformOutput"].get("AssembleWith") == "Line" else b""
        if self.processing is None:
            if self.ids is not None:
                response = [self.ids.appended(b"".join(response))]
            return response if not line_end or (response and response[-1].endswith(b"\n")) else [*response, line_end]
        many = len(batch.records) > 1
        rows = b"".join(response).splitlines() if many else [b"".join(response)]
        if len(rows) != len(batch.records):
            form = "CSV" if self.processing.accept == joining.FORMATS[0] else "JSON"
            raise NotParsed(
                f"Failed to parse output from the algorithm as {form}: {len(rows)} of {len(batch.records)} rows"
            )
        stored = (self.processing.stored(one.source, row) for one, row in zip(batch.records, rows, strict=True))
        appended = stored if self.ids is None else map(self.ids.appended, stored)
        return [b"".join(row + line_end for row in appended)]

    def streamed(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        """What is stored of a response that is stored as it comes. Raises NotParsed."""
        return pieces if self.ids is None else self.ids.appended_to(pieces)


def _lines(found: Sequence[PayloadRecord]) -> Batch:
    if len(found) == 1:
        return Batch((found[0].sent,), found)
    return Batch((b"".join(record.sent + b"\n" for record in found),), found)
