"""Calls of S3 in one bucket, through boto3 or as plain signed HTTP; a refusal is an answer like any other."""

from __future__ import annotations

import http.client
import re
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_s3.client import S3Client

ACCOUNT = "000000000000"
OTHER_ACCOUNT = "111111111111"
REGION = "us-east-1"
MIB = 1024 * 1024
PART = 5 * MIB  # the least that a part has, the last excepted
_WAIT_SECONDS = 60
# Operations that name no bucket, or another than the behaviour's own.
_WITHOUT_BUCKET = frozenset({"list_buckets"})


class S3Answer(dict[str, Any]):
    """The members of an answer. Of a refusal: `Code`, `Message` and what else its document has."""

    def __init__(self, status: int, headers: Mapping[str, str], members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def code(self) -> str:
        """The code of a refusal; "" for a success."""
        return str(self.get("Code", ""))

    @property
    def verdict(self) -> tuple[int, str]:
        """Status and code."""
        return self.status, self.code

    def pick(self, *names: str) -> dict[str, Any]:
        """The status, and the named members; those that the answer has not are left out."""
        return {"status": self.status, **{name: self[name] for name in names if name in self}}

    def header(self, *names: str) -> dict[str, str | None]:
        return {name: self.headers.get(name) for name in names}


class S3Side:
    """A server, and clients of it in boto3's default settings, but for retries: the first answer counts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = boto3.session.Session(ACCOUNT, "secret")
        self._clients: dict[tuple[str, str], S3Client] = {}

    def client(self, region: str = REGION, signature: str = "s3v4") -> S3Client:
        """A client, which is made once: that takes far longer than a request."""
        if (region, signature) not in self._clients:
            options = Config(
                region_name=region,
                signature_version=signature,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            )
            self._clients[region, signature] = self._session.client("s3", endpoint_url=self.url, config=options)
        return self._clients[region, signature]

    def close(self) -> None:
        for one in self._clients.values():
            one.close()


class S3Calls:
    """`calls.put_object(Key="k")` is boto3's, in the bucket of the behaviour; `send` is a request of one's own."""

    def __init__(self, side: S3Side, bucket: str) -> None:
        self.side, self.url, self.bucket = side, side.url, bucket

    def __getattr__(self, operation: str) -> Callable[..., S3Answer]:
        if operation.startswith("_"):  # hypothesis looks for a way to print it
            raise AttributeError(operation)

        def call(**members: Any) -> S3Answer:
            if operation not in _WITHOUT_BUCKET:
                members.setdefault("Bucket", self.bucket)
            return answer_of(lambda: getattr(self.side.client(), operation)(**members))

        return call

    def in_region(self, region: str, operation: str, **members: Any) -> S3Answer:
        """A call of a client of another region."""
        return answer_of(lambda: getattr(self.side.client(region), operation)(**members))

    def put(self, *keys: str) -> None:
        """Objects of one byte."""
        for key in keys:
            self.put_object(Key=key, Body=b"1")

    def keys(self, **members: Any) -> list[str]:
        return [one["Key"] for one in self.list_objects_v2(**members).get("Contents", [])]

    def versioned(self, status: str = "Enabled") -> None:
        self.put_bucket_versioning(VersioningConfiguration={"Status": status})

    def upload(self, key: str, *bodies: bytes, **members: Any) -> tuple[str, list[dict[str, Any]]]:
        """An open upload with the parts that it has, numbered from 1."""
        made = self.create_multipart_upload(Key=key, **members)["UploadId"]
        sent = [
            self.upload_part(Key=key, UploadId=made, PartNumber=number, Body=body)
            for number, body in enumerate(bodies, 1)
        ]
        return made, [{"PartNumber": number, "ETag": part["ETag"]} for number, part in enumerate(sent, 1)]

    def complete(self, key: str, upload: str, parts: list[dict[str, Any]], **members: Any) -> S3Answer:
        return self.complete_multipart_upload(Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **members)

    def presigned(self, operation: str, version: str = "s3v4", seconds: int = 600, **members: Any) -> str:
        signer = self.side.client(signature=version)
        return signer.generate_presigned_url(operation, {"Bucket": self.bucket, **members}, ExpiresIn=seconds)

    def send(
        self,
        method: str,
        path: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        query: str = "",
        host: str = "",
    ) -> S3Answer:
        """A signed request for `path` in the bucket; with `host` the bucket is in there, and not in the path."""
        target = quote(path if host else f"/{self.bucket}{path}", safe="/~-._%")
        target += f"?{query}" if query else ""
        signed = AWSRequest(method, self.url + target, dict(headers or {}), body or b"")
        signed.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        if host:
            signed.headers["Host"] = host
        S3SigV4Auth(Credentials(ACCOUNT, "secret"), "s3", REGION).add_auth(signed)
        return plain(self.url, method, target, {**dict(signed.headers.items()), **dict(headers or {})}, body)


def answer_of(call: Callable[[], Any]) -> S3Answer:
    """What a call of boto3 came to; the body of an object is read."""
    try:
        answer = call()
    except ClientError as error:
        answer = {**error.response}
        answer.update(answer.pop("Error", {}))
    about = answer.pop("ResponseMetadata")
    answer.pop("Error", None)
    if "Body" in answer:
        answer["Body"] = answer["Body"].read()
    return S3Answer(about["HTTPStatusCode"], about["HTTPHeaders"], answer)


def plain(url: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> S3Answer:
    """One request without boto3. The members are the elements of an XML document, or `Body`."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_WAIT_SECONDS)
    try:
        connection.request(method, target, body, dict(headers))
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    try:
        members = _elements(content)
    except ElementTree.ParseError:
        members = {"Body": content}
    return S3Answer(response.status, dict(response.getheaders()), members)


def _elements(document: bytes) -> dict[str, Any]:
    root = ElementTree.fromstring(document)  # of a server that the test started
    return {re.sub(r"{.*}", "", one.tag): one.text or "" for one in root}
