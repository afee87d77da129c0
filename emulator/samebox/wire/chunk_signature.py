"""Signatures of the chunks of a streamed body, and of its trailers: each signs what came and the signature before it.

Written from AWS's "Signature calculations for the Authorization header: transferring payload in multiple chunks" and
"… including trailing headers".
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.wire import signature, sigv4

if TYPE_CHECKING:
    from samebox.wire.http import Request

# What x-amz-content-sha256 says of a body whose chunks are signed.
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_EMPTY = hashlib.sha256(b"").hexdigest()


class ChunkSignatures:
    """The signatures that the chunks of one body must have, by the secret of its request.

    Begins with the request's own signature, which was verified before.
    """

    def __init__(self, head: Request, token: str) -> None:
        signed = signature.of_request(head)
        self._scope, self._date, self._last = signed.scope, signed.date, signed.signature
        self._secret = signature.secret_of(token, signed.scope.access_key)

    def check_chunk(self, sha256: str, found: str) -> None:
        """The next chunk, by its digest; the last one is empty. Raises SignatureDoesNotMatch."""
        self._check(found, "AWS4-HMAC-SHA256-PAYLOAD", _EMPTY, sha256)

    def check_trailers(self, trailers: list[tuple[str, str]], found: str) -> None:
        """The trailers, in their order, without their signature. Raises SignatureDoesNotMatch."""
        text = "".join(f"{name}:{value}\n" for name, value in trailers)
        self._check(found, "AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode()).hexdigest())

    def _check(self, found: str, *what: str) -> None:
        algorithm, *digests = what
        text = "\n".join([algorithm, self._date, self._scope.text, self._last, *digests])
        expected = sigv4.sign(self._secret, self._scope, text)
        if not hmac.compare_digest(expected.encode(), found.encode()):
            raise AwsError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and "
                "signing method.",
                403,
            )
        self._last = expected
