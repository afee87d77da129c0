"""Who may use a bucket without a signature: everybody, unless a setting has the rules of AWS acted on.

Then a request that is not signed needs a bucket policy or an ACL that lets everybody in, and what the public access
block and the ownership setting leave of these. Signed requests are never refused for permissions. Written from AWS's
"Blocking public access to your Amazon S3 storage", "Policies and permissions in Amazon S3" and "Access control list
(ACL) overview".
"""

from __future__ import annotations

import fnmatch
import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.services.s3 import acls
from samebox.services.s3.settings import kept_or_default
from samebox.wire.partitions import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from samebox.services.s3.requests import S3Request

# The action that a policy names, where it is not called as the operation is.
_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "CompleteMultipartUpload": "PutObject",
        "CopyObject": "PutObject",
        "CreateMultipartUpload": "PutObject",
        "DeleteObjects": "DeleteObject",
        "HeadBucket": "ListBucket",
        "HeadObject": "GetObject",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "ListObjectVersions": "ListBucketVersions",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListParts": "ListMultipartUploadParts",
        "UploadPart": "PutObject",
        "UploadPartCopy": "PutObject",
    }
)
_OF_VERSIONS = frozenset({"DeleteObject", "GetObject", "GetObjectAcl", "GetObjectTagging"})
# The permission of an ACL that stands for an action: of the object's, or of the bucket's.
_OF_OBJECT = MappingProxyType({"GetObject": "READ", "GetObjectAcl": "READ_ACP", "PutObjectAcl": "WRITE_ACP"})
_OF_BUCKET = MappingProxyType(
    {
        "DeleteObject": "WRITE",
        "GetBucketAcl": "READ_ACP",
        "ListBucket": "READ",
        "ListBucketMultipartUploads": "READ",
        "ListBucketVersions": "READ",
        "PutBucketAcl": "WRITE_ACP",
        "PutObject": "WRITE",
    }
)
_PUTS_ACL = frozenset({"CopyObject", "CreateMultipartUpload", "PutBucketAcl", "PutObject", "PutObjectAcl"})


def check(request: S3Request) -> None:
    """Raises AccessDenied where AWS would: for what is not signed, and for settings that the access block forbids."""
    if not request.caller.access_key and not request.is_signed_form:
        if not request.bucket_name or not _lets_in(request):
            raise _denied()
        source = request.params.get("CopySource")
        if source is not None:
            raise _denied()  # Choice: what is copied without a signature is refused; it would need two buckets' rules.
    if request.bucket_name and request.operation in ("PutBucketPolicy", *_PUTS_ACL):
        _check_block(request)


def _lets_in(request: S3Request) -> bool:
    action = _ACTIONS.get(request.operation, request.operation)
    by_policy = _by_policy(request, action)
    if by_policy is False:
        return False
    block = _block(request)
    if by_policy and not block.get("RestrictPublicBuckets"):
        return True
    return not block.get("IgnorePublicAcls") and _has_acls(request) and _by_acl(request, action)


def _by_policy(request: S3Request, action: str) -> bool | None:
    """What the bucket's policy says of everybody: True, False for a Deny, None where it says nothing."""
    policy = kept_or_default(request, "policy")
    if request.version is not None and action in _OF_VERSIONS:
        action = action.replace("Object", "ObjectVersion")
    keys = [one["Key"] for one in (request.params.get("Delete") or {}).get("Objects") or []] or [request.key]
    arn = f"arn:{partition_of(request.bucket.region).name}:s3:::{request.bucket_name}"
    found: bool | None = None
    for key in keys:
        verdict = _verdict(policy, f"s3:{action}", f"{arn}/{key}" if key else arn)
        if not verdict:
            return verdict
        found = True
    return found


def _verdict(policy: str | None, action: str, resource: str) -> bool | None:
    found: bool | None = None
    for one in _statements(policy):
        if not _speaks_of_everybody(one) or not _names(one, "Action", action, re.IGNORECASE):
            continue
        if not _names(one, "Resource", resource, 0):
            continue
        if one.get("Effect") == "Deny":
            return False
        # A condition is not evaluated: with one, nothing is allowed to everybody, and all that it denies is denied.
        if not one.get("Condition"):
            found = True
    return found


def _statements(policy: str | None) -> Iterator[Mapping[str, Any]]:
    statements = json.loads(policy)["Statement"] if policy else []
    yield from [statements] if isinstance(statements, dict) else statements


def _speaks_of_everybody(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    return principal == "*" or (isinstance(principal, list) and "*" in principal)


def _names(statement: Mapping[str, Any], field: str, wanted: str, flags: int) -> bool:
    is_other = field not in statement
    patterns = statement.get(f"Not{field}" if is_other else field, [])
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return is_other != any(_fits(str(pattern), wanted, flags) for pattern in patterns)


def _fits(pattern: str, text: str, flags: int) -> bool:
    # `*` and `?` alone are special, so brackets are taken as they are.
    expression = fnmatch.translate(pattern.replace("[", "[[]"))
    return re.fullmatch(expression, text, flags | re.DOTALL) is not None


def _by_acl(request: S3Request, action: str) -> bool:
    if action in _OF_OBJECT:
        try:
            kept = request.store.objects.head(request.bucket_name, request.key, request.version).attributes.acl
        except AwsError:
            return False
        return acls.lets_everybody(kept, _OF_OBJECT[action])
    wanted = _OF_BUCKET.get(action)
    kept = request.store.buckets.setting(request.bucket_name, "acl") or ""
    return wanted is not None and acls.lets_everybody(kept, wanted)


def _block(request: S3Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] = kept_or_default(request, "publicAccessBlock") or {}
    return found


def _has_acls(request: S3Request) -> bool:
    ownership = kept_or_default(request, "ownership") or {}
    rules = ownership.get("Rules") or [{}]
    return bool(rules[0].get("ObjectOwnership") != "BucketOwnerEnforced")


def _check_block(request: S3Request) -> None:
    block, params = _block(request), request.params
    if request.operation == "PutBucketPolicy":
        is_public = any(
            one.get("Effect") == "Allow" and _speaks_of_everybody(one) and not one.get("Condition")
            for one in _statements(params.get("Policy"))
        )
        if is_public and block.get("BlockPublicPolicy"):
            raise _denied()
        return
    given = acls.given(request)
    if given is None:
        return
    if not _has_acls(request) and params.get("ACL") not in ("private", "bucket-owner-full-control"):
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs")
    if block.get("BlockPublicAcls") and acls.is_public(given):
        raise _denied()


def _denied() -> AwsError:
    return AwsError("AccessDenied", "Access Denied", 403)
