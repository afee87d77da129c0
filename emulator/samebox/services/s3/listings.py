"""Lists of keys, of versions, and the two forms of a page of them."""

from __future__ import annotations

import base64
import binascii
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.services.s3 import members
from samebox.services.s3.entries import contents, percent_encoded
from samebox.services.s3.requests import Handler, S3Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from samebox.s3.records import Listed, Page
    from samebox.services.s3.requests import S3Request

_MOST_KEYS = 1000
_MOST_INTEGER = 2**31 - 1


def list_objects(request: S3Request) -> S3Response:
    bucket, params, encode = request.bucket, request.params, encoder(request)
    limit = page_size(params.get("MaxKeys"), "maxKeys")
    delimiter, marker = params.get("Delimiter") or "", params.get("Marker") or ""
    owner = members.owner_of(bucket.account)["ID"]
    page = request.store.lists.objects(
        bucket.name, prefix=params.get("Prefix") or "", delimiter=delimiter, after=marker, limit=limit
    )
    return S3Response(
        {
            **_page(params, page, encode, limit),
            "Name": bucket.name,
            "Marker": encode(marker),
            # Without a delimiter the last key of the page is the marker, and S3 leaves it to the client.
            "NextMarker": encode(page.next_key) if page.truncated and delimiter else None,
            "Contents": contents(page.items, encode, owner),
        }
    )


def list_objects_v2(request: S3Request) -> S3Response:
    bucket, params, encode = request.bucket, request.params, encoder(request)
    limit = page_size(params.get("MaxKeys"), "maxKeys")
    token, start = params.get("ContinuationToken"), params.get("StartAfter") or ""
    if token == "":
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect")
    page = request.store.lists.objects(
        bucket.name,
        prefix=params.get("Prefix") or "",
        delimiter=params.get("Delimiter") or "",
        after=_read_token(token) if token else start,
        skip_prefix=bool(token),
        limit=limit,
    )
    owner = members.owner_of(bucket.account)["ID"] if params.get("FetchOwner") else None
    return S3Response(
        {
            **_page(params, page, encode, limit),
            "Name": bucket.name,
            "KeyCount": len(page.items) + len(page.prefixes),
            "ContinuationToken": token,
            "NextContinuationToken": _token(page.next_key) if page.truncated else None,
            "StartAfter": encode(start) if start else None,
            "Contents": contents(page.items, encode, owner),
        }
    )


def list_object_versions(request: S3Request) -> S3Response:
    bucket, params, encode = request.bucket, request.params, encoder(request)
    limit = page_size(params.get("MaxKeys"), "maxKeys")
    key_marker, version_marker = params.get("KeyMarker") or "", params.get("VersionIdMarker") or ""
    if version_marker and not key_marker:
        raise AwsError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    page = request.store.lists.versions(
        bucket.name,
        prefix=params.get("Prefix") or "",
        delimiter=params.get("Delimiter") or "",
        after_key=key_marker,
        after_version=version_marker,
        limit=limit,
    )
    owner = members.owner_of(bucket.account)
    common = [
        {
            "Key": encode(one.key),
            "VersionId": one.version,
            "IsLatest": one.is_latest,
            "LastModified": one.modified,
            "Owner": owner,
        }
        for one in page.items
    ]
    return S3Response(
        {
            **_page(params, page, encode, limit),
            "Name": bucket.name,
            "KeyMarker": encode(key_marker),
            "VersionIdMarker": version_marker,
            "NextKeyMarker": encode(page.next_key) if page.truncated else None,
            "NextVersionIdMarker": (page.next_version or None) if page.truncated else None,
            "Versions": [
                {**shared, **_stored(one)}
                for shared, one in zip(common, page.items, strict=True)
                if not one.is_delete_marker
            ],
            "DeleteMarkers": [shared for shared, one in zip(common, page.items, strict=True) if one.is_delete_marker],
        }
    )


def encoder(request: S3Request) -> Callable[[str], str]:
    """How keys are written: percent-encoded where the client asks for it, because XML 1.0 cannot hold every key."""
    kind = request.params.get("EncodingType")
    if kind not in (None, "url"):
        raise AwsError(
            "InvalidArgument", "Invalid Encoding Method specified in Request", 400,
            {"ArgumentName": "encoding-type", "ArgumentValue": str(kind)},
        )  # fmt: skip
    return str if kind is None else percent_encoded


def page_size(asked: int | None, name: str) -> int:
    """How many entries a page has. Raises InvalidArgument."""
    if asked is None:
        return _MOST_KEYS
    if not 0 <= asked <= _MOST_INTEGER:
        text = f"Argument {name} must be an integer between 0 and {_MOST_INTEGER}"
        raise AwsError("InvalidArgument", text, 400, {"ArgumentName": name, "ArgumentValue": str(asked)})
    return min(asked, _MOST_KEYS)


def _page(params: Mapping[str, Any], page: Page, encode: Callable[[str], str], limit: int) -> dict[str, Any]:
    """The members that all three lists have."""
    delimiter = params.get("Delimiter")
    return {
        "Prefix": encode(params.get("Prefix") or ""),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": limit,
        "EncodingType": params.get("EncodingType"),
        "IsTruncated": page.truncated,
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }


def _stored(one: Listed) -> dict[str, Any]:
    return {
        "ETag": members.quoted(one.etag),
        "ChecksumAlgorithm": one.algorithms.split(",") if one.algorithms else None,
        "ChecksumType": one.checksum_type or None,
        "Size": one.size,
        "StorageClass": one.storage_class,
    }


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        fields = {"ArgumentName": "continuation-token"}
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect", 400, fields) from None


OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "ListObjectVersions": list_object_versions,
        "ListObjects": list_objects,
        "ListObjectsV2": list_objects_v2,
    }
)
