"""Settings of a bucket: each is kept as it was put, shown again, and removed. The emulator acts on versioning, the
default retention of object lock, lifecycle rules and CORS. docs/s3.md has a row for each of the others.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.s3 import lifecycle
from samebox.s3.records import Retention
from samebox.services.s3 import acls, setting_checks, website_checks
from samebox.services.s3.requests import Handler, S3Response
from samebox.wire.partitions import partition_of
from samebox.wire.restxml import malformed_xml

if TYPE_CHECKING:
    from samebox.s3.records import Attributes
    from samebox.services.s3.requests import S3Request

_DAY = 86_400.0
_YEAR_DAYS = 365
_PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """One setting: its name in the storage, the member of Put's input that is kept, and what Get answers.

    `shown` makes Get's output of what was kept. `default` is Get's output where nothing was put; without one, `missing`
    (code and text) is answered. `accepted` gives what is kept, and raises AwsError for what S3 does not take. `status`
    is Put's, where it is not the model's.
    """

    name: str
    member: str
    shown: Callable[[Any], Answer] = lambda kept: kept
    default: Answer | None = None
    missing: tuple[str, str] = ("", "")
    accepted: Callable[[S3Request, Any], Any] = setting_checks.unchanged
    status: int = 0
    answer: Callable[[Any], Answer] = lambda _: {}  # Put's output, of what is kept


def _wrapped(member: str) -> Callable[[Any], Answer]:
    return lambda kept: {member: kept}


_ENCRYPTION = "ServerSideEncryptionConfiguration"
_OWNERSHIP = "OwnershipControls"
_BLOCK = "PublicAccessBlockConfiguration"
_MINIMUM = setting_checks.MINIMUM_SIZE
# By the name of the noun in the operations: Put<noun>, Get<noun>, Delete<noun>. What a new bucket has without a Put is
# what S3 has given new buckets since April 2023.
_SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "BucketAccelerateConfiguration": Setting(
            "accelerate", "AccelerateConfiguration", default={}, accepted=setting_checks.acceleration
        ),
        "BucketCors": Setting(
            "cors",
            "CORSConfiguration",
            missing=("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
            accepted=setting_checks.cors,
        ),
        "BucketEncryption": Setting(
            "encryption",
            _ENCRYPTION,
            _wrapped(_ENCRYPTION),
            default={
                _ENCRYPTION: {
                    "Rules": [
                        {
                            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                            "BucketKeyEnabled": False,
                        }
                    ]
                }
            },
            accepted=setting_checks.encryption,
        ),
        "BucketLifecycleConfiguration": Setting(
            "lifecycle",
            "LifecycleConfiguration",
            missing=("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
            accepted=setting_checks.lifecycle_rules,
            answer=lambda kept: {_MINIMUM: kept[_MINIMUM]},
        ),
        "BucketLogging": Setting("logging", "BucketLoggingStatus", default={}, accepted=setting_checks.logging),
        "BucketNotificationConfiguration": Setting(
            "notification", "NotificationConfiguration", default={}, accepted=setting_checks.notification
        ),
        "BucketOwnershipControls": Setting(
            "ownership",
            _OWNERSHIP,
            _wrapped(_OWNERSHIP),
            default={_OWNERSHIP: {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
            missing=("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
            accepted=setting_checks.ownership,
        ),
        "BucketPolicy": Setting(
            "policy",
            "Policy",
            _wrapped("Policy"),
            missing=("NoSuchBucketPolicy", "The bucket policy does not exist"),
            accepted=setting_checks.policy,
            status=204,
        ),
        "BucketReplication": Setting(
            "replication",
            "ReplicationConfiguration",
            _wrapped("ReplicationConfiguration"),
            missing=("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
            accepted=setting_checks.replication,
        ),
        "BucketRequestPayment": Setting(
            "requestPayment", "RequestPaymentConfiguration", default={"Payer": "BucketOwner"}
        ),
        "BucketTagging": Setting(
            "tagging",
            "Tagging",
            missing=("NoSuchTagSet", "The TagSet does not exist"),
            accepted=setting_checks.tags,
            status=204,
        ),
        "BucketWebsite": Setting(
            "website",
            "WebsiteConfiguration",
            missing=(
                "NoSuchWebsiteConfiguration",
                "The specified bucket does not have a website configuration",
            ),
            accepted=website_checks.website,
        ),
        "PublicAccessBlock": Setting(
            "publicAccessBlock",
            _BLOCK,
            _wrapped(_BLOCK),
            default={_BLOCK: dict.fromkeys(_PUBLIC_ACCESS, True)},
            missing=(
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            ),
            accepted=setting_checks.public_access,
        ),
    }
)
# What the emulator acts on; all others are only kept, and shown again.
_ACTED_ON = frozenset({"BucketCors", "BucketLifecycleConfiguration"})
# A setting that was removed is not the one that a new bucket has.
_REMOVED = "null"
# Settings of which a bucket has several, by their ids: the noun, and the members of Get's and List's outputs.
_BY_ID = {
    "BucketAnalyticsConfiguration": ("analytics", "AnalyticsConfiguration", "AnalyticsConfigurationList"),
    "BucketIntelligentTieringConfiguration": (
        "intelligent-tiering",
        "IntelligentTieringConfiguration",
        "IntelligentTieringConfigurationList",
    ),
    "BucketInventoryConfiguration": ("inventory", "InventoryConfiguration", "InventoryConfigurationList"),
    "BucketMetricsConfiguration": ("metrics", "MetricsConfiguration", "MetricsConfigurationList"),
}


def kept(request: S3Request, name: str) -> Any:
    """What was put of a setting, or None."""
    text = request.store.buckets.setting(request.bucket_name, name)
    return None if text is None else json.loads(text)


def kept_or_default(request: S3Request, name: str) -> Any:
    """What was put of a setting; else what a new bucket has; None where it was removed."""
    text = request.store.buckets.setting(request.bucket_name, name)
    if text is not None:
        return None if text == _REMOVED else json.loads(text)
    setting = next(one for one in _SETTINGS.values() if one.name == name)
    return next(iter(setting.default.values()), None) if setting.default else None


def lifecycle_rules(request: S3Request) -> tuple[lifecycle.LifecycleRule, ...]:
    """The bucket's rules; none where it has none."""
    found = kept(request, "lifecycle")
    return lifecycle.rules(found) if found else ()


