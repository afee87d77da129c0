"""Between members of S3's model and the storage's values: conditions, attributes, checksums, versions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from samebox.errors import AwsError
from samebox.s3.checksums import ALGORITHMS
from samebox.s3.conditions import ReadConditions, WriteConditions
from samebox.s3.records import NULL_VERSION, Attributes, Bucket, Checksums, Expected, Retention, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samebox.s3.records import Version
    from samebox.services.s3.requests import S3Request

DEFAULT_TYPE = "binary/octet-stream"  # what S3 answers for an object that was put without a Content-Type
# Members that are kept as they came and answered so.
_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "ServerSideEncryption",
    "SSECustomerAlgorithm",
    "SSECustomerKeyMD5",
    "SSEKMSKeyId",
    "WebsiteRedirectLocation",
)
_OTHER_VALUE = "We don't accept the provided value of {} header for this API"
_STORAGE_CLASSES = frozenset(
    {
        "DEEP_ARCHIVE",
        "GLACIER",
        "GLACIER_IR",
        "INTELLIGENT_TIERING",
        "ONEZONE_IA",
        "REDUCED_REDUNDANCY",
        "STANDARD",
        "STANDARD_IA",
    }
)
_METADATA_BYTES = 2048
_MOST_TAGS = 10
_TAG = re.compile(r"[\w\s+\-=._:/@]*")
_DIGEST_BYTES = 16
_CHECKSUMS = tuple((algorithm, f"Checksum{algorithm}") for algorithm in ALGORITHMS)


def quoted(etag: str) -> str:
    """An ETag as headers and documents have it."""
    return f'"{etag}"'


def unquoted(etag: str) -> str:
    return etag.strip().removeprefix("W/").strip('"')


def owner_of(account: str) -> dict[str, str]:
    """The canonical user of an account. AWS's ids are as long and tell as little."""
    return {"ID": hashlib.sha256(f"canonical user {account}".encode()).hexdigest()}


def write_conditions(params: Mapping[str, Any], deleting: bool = False) -> WriteConditions:
    """If-Match and If-None-Match of a write, and what else a delete may insist on. Raises NotImplemented."""
    if_match, if_none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if if_match is not None and if_none_match is not None:
        raise _not_implemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if if_none_match is not None and if_none_match != "*":
        raise _not_implemented("If-None-Match", _OTHER_VALUE.format("If-None-Match"))
    if if_match == "*" and not deleting:
        raise _not_implemented("If-Match", _OTHER_VALUE.format("If-Match"))
    return WriteConditions(
        if_match=None if if_match is None else unquoted(if_match),
        if_none_match=if_none_match,
        if_match_modified=params.get("IfMatchLastModifiedTime"),
        if_match_size=params.get("IfMatchSize"),
    )


def _not_implemented(header: str, why: str) -> AwsError:
    text = "A header you provided implies functionality that is not implemented"
    return AwsError("NotImplemented", text, 501, {"Header": header, "additionalMessage": why})


def read_conditions(params: Mapping[str, Any], prefix: str = "") -> ReadConditions:
    """The conditions of a read; with the prefix `Source`, of a rename's."""

    def etags(name: str) -> tuple[str, ...]:
        return tuple(unquoted(one) for one in (params.get(prefix + name) or "").split(",") if one.strip())

    return ReadConditions(
        if_match=etags("IfMatch"),
        if_none_match=etags("IfNoneMatch"),
        if_modified_since=params.get(f"{prefix}IfModifiedSince"),
        if_unmodified_since=params.get(f"{prefix}IfUnmodifiedSince"),
    )


def source_conditions(request: S3Request) -> ReadConditions:
    """The conditions of a copy's source. S3 ignores a date in the future (recorded from AWS on 2025-11-12)."""
    found = read_conditions(request.params, "CopySource")
    is_future = found.if_modified_since is not None and found.if_modified_since > request.now
    return replace(found, if_modified_since=None) if is_future else found


def source_of(text: str) -> Source:
    """The object that `x-amz-copy-source` names: `/bucket/key?versionId=…`, percent-encoded."""
    path, _, query = text.partition("?")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key or bucket.startswith("arn:"):
        raise AwsError(
            "InvalidArgument", "Invalid copy source object key", 400,
            {"ArgumentName": "x-amz-copy-source", "ArgumentValue": text},
        )  # fmt: skip
    return Source(bucket, key, dict(parse_qsl(query)).get("versionId"))


