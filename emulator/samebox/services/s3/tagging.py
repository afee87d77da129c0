"""Tags, retention and legal hold of an object: what can be changed of a version without a new one."""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3 import refusals
from samebox.s3.records import Retention
from samebox.services.s3 import members
from samebox.services.s3.requests import Handler, S3Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from samebox.services.s3.requests import S3Request

_NOT_LOCKED = "The specified object does not have a ObjectLock configuration"


def get_object_tagging(request: S3Request) -> S3Response:
    bucket = request.bucket
    with _markers_refused():
        version = request.store.objects.head(bucket.name, request.key, request.version)
    tags = [{"Key": name, "Value": value} for name, value in version.attributes.tags.items()]
    return S3Response({"TagSet": tags, **members.version_members(bucket, version.version)})


def put_object_tagging(request: S3Request) -> S3Response:
    bucket = request.bucket
    pairs = [(tag["Key"], tag.get("Value", "")) for tag in request.params["Tagging"].get("TagSet") or []]
    tags = members.object_tags(pairs)
    with _markers_refused():
        version = request.store.objects.set_tags(bucket.name, request.key, tags, request.version)
    return S3Response(members.version_members(bucket, version.version))


def delete_object_tagging(request: S3Request) -> S3Response:
    bucket = request.bucket
    with _markers_refused():
        version = request.store.objects.set_tags(bucket.name, request.key, {}, request.version)
    return S3Response(members.version_members(bucket, version.version))


def get_object_retention(request: S3Request) -> S3Response:
    _refuse_unlocked(request)
    version = request.store.objects.head(request.bucket_name, request.key, request.version)
    if version.attributes.retention is None:
        raise AwsError("NoSuchObjectLockConfiguration", _NOT_LOCKED, 404)
    kept = version.attributes.retention
    return S3Response({"Retention": {"Mode": kept.mode, "RetainUntilDate": kept.until}})


def put_object_retention(request: S3Request) -> S3Response:
    _refuse_unlocked(request)
    given = request.params.get("Retention") or {}
    mode, until = given.get("Mode"), given.get("RetainUntilDate")
    if (mode is None) != (until is None) or mode not in (None, "GOVERNANCE", "COMPLIANCE"):
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", text)
    request.store.objects.set_retention(
        request.bucket_name,
        request.key,
        None if mode is None or until is None else Retention(mode, until),
        request.version,
        bypass_governance=bool(request.params.get("BypassGovernanceRetention")),
    )
    return S3Response()


def get_object_legal_hold(request: S3Request) -> S3Response:
    _refuse_unlocked(request)
    version = request.store.objects.head(request.bucket_name, request.key, request.version)
    hold = version.attributes.legal_hold
    if hold is None:
        raise AwsError("NoSuchObjectLockConfiguration", _NOT_LOCKED, 404)
    return S3Response({"LegalHold": {"Status": "ON" if hold else "OFF"}})


def put_object_legal_hold(request: S3Request) -> S3Response:
    _refuse_unlocked(request)
    status = (request.params.get("LegalHold") or {}).get("Status")
    if status not in ("ON", "OFF"):
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", text)
    request.store.objects.set_legal_hold(request.bucket_name, request.key, status == "ON", request.version)
    return S3Response()


@contextmanager
def _markers_refused() -> Iterator[None]:
    """A delete marker has no tags, whether it is named by its version or not: 405, and not 404."""
    try:
        yield
    except AwsError as error:
        if error.code == "NoSuchKey" and "DeleteMarker" in error.fields:
            raise refusals.delete_marker_named(error.fields["VersionId"]) from None
        raise


def _refuse_unlocked(request: S3Request) -> None:
    if not request.bucket.object_lock:
        raise refusals.no_object_lock()


OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "DeleteObjectTagging": delete_object_tagging,
        "GetObjectLegalHold": get_object_legal_hold,
        "GetObjectRetention": get_object_retention,
        "GetObjectTagging": get_object_tagging,
        "PutObjectLegalHold": put_object_legal_hold,
        "PutObjectRetention": put_object_retention,
        "PutObjectTagging": put_object_tagging,
    }
)