def encrypted(request: S3Request, attributes: Attributes) -> Attributes:
    """A new object's attributes, with the bucket's default encryption where the request names none."""
    if "ServerSideEncryption" in attributes.headers or "SSECustomerAlgorithm" in attributes.headers:
        return _with_key(request, attributes)
    found = kept(request, "encryption")
    if not found:
        return replace(attributes, headers={**attributes.headers, "ServerSideEncryption": "AES256"})
    rule = found["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    headers = {
        "ServerSideEncryption": default.get("SSEAlgorithm", "AES256"),
        "SSEKMSKeyId": default.get("KMSMasterKeyID"),
        "BucketKeyEnabled": "true" if default and rule.get("BucketKeyEnabled") else None,
    }
    added = {name: text for name, text in headers.items() if text}
    return _with_key(request, replace(attributes, headers={**attributes.headers, **added}))


def _with_key(request: S3Request, attributes: Attributes) -> Attributes:
    """Keys of KMS by their ARNs, as S3 answers them; without one, the account's own for S3."""
    headers = attributes.headers
    if not headers.get("ServerSideEncryption", "").startswith("aws:kms"):
        return attributes
    bucket, name = request.bucket, headers.get("SSEKMSKeyId", "alias/aws/s3")
    at = f"arn:{partition_of(bucket.region).name}:kms:{bucket.region}:{bucket.account}"
    if name.endswith("alias/aws/s3"):
        # Each account has one in each region, with an id that AWS chose.
        name = f"{at}:key/{uuid.uuid5(uuid.NAMESPACE_URL, f'{at}:alias/aws/s3')}"
    elif not name.startswith("arn:"):
        name = f"{at}:{name}" if name.startswith("alias/") else f"{at}:key/{name}"
    return replace(attributes, headers={**headers, "SSEKMSKeyId": name})


def bucket_retention(request: S3Request) -> Retention | None:
    """The retention of a new object of a bucket with object lock, by the bucket's default."""
    found = kept(request, "object-lock") or {}
    default = (found.get("Rule") or {}).get("DefaultRetention")
    if not default:
        return None
    days = default.get("Days") or _YEAR_DAYS * default.get("Years", 0)
    return Retention(default["Mode"], request.now + days * _DAY)


def _put(setting: Setting) -> Handler:
    def put(request: S3Request) -> S3Response:
        bucket = request.bucket
        value = request.params.get(setting.member)
        if value is None:
            raise AwsError("MissingRequestBodyError", "Request Body is empty")
        value = setting.accepted(request, value)
        request.store.buckets.set_setting(bucket.name, setting.name, json.dumps(value))
        return S3Response(setting.answer(value), status=setting.status)

    return put


def _get(setting: Setting) -> Handler:
    def get(request: S3Request) -> S3Response:
        _ = request.bucket
        text = request.store.buckets.setting(request.bucket_name, setting.name)
        if text is None and setting.default is not None:
            return S3Response(setting.default)
        if text is None or text == _REMOVED:
            raise AwsError(*setting.missing, 404, {"BucketName": request.bucket_name})
        return S3Response(setting.shown(json.loads(text)))

    return get


def _delete(setting: Setting) -> Handler:
    def delete(request: S3Request) -> S3Response:
        bucket = request.bucket
        if setting.default is not None and setting.missing[0]:
            request.store.buckets.set_setting(bucket.name, setting.name, _REMOVED)
        else:
            request.store.buckets.remove_setting(bucket.name, setting.name)
        return S3Response()

    return delete


def _put_by_id(name: str, member: str) -> Handler:
    def put(request: S3Request) -> S3Response:
        bucket, value = request.bucket, request.params.get(member)
        if value is None:
            raise AwsError("MissingRequestBodyError", "Request Body is empty")
        if value.get("Id", request.params["Id"]) != request.params["Id"]:
            raise AwsError("IdMismatch", "Document ID does not match the specified configuration ID.")
        setting_checks.check_by_id(name, value)
        request.store.buckets.set_setting(bucket.name, f"{name}:{request.params['Id']}", json.dumps(value))
        return S3Response(status=204)  # as recorded from AWS in 2026

    return put