def attributes(request: S3Request) -> Attributes:
    """What a PutObject, a CreateMultipartUpload or a copy with new metadata says of the object."""
    params = request.params
    headers = {name: str(params[name]) for name in _KEPT if params.get(name)}
    headers.setdefault("ContentType", DEFAULT_TYPE)
    if "aws-chunked" in headers.get("ContentEncoding", ""):
        others = (one.strip() for one in headers.pop("ContentEncoding").split(","))
        if encoding := ",".join(one for one in others if one not in ("", "aws-chunked")):
            headers["ContentEncoding"] = encoding
    if expires := request.header("expires"):
        headers["Expires"] = expires  # answered as it came, whether it is a date or not
    if params.get("BucketKeyEnabled"):
        headers["BucketKeyEnabled"] = "true"
    if "SSEKMSKeyId" in headers:
        headers.setdefault("ServerSideEncryption", "aws:kms")
    metadata = dict(params.get("Metadata") or {})
    if sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items()) > _METADATA_BYTES:
        raise AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    return Attributes(
        headers=headers,
        metadata=metadata,
        tags=tags_of_header(params.get("Tagging") or ""),
        storage_class=_storage_class(params.get("StorageClass") or "STANDARD"),
        retention=retention(params),
        legal_hold={"ON": True, "OFF": False}.get(params.get("ObjectLockLegalHoldStatus", "")),
    )


def _storage_class(name: str) -> str:
    # Those of directory buckets, of Outposts and of Snow are not found here, as they are not in a bucket of a region.
    if name not in _STORAGE_CLASSES:
        fields = {"StorageClassRequested": name}
        raise AwsError("InvalidStorageClass", "The storage class you specified is not valid", 400, fields)
    return name


def retention(params: Mapping[str, Any]) -> Retention | None:
    """The retention that the object lock headers name. Raises InvalidArgument for half of one."""
    mode, until = params.get("ObjectLockMode"), params.get("ObjectLockRetainUntilDate")
    if mode is None and until is None:
        return None
    if mode is None or until is None:
        missing = "x-amz-object-lock-mode" if mode is None else "x-amz-object-lock-retain-until-date"
        text = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        raise AwsError("InvalidArgument", text, 400, {"ArgumentName": missing})
    if mode not in ("GOVERNANCE", "COMPLIANCE"):
        fields = {"ArgumentName": "x-amz-object-lock-mode", "ArgumentValue": mode}
        raise AwsError("InvalidArgument", "Unknown wormMode directive.", 400, fields)
    return Retention(mode, until)


def tags_of_header(text: str) -> dict[str, str]:
    """The tags of `x-amz-tagging`, which is written as a query string is."""
    if not text:
        return {}
    pairs = parse_qsl(text, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs) or not all(_TAG.fullmatch(part) for pair in pairs for part in pair):
        words = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
        fields = {"ArgumentName": "x-amz-tagging", "ArgumentValue": text}
        raise AwsError("InvalidArgument", f"{words}tag name duplicates.", 400, fields)
    return object_tags(pairs)


