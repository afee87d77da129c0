"""The digests that come with a document: one that is not what was sent is refused before it has an effect."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3.checksums import ALGORITHMS
from samebox.s3.records import Expected
from samebox.services.s3 import members
from samebox.services.s3.bodies import check_sha256

if TYPE_CHECKING:
    from samebox.services.s3.requests import S3Request


def check(request: S3Request) -> None:
    """Compare the body of a request that takes a document with what its headers say of it.

    Raises BadDigest, InvalidDigest, XAmzContentSHA256Mismatch; InvalidRequest for a DeleteObjects without a digest.
    """
    document = request.head.body
    given = {f"Checksum{name}": request.header(f"x-amz-checksum-{name.lower()}") for name in ALGORITHMS}
    # Those of a completion are the whole object's.
    values = {} if request.operation == "CompleteMultipartUpload" else members.checksum_values(given)
    md5 = members.content_md5(request.header("content-md5") or "")
    if request.operation == "DeleteObjects" and not md5 and not values and request.header("x-amz-trailer") is None:
        raise AwsError("InvalidRequest", "Missing required header for this request: Content-MD5")
    if md5 or values:
        with request.store.receive(tuple(values)) as body:
            body.write(document)
            body.check(Expected(md5, values))
    if document:
        check_sha256(request, hashlib.sha256(document).hexdigest)
