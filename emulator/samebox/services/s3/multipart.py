"""Multipart uploads: begun, their parts sent or copied, listed, completed or aborted."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.s3 import refusals
from samebox.s3.records import Checksums, ChecksumType, Completion, NamedPart, Part
from samebox.services.s3 import acls, archive, customer_keys, members, ranges
from samebox.services.s3.bodies import received
from samebox.services.s3.links import link
from samebox.services.s3.listings import encoder, page_size
from samebox.services.s3.requests import Handler, S3Response
from samebox.services.s3.settings import bucket_retention, encrypted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from samebox.s3.records import UploadsPage
    from samebox.services.s3.requests import S3Request


def create_multipart_upload(request: S3Request) -> S3Response:
    bucket, params = request.bucket, request.params
    customer_keys.check(params)
    _check_type(params.get("ChecksumAlgorithm") or "", params.get("ChecksumType") or "")
    attributes = encrypted(request, members.attributes(request))
    attributes = replace(attributes, acl=acls.of_headers(params, bucket.account))
    if attributes.retention is None and bucket.object_lock:
        attributes = replace(attributes, retention=bucket_retention(request))
    upload = request.store.uploads.create(
        bucket.name,
        request.key,
        attributes,
        algorithm=params.get("ChecksumAlgorithm") or "",
        checksum_type=params.get("ChecksumType") or "",
    )
    return S3Response(
        {
            "Bucket": bucket.name,
            "Key": request.key,
            "UploadId": upload.upload_id,
            "ChecksumAlgorithm": upload.algorithm or None,
            "ChecksumType": upload.checksum_type or None,
            **members.encryption_members(attributes),
        }
    )


def upload_part(request: S3Request) -> S3Response:
    bucket, params = request.bucket, request.params
    upload = request.store.uploads.get(bucket.name, request.key, params["UploadId"])
    customer_keys.check_part(upload.attributes.headers, params)
    named = members.named_algorithms(request)
    other = next((one for one in named if upload.algorithm and one != upload.algorithm), None)
    if not named and upload.checksum_type == "COMPOSITE":
        other = "null"  # S3 adds a missing checksum itself only where the upload's is of the whole object
    if other is not None:
        text = "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}"
        raise AwsError("InvalidRequest", text.format(upload.algorithm.lower(), other.lower()))
    wanted = (upload.algorithm,) if upload.algorithm else members.algorithms(request)
    with received(request, wanted, params["UploadId"]) as (body, expected):
        part = request.store.uploads.put_part(
            bucket.name, request.key, params["UploadId"], params["PartNumber"], body, expected=expected
        )
    return S3Response(
        {
            "ETag": members.quoted(part.etag),
            **{f"Checksum{name}": value for name, value in part.checksums.items()},
            **members.encryption_members(upload.attributes),
        }
    )


def upload_part_copy(request: S3Request) -> S3Response:
    bucket, params = request.bucket, request.params
    source = members.source_of(params["CopySource"])
    request.check_source_owner(source)
    found = request.store.objects.head(
        source.bucket, source.key, source.version, conditions=members.read_conditions(params, "CopySource")
    )
    archive.check_source(found, request.now)
    customer_keys.check_object(found.attributes.headers, params, "CopySource")
    first, last = ranges.copied(params.get("CopySourceRange"))
    part, version = request.store.uploads.copy_part(
        bucket.name,
        request.key,
        params["UploadId"],
        params["PartNumber"],
        source,
        first=first,
        last=last,
        source_conditions=members.source_conditions(request),
    )
    upload = request.store.uploads.get(bucket.name, request.key, params["UploadId"])
    return S3Response(
        {
            "CopyPartResult": {
                "ETag": members.quoted(part.etag),
                "LastModified": part.modified,
                **{f"Checksum{name}": value for name, value in part.checksums.items() if name == upload.algorithm},
            },
            **members.encryption_members(upload.attributes),
            "CopySourceVersionId": version if request.store.buckets.get(source.bucket).versioning else None,
        }
    )


def complete_multipart_upload(request: S3Request) -> S3Response:
    bucket, params = request.bucket, request.params
    if params.get("MultipartUpload") is None:
        raise AwsError("InvalidRequest", "You must specify at least one part")
    parts = params["MultipartUpload"].get("Parts") or []
    if any(part.get("PartNumber") is None or not part.get("ETag") for part in parts):
        raise refusals.no_parts()
    kind: ChecksumType = params.get("ChecksumType") or ""
    completion = Completion(
        parts=tuple(
            NamedPart(part["PartNumber"], members.unquoted(part["ETag"]), members.checksum_values(part))
            for part in parts
        ),
        size=params.get("MpuObjectSize"),
        checksums=Checksums(members.checksum_values(params), kind),
    )
    version = request.store.uploads.complete(
        bucket.name,
        request.key,
        params["UploadId"],
        completion,
        conditions=members.write_conditions(params),
    )
    return S3Response(
        {
            "Location": link(request.scheme, request.head, bucket.name, request.key),
            "Bucket": bucket.name,
            "Key": request.key,
            "ETag": members.quoted(version.etag),
            **members.checksum_members(version.checksums),
            **members.written_version_members(bucket, version.version),
            **members.encryption_members(version.attributes),
        }
    )


def abort_multipart_upload(request: S3Request) -> S3Response:
    bucket = request.bucket
    request.store.uploads.abort(bucket.name, request.key, request.params["UploadId"])
    return S3Response()


def list_parts(request: S3Request) -> S3Response:
    bucket, params = request.bucket, request.params
    limit = page_size(params.get("MaxParts"), "max-parts")
    upload = request.store.uploads.get(bucket.name, request.key, params["UploadId"])
    after = int(params.get("PartNumberMarker") or 0)
    page = request.store.uploads.parts(bucket.name, request.key, params["UploadId"], after=after, limit=limit)
    owner = members.owner_of(bucket.account)
    return S3Response(
        {
            "Bucket": bucket.name,
            "Key": request.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": after,
            "NextPartNumberMarker": page.next_number if page.items else 0,
            "MaxParts": limit,
            "IsTruncated": page.truncated,
            "Parts": [_part(part, upload.algorithm) for part in page.items if isinstance(part, Part)],
            "Initiator": owner,
            "Owner": owner,
            "StorageClass": upload.attributes.storage_class,
            "ChecksumAlgorithm": upload.algorithm or None,
            "ChecksumType": upload.checksum_type or None,
        }
    )


def list_multipart_uploads(request: S3Request) -> S3Response:
    bucket, params, encode = request.bucket, request.params, encoder(request)
    limit = page_size(params.get("MaxUploads"), "max-uploads")
    page = request.store.lists.uploads(
        bucket.name,
        prefix=params.get("Prefix") or "",
        delimiter=params.get("Delimiter") or "",
        after_key=params.get("KeyMarker") or "",
        after_upload=params.get("UploadIdMarker") or "",
        limit=limit,
    )
    owner = members.owner_of(bucket.account)
    return S3Response(
        {
            "Bucket": bucket.name,
            "KeyMarker": encode(params.get("KeyMarker") or ""),
            "UploadIdMarker": params.get("UploadIdMarker") or "",
            **_next_markers(page, encode),
            "Prefix": encode(params.get("Prefix") or ""),
            "Delimiter": encode(params["Delimiter"]) if params.get("Delimiter") else None,
            "EncodingType": params.get("EncodingType"),
            "MaxUploads": limit,
            "IsTruncated": page.truncated,
            "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
            "Uploads": [
                {
                    "UploadId": upload.upload_id,
                    "Key": encode(upload.key),
                    "Initiated": upload.initiated,
                    "StorageClass": upload.attributes.storage_class,
                    "Owner": owner,
                    "Initiator": owner,
                    "ChecksumAlgorithm": upload.algorithm or None,
                    "ChecksumType": upload.checksum_type or None,
                }
                for upload in page.items
            ],
        }
    )


def _check_type(algorithm: str, kind: str) -> None:
    """What a checksum may be of. Raises InvalidRequest."""
    if kind and not algorithm:
        text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        raise AwsError("InvalidRequest", text)
    if (kind == "FULL_OBJECT" and algorithm.startswith("SHA")) or (kind == "COMPOSITE" and algorithm == "CRC64NVME"):
        text = f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise AwsError("InvalidRequest", text)


def _next_markers(page: UploadsPage, encode: Callable[[str], str]) -> dict[str, str]:
    """Where the next page begins; of the last page too, as S3 has it, with its last upload."""
    if page.truncated:
        return {"NextKeyMarker": encode(page.next_key), "NextUploadIdMarker": page.next_upload}
    last = page.items[-1] if page.items else None
    key, upload = ("", "") if last is None else (last.key, last.upload_id)
    return {"NextKeyMarker": encode(key), "NextUploadIdMarker": upload}


def _part(part: Part, algorithm: str) -> dict[str, Any]:
    # Of an upload that was begun without an algorithm, S3 shows none of the checksums that came with its parts.
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": members.quoted(part.etag),
        "Size": part.size,
        **{f"Checksum{name}": value for name, value in part.checksums.items() if name == algorithm},
    }


OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "AbortMultipartUpload": abort_multipart_upload,
        "CompleteMultipartUpload": complete_multipart_upload,
        "CreateMultipartUpload": create_multipart_upload,
        "ListMultipartUploads": list_multipart_uploads,
        "ListParts": list_parts,
        "UploadPart": upload_part,
        "UploadPartCopy": upload_part_copy,
    }
)