def object_tags(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Tags of an object. Raises InvalidTag, BadRequest."""
    if len(pairs) > _MOST_TAGS:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {_MOST_TAGS}")
    return checked_tags(pairs, "Your TagKey cannot be prefixed with aws:")


def checked_tags(pairs: Sequence[tuple[str, str]], reserved: str) -> dict[str, str]:
    """Tags by their keys. Raises InvalidTag; with the text `reserved` for a key that begins with `aws:`."""
    tags: dict[str, str] = {}
    for name, value in pairs:
        named = {"TagKey": name}
        if name in tags:
            raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", 400, named)
        if name.startswith("aws:"):
            raise AwsError("InvalidTag", reserved, 400, named)
        if not 1 <= len(name) <= 128 or not _TAG.fullmatch(name):
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", 400, named)
        if len(value) > 256 or not _TAG.fullmatch(value):
            fields = {**named, "TagValue": value}
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", 400, fields)
        tags[name] = value
    return tags


# Checksums


def expected(request: S3Request) -> Expected:
    """What the client says of the bytes it sends. Raises InvalidDigest, InvalidRequest."""
    md5 = content_md5(request.params.get("ContentMD5") or "")
    return Expected(md5, checksum_values(request.params), decoded_length(request))


def content_md5(md5: str) -> str:
    """A Content-MD5, or "". Raises InvalidDigest."""
    if md5:
        try:
            whole = len(base64.b64decode(md5, validate=True)) == _DIGEST_BYTES
        except (binascii.Error, ValueError):
            whole = False
        if not whole:
            raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400, {"Content-MD5": md5})
    return md5


def decoded_length(request: S3Request) -> int | None:
    """How long the body is, where the client says so: a chunked one says it in a header of its own."""
    text = request.header("x-amz-decoded-content-length") or request.header("content-length")
    chunked = (request.header("x-amz-content-sha256") or "").startswith("STREAMING-")
    if chunked and request.header("x-amz-decoded-content-length") is None:
        return None
    return int(text) if text and text.isdigit() else None


def checksum_values(params: Mapping[str, Any], source: str = "header") -> dict[str, str]:
    """The checksums among the members, by algorithm. Raises InvalidRequest where one is not base64.

    `source` is where they stood, as messages call it.
    """
    values = {}
    for algorithm, member in _CHECKSUMS:
        value = params.get(member)
        if value:
            try:
                base64.b64decode(value.partition("-")[0], validate=True)
            except (binascii.Error, ValueError):
                text = f"Value for x-amz-checksum-{algorithm.lower()} {source} is invalid."
                raise AwsError("InvalidRequest", text) from None
            values[algorithm] = value
    if len(values) > 1:
        raise AwsError(
            "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    return values


def algorithms(request: S3Request) -> tuple[str, ...]:
    """The checksums to compute of a body: the one that the client names, else the one that S3 chooses."""
    return named_algorithms(request) or ("CRC64NVME",)


def named_algorithms(request: S3Request) -> tuple[str, ...]:
    """The checksums that the client names."""
    named = {*checksum_values(request.params)}
    for text in (
        request.params.get("ChecksumAlgorithm"),
        (request.header("x-amz-trailer") or "").lower().removeprefix("x-amz-checksum-"),
        request.header("x-amz-sdk-checksum-algorithm"),
    ):
        if text and text.upper() in ALGORITHMS:
            named.add(text.upper())
    return tuple(sorted(named))


def checksum_members(checksums: Checksums) -> dict[str, str]:
    """Checksums as members of an output."""
    members = {f"Checksum{algorithm}": value for algorithm, value in checksums.values.items()}
    return {**members, "ChecksumType": checksums.kind} if members and checksums.kind else members


# Versions


def version_members(bucket: Bucket, version: str) -> dict[str, str]:
    """`x-amz-version-id`, which a bucket that was never versioned does not answer."""
    return {"VersionId": version or NULL_VERSION} if bucket.versioning else {}


def written_version_members(bucket: Bucket, version: str) -> dict[str, str]:
    """The same of a write, whose answer names no null version."""
    return {"VersionId": version} if bucket.versioning and version not in ("", NULL_VERSION) else {}


def encryption_members(attributes: Attributes) -> dict[str, str | bool]:
    """How an object is encrypted, as far as an answer says it."""
    headers = attributes.headers
    names = ("ServerSideEncryption", "SSEKMSKeyId", "SSECustomerAlgorithm", "SSECustomerKeyMD5")
    members: dict[str, str | bool] = {name: headers[name] for name in names if name in headers}
    if headers.get("BucketKeyEnabled"):
        members["BucketKeyEnabled"] = True
    return members


def object_members(version: Version) -> dict[str, Any]:
    """What GetObject and HeadObject say of an object, but for its length and its checksums."""
    attributes = version.attributes
    members: dict[str, Any] = {
        name: value for name, value in attributes.headers.items() if name not in ("Expires", "BucketKeyEnabled")
    }
    members |= encryption_members(attributes)
    members |= {
        "AcceptRanges": "bytes",
        "ETag": quoted(version.etag),
        "LastModified": float(int(version.modified)),
        "Metadata": attributes.metadata or None,
        "TagCount": len(attributes.tags) or None,
        "StorageClass": attributes.storage_class if attributes.storage_class != "STANDARD" else None,
        "ObjectLockLegalHoldStatus": {True: "ON", False: "OFF"}.get(attributes.legal_hold),  # type: ignore[arg-type]
    }
    if attributes.retention is not None:
        members["ObjectLockMode"] = attributes.retention.mode
        members["ObjectLockRetainUntilDate"] = attributes.retention.until
    return members
