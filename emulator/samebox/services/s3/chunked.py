"""The content encoding `aws-chunked`: a body in chunks, each with its length, and checksums behind the last.

Written from AWS's "Signature calculations for the Authorization header: transferring payload in multiple chunks" and
"… including trailing headers". A decoder is fed with what comes and gives the bytes of the body.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samebox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from samebox.wire.chunk_signature import ChunkSignatures

_LINE_BYTES = 16 * 1024
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?\s*")
_TRAILER = re.compile(rb"([A-Za-z0-9-]+):(.*)")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"
STREAMING = "STREAMING-"


@dataclass
class Decoder:
    """Decodes one body. `trailers` are complete when `body` has ended. With `signatures`, each chunk's is checked."""

    signatures: ChunkSignatures | None = None
    trailers: dict[str, str] = field(default_factory=dict)

    def body(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The decoded body. Raises AwsError where the encoding is broken off or is none, or a signature is wrong."""
        source = _Source(iter(pieces))
        while True:
            found = _SIZE.fullmatch(source.line())
            if found is None:
                raise malformed()
            size, signature = int(found[1], 16), (found[2] or b"").decode()
            yield from self._chunk(source.exactly(size), signature)
            if size == 0:
                break
            if source.line():
                raise malformed()
        for line in source.rest():
            trailer = _TRAILER.fullmatch(line.strip())
            if trailer is None:
                raise malformed_trailer()
            self.trailers[trailer[1].decode().lower()] = trailer[2].decode("latin-1").strip()
        signature = self.trailers.pop(_TRAILER_SIGNATURE, "")
        if self.signatures is not None and self.trailers:
            self.signatures.check_trailers(list(self.trailers.items()), signature)

    def _chunk(self, pieces: Iterator[bytes], signature: str) -> Iterator[bytes]:
        if self.signatures is None:
            yield from pieces
            return
        # What is handed on becomes no object before the last signature was right.
        sha256 = hashlib.sha256()
        for piece in pieces:
            sha256.update(piece)
            yield piece
        self.signatures.check_chunk(sha256.hexdigest(), signature)


class _Source:
    """Lines and counted bytes out of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def line(self) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            if len(self._held) > _LINE_BYTES:
                raise malformed()
            self._held += self._next()
        line, self._held = self._held[:end], self._held[end + 2 :]
        return line

    def exactly(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self._held or self._next()
            self._held = piece[size:]
            piece = piece[:size]
            size -= len(piece)
            yield piece

    def rest(self) -> Iterator[bytes]:
        """Lines up to an empty one or the end of the body: some clients leave the last line end out."""
        while True:
            try:
                line = self.line()
            except AwsError:
                line = self._held
                self._held = b""
            if not line:
                return
            yield line

    def _next(self) -> bytes:
        for piece in self._pieces:
            if piece:
                return piece
        raise AwsError("IncompleteBody", "The request body terminated unexpectedly")


def malformed_trailer() -> AwsError:
    """The refusal of trailers that are none, or others than `x-amz-trailer` announces.

    Answers of AWS: https://github.com/scality/Arsenal/pull/2596, https://github.com/versity/versitygw/issues/1600 and
    /1691.
    """
    text = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return AwsError("MalformedTrailerError", text)


def malformed() -> AwsError:
    """The refusal of a body that is not encoded as it says."""
    # Choice: AWS's answer to this is not known.
    return AwsError("InvalidRequest", "The body is not encoded as aws-chunked says.")
