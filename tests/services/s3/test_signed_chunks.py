"""Uploads in signed chunks, where a token says that signatures are checked: as clients send them over plain HTTP."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from samebox.wire import sigv4
from samebox.wire.sigv4 import CredentialScope
from tests.s3_server import ACCOUNT, S3Server, serving

TOKEN = "a token of twenty letters"
PAYLOAD = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serving(tmp_path_factory.mktemp("objects"), token=TOKEN) as running:
        running.store.buckets.create("bucket", ACCOUNT, "us-east-1")
        yield running


class SignedUpload:
    """A PUT whose chunks and trailer are signed one after the other."""

    def __init__(self, url: str, *, trailer: bool = False) -> None:
        self.url = url
        self.trailer = trailer
        kind = PAYLOAD + ("-TRAILER" if trailer else "")
        headers = {
            "x-amz-content-sha256": kind, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "11",
            **({"x-amz-trailer": "x-amz-checksum-crc32"} if trailer else {}),
        }  # fmt: skip
        request = AWSRequest("PUT", url, headers, b"")
        signer = S3SigV4Auth(Credentials(ACCOUNT, TOKEN), "s3", "us-east-1")
        signer.payload = lambda _: kind  # type: ignore[assignment,method-assign]
        signer.add_auth(request)
        self.headers = dict(request.headers)
        self._last = self.headers["Authorization"].rpartition("Signature=")[2]
        self._date = request.context["timestamp"]
        self._scope = CredentialScope(ACCOUNT, self._date[:8], "us-east-1", "s3")

    def _sign(self, *lines: str) -> str:
        algorithm, *digests = lines
        text = "\n".join([algorithm, self._date, self._scope.text, self._last, *digests])
        self._last = sigv4.sign(TOKEN, self._scope, text)
        return self._last

    def body(self, *chunks: bytes) -> bytes:
        out = b""
        for chunk in (*chunks, b""):
            signature = self._sign("AWS4-HMAC-SHA256-PAYLOAD", EMPTY, hashlib.sha256(chunk).hexdigest())
            out += b"%x;chunk-signature=%s\r\n" % (len(chunk), signature.encode())
            out += chunk + b"\r\n" if chunk else b""
        if self.trailer:
            line = b"x-amz-checksum-crc32:DUoRhQ=="
            signature = self._sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(line + b"\n").hexdigest())
            out += line + b"\r\nx-amz-trailer-signature:" + signature.encode() + b"\r\n"
        return out + b"\r\n"

    def put(self, body: bytes) -> httpx.Response:
        return httpx.put(self.url, content=body, headers=self.headers)


@pytest.mark.parametrize("trailer", [False, True])
def test_an_upload_in_signed_chunks_is_the_object(locked: S3Server, trailer: bool) -> None:
    upload = SignedUpload(f"{locked.url}/bucket/{trailer}", trailer=trailer)
    answer = upload.put(upload.body(b"hello", b" world"))
    assert (answer.status_code, answer.text) == (200, "")
    with locked.store.objects.open("bucket", str(trailer)) as reading:
        assert b"".join(reading.chunks()) == b"hello world"
        assert (reading.version.checksums.values.get("CRC32") == "DUoRhQ==") is trailer


@pytest.mark.parametrize(
    ("what", "trailer", "old", "new"),
    [
        ("a byte of a chunk", False, b"hello", b"hellp"),
        ("a signature that is left out", False, None, b"5\r\n"),
        ("a trailer", True, b"DUoRhQ==", b"DUoRhR=="),
        ("a trailer's signature that is left out", True, b"x-amz-trailer-signature", b"x-amz-other-signature"),
    ],
)
def test_what_was_changed_on_its_way_makes_no_object(
    locked: S3Server, what: str, trailer: bool, old: bytes | None, new: bytes
) -> None:
    upload = SignedUpload(f"{locked.url}/bucket/changed", trailer=trailer)
    body = upload.body(b"hello", b" world")
    if old is None:
        body = new + body.partition(b"\r\n")[2]
    answer = upload.put(body.replace(old, new) if old else body)
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True), what
    assert locked.store.lists.objects("bucket", prefix="changed").items == ()


def test_without_a_token_no_signature_is_looked_at(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.store.buckets.create("bucket", ACCOUNT, "us-east-1")
        upload = SignedUpload(f"{server.url}/bucket/k")
        assert upload.put(upload.body(b"hello", b" world").replace(b"hello", b"HELLO")).status_code == 200