def _get_by_id(name: str, member: str) -> Handler:
    def get(request: S3Request) -> S3Response:
        _ = request.bucket
        return S3Response({member: _required_by_id(request, name)})

    return get


def _required_by_id(request: S3Request, name: str) -> Any:
    found = kept(request, f"{name}:{request.params['Id']}")
    if found is None:
        raise AwsError("NoSuchConfiguration", "The specified configuration does not exist.", 404)
    return found


def _list_by_id(name: str, member: str) -> Handler:
    def listed(request: S3Request) -> S3Response:
        bucket = request.bucket
        every = request.store.buckets.settings(bucket.name)
        found = [json.loads(text) for key, text in sorted(every.items()) if key.startswith(f"{name}:")]
        return S3Response({member: found, "IsTruncated": False})

    return listed


def _delete_by_id(name: str) -> Handler:
    def delete(request: S3Request) -> S3Response:
        bucket = request.bucket
        _required_by_id(request, name)
        request.store.buckets.remove_setting(bucket.name, f"{name}:{request.params['Id']}")
        return S3Response()

    return delete


def get_bucket_versioning(request: S3Request) -> S3Response:
    return S3Response({"Status": request.bucket.versioning or None})


def put_bucket_versioning(request: S3Request) -> S3Response:
    bucket, status = request.bucket, request.params["VersioningConfiguration"].get("Status")
    if status is None:
        raise AwsError("IllegalVersioningConfigurationException", "The Versioning element must be specified")
    request.store.buckets.set_versioning(bucket.name, status)
    return S3Response()


def get_bucket_policy_status(request: S3Request) -> S3Response:
    bucket = request.bucket
    policy = kept(request, "policy")
    if policy is None:
        raise AwsError(*_SETTINGS["BucketPolicy"].missing, 404, {"BucketName": bucket.name})
    statements = json.loads(policy)["Statement"]
    statements = [statements] if isinstance(statements, dict) else statements
    public = any(
        one["Effect"] == "Allow" and one.get("Principal") in ("*", {"AWS": "*"}) and not one.get("Condition")
        for one in statements
    )
    acl = request.store.buckets.setting(bucket.name, "acl") or ""
    return S3Response({"PolicyStatus": {"IsPublic": public or acls.is_public(acl)}})


def get_object_lock_configuration(request: S3Request) -> S3Response:
    if not request.bucket.object_lock:
        raise AwsError(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
            404,
            {"BucketName": request.bucket_name},
        )
    found = kept(request, "object-lock") or {"ObjectLockEnabled": "Enabled"}
    return S3Response({"ObjectLockConfiguration": found})


def put_object_lock_configuration(request: S3Request) -> S3Response:
    bucket, value = request.bucket, request.params.get("ObjectLockConfiguration") or {}
    default = (value.get("Rule") or {}).get("DefaultRetention")
    if value.get("ObjectLockEnabled") != "Enabled" or ("Rule" in value and not default):
        raise malformed_xml()
    if default is not None:
        if default.get("Mode") not in ("GOVERNANCE", "COMPLIANCE") or ("Days" in default) == ("Years" in default):
            raise malformed_xml()
        if (default.get("Days") or default.get("Years") or 0) <= 0:
            raise AwsError("InvalidArgument", "Default retention period must be a positive integer value.")
    request.store.buckets.enable_object_lock(bucket.name)
    request.store.buckets.set_setting(bucket.name, "object-lock", json.dumps(value))
    return S3Response()


def _operations() -> dict[str, Handler]:
    handlers: dict[str, Handler] = {
        "GetBucketPolicyStatus": get_bucket_policy_status,
        "GetBucketVersioning": get_bucket_versioning,
        "GetObjectLockConfiguration": get_object_lock_configuration,
        "PutBucketVersioning": put_bucket_versioning,
        "PutObjectLockConfiguration": put_object_lock_configuration,
    }
    for noun, setting in _SETTINGS.items():
        handlers[f"Put{noun}"] = _put(setting)
        handlers[f"Get{noun}"] = _get(setting)
        handlers[f"Delete{noun.removesuffix('Configuration') if noun == 'BucketLifecycleConfiguration' else noun}"] = (
            _delete(setting)
        )
    for noun, (name, member, listed) in _BY_ID.items():
        handlers[f"Put{noun}"] = _put_by_id(name, member)
        handlers[f"Get{noun}"] = _get_by_id(name, member)
        handlers[f"List{noun}s"] = _list_by_id(name, listed)
        handlers[f"Delete{noun}"] = _delete_by_id(name)
    return handlers


OPERATIONS: Mapping[str, Handler] = MappingProxyType(_operations())
ONLY_KEPT = frozenset(name for name in OPERATIONS if any(noun in name for noun in {*_SETTINGS, *_BY_ID} - _ACTED_ON))
