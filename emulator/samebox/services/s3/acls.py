"""Access control lists, which are kept and shown. A setting has those acted on that let everybody in (public.py)."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.s3 import refusals
from samebox.services.s3 import members
from samebox.services.s3.requests import Handler, S3Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from samebox.services.s3.requests import S3Request

_GROUPS = "http://acs.amazonaws.com/groups"
_EVERYBODY = {"Type": "Group", "URI": f"{_GROUPS}/global/AllUsers"}
_AUTHENTICATED = {"Type": "Group", "URI": f"{_GROUPS}/global/AuthenticatedUsers"}
_LOGS = {"Type": "Group", "URI": f"{_GROUPS}/s3/LogDelivery"}
_URIS = frozenset(group["URI"] for group in (_EVERYBODY, _AUTHENTICATED, _LOGS))
_USER = re.compile(r"[0-9a-f]{64}")
# What each canned list grants beyond the owner's full control.
_CANNED: Mapping[str, tuple[tuple[Mapping[str, str], str], ...]] = MappingProxyType(
    {
        "private": (),
        "public-read": ((_EVERYBODY, "READ"),),
        "public-read-write": ((_EVERYBODY, "READ"), (_EVERYBODY, "WRITE")),
        "authenticated-read": ((_AUTHENTICATED, "READ"),),
        "aws-exec-read": (),
        "bucket-owner-read": (),
        "bucket-owner-full-control": (),
        "log-delivery-write": ((_LOGS, "WRITE"), (_LOGS, "READ_ACP")),
    }
)
_GRANT_HEADERS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]+)"?\s*', re.IGNORECASE)


def of_headers(params: Mapping[str, Any], account: str) -> str:
    """The list that a request's headers name, as it is kept; "" for the default, which is the owner's alone."""
    canned = params.get("ACL")
    granted = [name for name in _GRANT_HEADERS if params.get(name)]
    if canned is not None and granted:
        raise AwsError("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if canned is not None:
        if canned not in _CANNED:
            raise AwsError("InvalidArgument", "", 400, {"ArgumentName": "x-amz-acl", "ArgumentValue": canned})
        grants = [_grant(grantee, permission) for grantee, permission in _CANNED[canned]]
        return "" if not grants else _kept([_owners(account), *grants])
    if granted:
        return _kept([grant for name in granted for grant in _header_grants(name, params[name])])
    return ""


def shown(kept: str, account: str) -> dict[str, Any]:
    """The members of GetBucketAcl and GetObjectAcl."""
    grants = json.loads(kept) if kept else [_owners(account)]
    return {"Owner": members.owner_of(account), "Grants": grants}


def is_public(kept: str) -> bool:
    """Whether the list lets everybody in."""
    grants = json.loads(kept) if kept else []
    return any(grant.get("Grantee", {}).get("URI") in (_EVERYBODY["URI"], _AUTHENTICATED["URI"]) for grant in grants)


def lets_everybody(kept: str, permission: str) -> bool:
    """Whether the list gives everybody, signed or not, a permission."""
    grants = json.loads(kept) if kept else []
    return any(
        grant.get("Grantee", {}).get("URI") == _EVERYBODY["URI"]
        and grant.get("Permission") in (permission, "FULL_CONTROL")
        for grant in grants
    )


def given(request: S3Request) -> str | None:
    """The list that a request gives, in headers or as its document; None where it gives none."""
    params = request.params
    if params.get("AccessControlPolicy") is None and params.get("ACL") is None:
        return of_headers(params, request.bucket.account) or None
    return _of_request(request)


def _of_request(request: S3Request) -> str:
    policy = request.params.get("AccessControlPolicy")
    by_header = of_headers(request.params, request.bucket.account)
    has_header = any(request.params.get(name) for name in ("ACL", *_GRANT_HEADERS))
    if policy is None:
        if not has_header:
            fields = {"MissingHeaderName": "x-amz-acl"}
            raise AwsError("MissingSecurityHeader", "Your request was missing a required header", 400, fields)
        return by_header
    if has_header:
        raise AwsError("UnexpectedContent", "This request does not support content")
    owner = (policy.get("Owner") or {}).get("ID")
    if owner is None:
        raise _malformed()
    _check_user(owner, "CanonicalUser/ID")
    grants = policy.get("Grants") or []
    for grant in grants:
        _check_grant(grant)
    return _kept(grants)


def _check_grant(grant: Mapping[str, Any]) -> None:
    grantee = grant.get("Grantee") or {}
    if grant.get("Permission") not in _GRANT_HEADERS.values():
        raise _malformed()
    if grantee.get("URI"):
        _check_group(grantee["URI"], "Group/URI")
    elif grantee.get("ID"):
        _check_user(grantee["ID"], "CanonicalUser/ID")
    elif not grantee.get("EmailAddress"):
        raise _malformed()


def _check_user(value: str, name: str) -> None:
    if not _USER.fullmatch(value):
        raise _invalid("Invalid id", name, value)


def _check_group(value: str, name: str) -> None:
    if value not in _URIS:
        raise _invalid("Invalid group uri", name, value)


def _invalid(text: str, name: str, value: str) -> AwsError:
    return AwsError("InvalidArgument", text, 400, {"ArgumentName": name, "ArgumentValue": value})


def _malformed() -> AwsError:
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedACLError", text)


def get_bucket_acl(request: S3Request) -> S3Response:
    bucket = request.bucket
    return S3Response(shown(request.store.buckets.setting(bucket.name, "acl") or "", bucket.account))


def put_bucket_acl(request: S3Request) -> S3Response:
    bucket = request.bucket
    request.store.buckets.set_setting(bucket.name, "acl", _of_request(request))
    return S3Response()


def get_object_acl(request: S3Request) -> S3Response:
    bucket = request.bucket
    version = request.store.objects.head(bucket.name, request.key, request.version)
    return S3Response(shown(version.attributes.acl, bucket.account))


def put_object_acl(request: S3Request) -> S3Response:
    bucket = request.bucket
    try:
        request.store.objects.set_acl(bucket.name, request.key, _of_request(request), request.version)
    except AwsError as error:
        if error.code == "NoSuchKey" and "DeleteMarker" in error.fields:
            raise refusals.delete_marker_named(error.fields["VersionId"]) from None
        raise
    return S3Response()


def _kept(grants: list[dict[str, Any]]) -> str:
    return json.dumps(grants, separators=(",", ":"))


def _grant(grantee: Mapping[str, str], permission: str) -> dict[str, Any]:
    return {"Grantee": dict(grantee), "Permission": permission}


def _owners(account: str) -> dict[str, Any]:
    return _grant({"Type": "CanonicalUser", **members.owner_of(account)}, "FULL_CONTROL")


def _header_grants(name: str, text: str) -> Iterator[dict[str, Any]]:
    permission = _GRANT_HEADERS[name]
    for one in text.split(","):
        found = _GRANTEE.fullmatch(one)
        if found is None:
            header = f"x-amz-grant-{permission.lower().replace('_', '-')}"
            raise _invalid("Argument format not recognized", header, one.strip())
        kind, value = found[1].lower(), found[2]
        if kind == "id":
            _check_user(value, "id")
            yield _grant({"Type": "CanonicalUser", "ID": value}, permission)
        elif kind == "uri":
            _check_group(value, "uri")
            yield _grant({"Type": "Group", "URI": value}, permission)
        else:
            yield _grant({"Type": "AmazonCustomerByEmail", "EmailAddress": value}, permission)


OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "GetBucketAcl": get_bucket_acl,
        "GetObjectAcl": get_object_acl,
        "PutBucketAcl": put_bucket_acl,
        "PutObjectAcl": put_object_acl,
    }
)
