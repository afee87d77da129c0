"""What is sent to the containers of a transform job, and what is stored of their responses (contract §3.3, §3.4).

From an object's bytes to payloads, and from responses to the bytes of its output. Nothing here reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samebox.data import records
from samebox.jobs import joining
from samebox.jobs.joining import NotParsed, Processing
from samebox.platform.transform import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from samebox.data.records import InputRecord
    from samebox.platform.transform import TransformRules


@dataclass(frozen=True)
class PayloadRecord:
    """A record `source` as it is in the object, and as the container gets it: `sent`, after the InputFilter."""

    source: bytes
    sent: bytes


Batch = list[PayloadRecord]  # the records of one payload


@dataclass(frozen=True)
class Payloads:
    """The payloads of a CreateTransformJob request, under the limits that count for it."""

    request: Mapping[str, Any]
    limits: TransformRules
    processing: Processing | None

    @classmethod
    def of(cls, request: Mapping[str, Any], limits: TransformRules) -> Payloads:
        return cls(request, limits, Processing.of(request))

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
            return ([PayloadRecord(lines, lines)] for lines in records.packed_lines(self.opened(chunks), most))
        found = records.split(self.opened(chunks), split, most)
        if self.processing is not None:
            return self._filtered(found, self.processing, single, most)
        if single:
            return ([PayloadRecord(record.payload, record.payload)] for record in found)
        packed = records.packed((record.framed for record in found), most)
        return ([PayloadRecord(framed, framed) for framed in batch] for batch in packed)

    @staticmethod
    def _filtered(found: Iterator[InputRecord], processing: Processing, single: bool, most: int) -> Iterator[Batch]:
        batch, size = Batch(), 0
        for record in found:
            sent = processing.seen(record.payload)
            if batch and (single or size + len(sent) + 1 > most):
                yield batch
                batch, size = Batch(), 0
            batch.append(PayloadRecord(record.payload, sent))
            size += len(sent) + 1
        if batch:
            yield batch

    def output(self, batch: Batch, invoke: Callable[[bytes], bytes]) -> bytes:
        """What is stored of a batch, which `invoke` sends. Raises what `invoke` raises, NotParsed, NothingThere."""
        line_end = b"\n" if self.request["TransformOutput"].get("AssembleWith") == "Line" else b""
        if self.processing is None:
            response = invoke(b"".join(record.sent for record in batch))
            return response + line_end if line_end and not response.endswith(b"\n") else response
        many = len(batch) > 1
        response = invoke(b"".join(record.sent + (b"\n" if many else b"") for record in batch))
        rows = response.splitlines() if many else [response]
        if len(rows) != len(batch):
            form = "CSV" if self.processing.accept == joining.FORMATS[0] else "JSON"
            raise NotParsed(f"Failed to parse output from the algorithm as {form}: {len(rows)} of {len(batch)} rows")
        stored = (self.processing.stored(record.source, row) for record, row in zip(batch, rows, strict=True))
        return b"".join(row + line_end for row in stored)
