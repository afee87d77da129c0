"""Objects: put, read, copy, delete, and what is known of them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.s3 import copying, lifecycle, refusals
from samebox.s3.conditions import NO_CONDITIONS
from samebox.services.s3 import acls, archive, customer_keys, members, ranges
from samebox.services.s3.bodies import received
from samebox.services.s3.requests import Handler, S3Response
from samebox.services.s3.settings import bucket_retention, encrypted, lifecycle_rules
from samebox.wire.shapes import write_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.s3.conditions import WriteConditions
    from samebox.s3.reading import OpenObject
    from samebox.s3.records import Attributes, Deletion, Source, Version
    from samebox.services.s3.requests import S3Request

_MOST_DELETES = 1000
# Where a presigned URL says what the answer's headers shall be.
_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")


def put_object(request: S3Request) -> S3Response:
    bucket = request.bucket
    customer_keys.check(request.params)
    conditions = members.write_conditions(request.params)
    seen = None if conditions == NO_CONDITIONS else request.store.objects.current(bucket.name, request.key)
    attributes = _with_access(request, _retained(request, members.attributes(request)))
    with received(request, members.algorithms(request)) as (body, expected):
        version = request.store.objects.put(
            request.bucket_name,
            request.key,
            body,
            attributes,
            conditions=conditions,
            seen=seen,
            expected=expected,
        )
    return S3Response(
        {
            "ETag": members.quoted(version.etag),
            **members.checksum_members(version.checksums),
            **members.written_version_members(bucket, version.version),
            **members.encryption_members(version.attributes),
            "Expiration": _expiration(request, version),
        }
    )


def get_object(request: S3Request) -> S3Response:
    reading = _opened(request)
    try:
        return _described(request, reading, with_body=True)
    except BaseException:
        reading.close()
        raise


def head_object(request: S3Request) -> S3Response:
    with _opened(request) as reading:
        return _described(request, reading, with_body=False)


def copy_object(request: S3Request) -> S3Response:
    bucket, params = request.bucket, request.params
    source = members.source_of(params["CopySource"])
    source_bucket = request.check_source_owner(source)
    with copying.open_source(request.store.objects, source, members.source_conditions(request)) as reading:
        found = reading.version
    archive.check_source(found, request.now)
    customer_keys.check_object(found.attributes.headers, params, "CopySource")
    customer_keys.check(params)
    _refuse_copy_to_itself(request, source)
    version = request.store.copies.copy(
        source,
        request.bucket_name,
        request.key,
        attributes=lambda kept: _with_access(request, _retained(request, _of_copy(request, kept))),
        algorithm=params.get("ChecksumAlgorithm") or "",
        conditions=members.write_conditions(params),
        source_conditions=members.source_conditions(request),
    )
    return S3Response(
        {
            "CopyObjectResult": {
                "ETag": members.quoted(version.etag),
                "LastModified": version.modified,
                **members.checksum_members(version.checksums),
            },
            "CopySourceVersionId": found.version if source_bucket.versioning else None,
            **members.written_version_members(bucket, version.version),
            **members.encryption_members(version.attributes),
            "Expiration": _expiration(request, version),
        }
    )


def rename_object(request: S3Request) -> S3Response:
    _ = request.bucket
    source = members.source_of(f"{request.bucket_name}/{request.params['RenameSource'].removeprefix('/')}")
    key = source.key.removeprefix(f"{request.bucket_name}/")
    params = {**request.params, "IfMatch": request.params.get("DestinationIfMatch")}
    params["IfNoneMatch"] = request.params.get("DestinationIfNoneMatch")
    request.store.copies.rename(
        request.bucket_name,
        key,
        request.key,
        conditions=members.write_conditions(params),
        source_conditions=members.read_conditions(request.params, "Source"),
    )
    return S3Response()


def delete_object(request: S3Request) -> S3Response:
    bucket = request.bucket
    _check_bypass(request)
    deletion = request.store.objects.delete(
        request.bucket_name,
        request.key,
        request.version,
        conditions=members.write_conditions(request.params, deleting=True),
        bypass_governance=bool(request.params.get("BypassGovernanceRetention")),
    )
    return S3Response(_deletion_members(deletion) if bucket.versioning or deletion.version else {})


def delete_objects(request: S3Request) -> S3Response:
    _check_bypass(request)
    wanted = request.params["Delete"].get("Objects") or []
    if not 1 <= len(wanted) <= _MOST_DELETES:
        raise refusals.no_parts()
    results = request.store.objects.delete_many(
        request.bucket_name,
        [(one["Key"], one.get("VersionId"), _delete_conditions(one)) for one in wanted],
        bypass_governance=bool(request.params.get("BypassGovernanceRetention")),
    )
    deleted, errors = [], []
    for one, result in zip(wanted, results, strict=True):
        named = {"Key": one["Key"], "VersionId": one.get("VersionId")}
        if isinstance(result, AwsError):
            if result.code == "InvalidArgument":  # what can be no version is here one that is not there
                result = refusals.no_such_version(one["Key"], one.get("VersionId", ""))
            errors.append({**named, "Code": result.code, "Message": result.message})
            continue
        done = {**named, "DeleteMarker": result.is_delete_marker or None}
        if result.is_delete_marker:
            done["DeleteMarkerVersionId"] = result.version
        deleted.append(done)
    quiet = request.params["Delete"].get("Quiet")
    return S3Response({"Deleted": [] if quiet else deleted, "Errors": errors})


def get_object_attributes(request: S3Request) -> S3Response:
    bucket = request.bucket
    asked = {name for one in request.params["ObjectAttributes"] for name in one.replace(" ", "").split(",")}
    unknown = asked - {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
    if unknown or not asked:
        raise AwsError("InvalidArgument", "Invalid attribute name specified.")
    version = request.store.objects.head(
        request.bucket_name, request.key, request.version, conditions=members.read_conditions(request.params)
    )
    # Here S3 leaves out of how many parts' checksums the object's is made.
    checksums = {name: value.partition("-")[0] for name, value in members.checksum_members(version.checksums).items()}
    every = {
        "ETag": version.etag,
        "Checksum": checksums or None,
        "ObjectParts": _parts_of(request, version) if version.part_count else None,
        "StorageClass": version.attributes.storage_class,
        "ObjectSize": version.size,
    }
    return S3Response(
        {
            **{name: value for name, value in every.items() if name in asked},
            "LastModified": float(int(version.modified)),
            **members.version_members(bucket, version.version),
        }
    )


def _opened(request: S3Request) -> OpenObject:
    _ = request.bucket
    reading = request.store.objects.open(
        request.bucket_name, request.key, request.version, conditions=members.read_conditions(request.params)
    )
    try:
        if request.operation != "HeadObject":
            archive.check_readable(reading.version, request.now)
        customer_keys.check_object(reading.version.attributes.headers, request.params)
    except AwsError:
        reading.close()
        raise
    return reading


def _check_bypass(request: S3Request) -> None:
    if request.params.get("BypassGovernanceRetention") is not None and not request.bucket.object_lock:
        raise refusals.bypass_without_object_lock()


def _described(request: S3Request, reading: OpenObject, with_body: bool) -> S3Response:
    version = reading.version
    chosen = ranges.selected(request, reading)
    result = {
        **members.object_members(version),
        **members.version_members(request.bucket, version.version),
        "ContentLength": chosen.length,
        "Expiration": _expiration(request, version),
        "Restore": archive.shown(version, request.now),
    }
    if chosen.partial:
        result["ContentRange"] = chosen.content_range(version.size)
    if request.params.get("PartNumber") is not None and version.part_count:
        result["PartsCount"] = version.part_count
    if request.params.get("ChecksumMode") == "ENABLED":
        kind = version.checksums.kind
        if request.params.get("PartNumber") is not None and kind == "COMPOSITE":
            part = reading.part(request.params["PartNumber"])
            result |= {f"Checksum{name}": value for name, value in part.checksums.items()} | {"ChecksumType": kind}
        elif chosen.length == version.size:
            result |= members.checksum_members(version.checksums)
    for name in _OVERRIDES:
        if text := request.params.get(f"Response{name}"):
            result[name] = text
    expires = request.head.query.get("response-expires") or version.attributes.headers.get("Expires")
    return S3Response(
        result,
        reading if with_body else None,
        chosen.first,
        chosen.length,
        status=206 if chosen.partial else 0,
        headers={} if expires is None else {"Expires": expires},
    )


def _refuse_copy_to_itself(request: S3Request, source: Source) -> None:
    params = request.params
    if (source.bucket, source.key) != (request.bucket_name, request.key) or source.version is not None:
        return
    named = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSECustomerAlgorithm")
    if params.get("MetadataDirective") != "REPLACE" and not any(params.get(name) for name in named):
        raise refusals.copy_to_itself()


def _of_copy(request: S3Request, source: Attributes) -> Attributes:
    """What a copy is put with: the source's metadata or the request's, tags likewise, the rest from the request."""
    params, own = request.params, members.attributes(request)
    if params.get("MetadataDirective") != "REPLACE":
        kept = {name: text for name, text in source.headers.items() if name not in _NOT_COPIED}
        of_request = {name: text for name, text in own.headers.items() if name in _ENCRYPTION}
        if redirect := params.get("WebsiteRedirectLocation"):
            of_request["WebsiteRedirectLocation"] = redirect
        own = replace(own, headers={**kept, **of_request}, metadata=source.metadata)
    return own if params.get("TaggingDirective") == "REPLACE" else replace(own, tags=source.tags)


_ENCRYPTION = frozenset(
    {"ServerSideEncryption", "SSEKMSKeyId", "SSECustomerAlgorithm", "SSECustomerKeyMD5", "BucketKeyEnabled"}
)
_NOT_COPIED = _ENCRYPTION | {"WebsiteRedirectLocation"}


def _with_access(request: S3Request, attributes: Attributes) -> Attributes:
    attributes = encrypted(request, attributes)
    acl = acls.of_headers(request.params, request.bucket.account)
    return attributes if acl == attributes.acl else replace(attributes, acl=acl)


def _retained(request: S3Request, attributes: Attributes) -> Attributes:
    """The bucket's default retention, where the request has none of its own."""
    if attributes.retention is not None or not request.bucket.object_lock:
        return attributes
    return replace(attributes, retention=bucket_retention(request))


