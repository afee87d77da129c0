"""The body of a PutObject or an UploadPart: decoded, measured against what the request says of it, and received."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3.checksums import ALGORITHMS
from samebox.services.s3 import members
from samebox.services.s3.chunked import STREAMING, Decoder, malformed_trailer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from samebox.s3.receiving import Received
    from samebox.s3.records import Expected
    from samebox.services.s3.requests import S3Request

MOST_BYTES = 5 * 1024**3  # of one PUT or part, as S3 bounds them
_HEX = re.compile(r"[0-9a-f]{64}")


@contextmanager
def received(
    request: S3Request, algorithms: tuple[str, ...], part_of: str | None = None
) -> Iterator[tuple[Received, Expected]]:
    """Read the request's body to its end; gives it with the size and checksums that the client declares.

    `part_of`: the UploadId of the upload that the body is a part of.

    Raises EntityTooLarge, MalformedTrailerError, MissingContentLength, XAmzContentSHA256Mismatch, and what the decoder
    raises.
    """
    expected = members.expected(request)
    if expected.size is not None and expected.size > MOST_BYTES:
        raise _too_large(expected.size)
    declared = request.header("x-amz-content-sha256") or ""
    decoder = Decoder(request.signatures) if declared.startswith(STREAMING) or _is_chunked(request) else None
    sha256 = hashlib.sha256() if _HEX.fullmatch(declared) else None
    if expected.size is None and decoder is None and request.header("transfer-encoding") is None:
        raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if part_of is None:
        receiving = request.store.receive(algorithms)
    else:
        receiving = request.store.receive_part(part_of, request.params["PartNumber"], expected.size, algorithms)
    with receiving as body:
        for piece in request.pieces() if decoder is None else decoder.body(request.pieces()):
            body.write(piece)
            if sha256 is not None:
                sha256.update(piece)
            if body.size > MOST_BYTES:
                raise _too_large(body.size)
        if sha256 is not None:
            check_sha256(request, sha256.hexdigest)
        if decoder is not None:
            _check_announced(request, decoder.trailers)
            trailing = {f"Checksum{name.upper()}": value for name, value in _trailing_checksums(decoder.trailers)}
            sums = members.checksum_values(trailing, "trailing header")
            expected = replace(expected, checksums={**expected.checksums, **sums})
        yield body, expected


def check_sha256(request: S3Request, computed: Callable[[], str]) -> None:
    """Compare `x-amz-content-sha256`, where it is a digest, with the body's. Raises XAmzContentSHA256Mismatch."""
    declared = request.header("x-amz-content-sha256") or ""
    if _HEX.fullmatch(declared) and computed() != declared:
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            400,
            {"ClientComputedContentSHA256": declared, "S3ComputedContentSHA256": computed()},
        )


def _is_chunked(request: S3Request) -> bool:
    return "aws-chunked" in (request.header("content-encoding") or "")


def _check_announced(request: S3Request, trailers: Mapping[str, str]) -> None:
    """Raises MalformedTrailerError where the trailers are not those that `x-amz-trailer` announces."""
    announced = (request.header("x-amz-trailer") or "").lower().split(",")
    if set(trailers) != {name.strip() for name in announced if name.strip()}:
        raise malformed_trailer()


def _trailing_checksums(trailers: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in trailers.items():
        algorithm = name.removeprefix("x-amz-checksum-").upper()
        if algorithm in ALGORITHMS:
            yield algorithm, value


def _too_large(size: int) -> AwsError:
    fields = {"ProposedSize": size, "MaxSizeAllowed": MOST_BYTES}
    return AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, fields)