def _delete_conditions(one: Mapping[str, Any]) -> WriteConditions:
    return members.write_conditions(
        {
            "IfMatch": one.get("ETag"),
            "IfMatchLastModifiedTime": one.get("LastModifiedTime"),
            "IfMatchSize": one.get("Size"),
        },
        deleting=True,
    )


def _deletion_members(deletion: Deletion) -> dict[str, Any]:
    return {"DeleteMarker": deletion.is_delete_marker or None, "VersionId": deletion.version or None}


def _parts_of(request: S3Request, version: Version) -> dict[str, Any]:
    limit = min(request.params.get("MaxParts") or 1000, 1000)
    after = int(request.params.get("PartNumberMarker") or 0)
    page = request.store.objects.parts(request.bucket_name, request.key, version.version, after=after, limit=limit)
    described = [
        {
            "PartNumber": part.number,
            "Size": part.size,
            **{f"Checksum{name}": value for name, value in part.checksums.items()},
        }
        for part in page.items
    ]
    # Where the object's checksum is not made of its parts', S3 says only how many there are.
    if version.checksums.kind != "COMPOSITE":
        return {"TotalPartsCount": version.part_count}
    return {
        "TotalPartsCount": version.part_count,
        "PartNumberMarker": str(after),
        "NextPartNumberMarker": str(page.next_number if page.items else 0),
        "MaxParts": limit,
        "IsTruncated": page.truncated,
        "Parts": described,
    }


def _expiration(request: S3Request, version: Version) -> str | None:
    found = lifecycle.expiration(
        lifecycle_rules(request), version.key, version.size, version.attributes.tags, version.modified
    )
    if found is None:
        return None
    when, rule = found
    return f'expiry-date="{write_timestamp(when, "rfc822")}", rule-id="{rule}"'


OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "CopyObject": copy_object,
        "DeleteObject": delete_object,
        "DeleteObjects": delete_objects,
        "GetObject": get_object,
        "GetObjectAttributes": get_object_attributes,
        "HeadObject": head_object,
        "PutObject": put_object,
        "RenameObject": rename_object,
    }
)
