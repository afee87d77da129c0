"""What S3 refuses in the settings of a bucket, beyond what its schema does, and the form in which it keeps each."""

from __future__ import annotations

import fnmatch
import json
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.s3 import lifecycle
from samebox.services.s3 import members
from samebox.wire.restxml import malformed_xml

if TYPE_CHECKING:
    from samebox.services.s3.requests import S3Request

_MOST_POLICY_BYTES = 20 * 1024
_MOST_BUCKET_TAGS = 50
_MOST_ID = 255
_ID = 48  # AWS's own ids of this kind have as many characters
_DAY = 86_400
_ACTIONS = (
    "AbortIncompleteMultipartUpload",
    "Expiration",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "Transitions",
)
MINIMUM_SIZE = "TransitionDefaultMinimumObjectSize"
_MINIMUM_SIZES = ("all_storage_classes_128K", "varies_by_storage_class")
_FIRST_REGION = "us-east-1"
_BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}")
_S3_ARN = re.compile(r"arn:(?:aws[a-z-]*|\*):s3:::([^/]+)(?:/.*)?", re.DOTALL)
_INFREQUENT = ("ONEZONE_IA", "STANDARD_IA")  # where objects may be no earlier than after so many days
_INFREQUENT_DAYS = 30
_PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_KEYED = ("aws:kms", "aws:kms:dsse")


def unchanged(_request: S3Request, kept: Any) -> Any:
    """A setting that is kept as it came."""
    return kept


def acceleration(request: S3Request, kept: Any) -> Any:
    """Raises InvalidRequest."""
    if "." in request.bucket_name:
        text = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        raise AwsError("InvalidRequest", text)
    return kept


def notification(_request: S3Request, kept: Any) -> Any:
    """Each part of it has an id, which its messages name."""
    return {
        member: [{"Id": secrets.token_urlsafe(36)[:_ID], **one} for one in parts] if isinstance(parts, list) else parts
        for member, parts in kept.items()
    }


def policy(request: S3Request, kept: str) -> str:
    """Raises MalformedPolicy, PolicyTooLarge."""
    if len(kept.encode()) > _MOST_POLICY_BYTES:
        raise AwsError("PolicyTooLarge", "Policy exceeds the maximum allowed size")
    try:
        document = json.loads(kept)
    except (ValueError, RecursionError):
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not statements or not isinstance(statements, list):
        raise AwsError("MalformedPolicy", "Missing required field Statement")
    for one in statements:
        for field in ("Effect", "Principal", "Action", "Resource"):
            if not isinstance(one, dict) or (field not in one and (field == "Effect" or f"Not{field}" not in one)):
                raise AwsError("MalformedPolicy", f"Missing required field {field}")
        if one["Effect"] not in ("Allow", "Deny"):
            raise AwsError("MalformedPolicy", f"Invalid effect: {one['Effect']}")
        named = one.get("Resource", one.get("NotResource"))
        if not all(_is_in_bucket(resource, request.bucket_name) for resource in _list(named)):
            raise AwsError("MalformedPolicy", "Policy has invalid resource")
    return kept


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_in_bucket(resource: Any, bucket: str) -> bool:
    """Whether a policy's resource may be the bucket or objects in it; both may have wildcards."""
    if resource == "*":
        return True
    found = _S3_ARN.fullmatch(resource) if isinstance(resource, str) else None
    return found is not None and fnmatch.fnmatchcase(bucket, found[1])


def cors(_request: S3Request, kept: Any) -> Any:
    """Raises InvalidRequest."""
    for rule in kept.get("CORSRules") or []:
        for method in rule.get("AllowedMethods") or []:
            if method not in ("GET", "PUT", "HEAD", "POST", "DELETE"):
                text = f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                raise AwsError("InvalidRequest", text)
        for origin in rule.get("AllowedOrigins") or []:
            if origin.count("*") > 1:
                raise AwsError("InvalidRequest", f'AllowedOrigin "{origin}" can not have more than one wildcard.')
    return kept


def tags(_request: S3Request, kept: Any) -> Any:
    """Raises InvalidTag, BadRequest."""
    pairs = [(tag["Key"], tag.get("Value", "")) for tag in kept.get("TagSet") or []]
    if len(pairs) > _MOST_BUCKET_TAGS:
        raise AwsError("BadRequest", f"Bucket tag count cannot be greater than {_MOST_BUCKET_TAGS}")
    members.checked_tags(pairs, "System tags cannot be added/updated by requester")
    return kept


def encryption(_request: S3Request, kept: Any) -> Any:
    """Raises MalformedXML, InvalidArgument."""
    if len(kept["Rules"]) != 1:
        raise malformed_xml()
    default = kept["Rules"][0].get("ApplyServerSideEncryptionByDefault") or {}
    if default.get("KMSMasterKeyID") and default.get("SSEAlgorithm") not in _KEYED:
        text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise AwsError("InvalidArgument", text, 400, {"ArgumentName": "ApplyServerSideEncryptionByDefault"})
    return kept


def ownership(_request: S3Request, kept: Any) -> Any:
    """Raises MalformedXML."""
    if len(kept["Rules"]) != 1:
        raise malformed_xml()
    return kept


def public_access(_request: S3Request, kept: Any) -> Any:
    """All four members: what a request leaves out is off."""
    return {name: bool(kept.get(name)) for name in _PUBLIC_ACCESS}


def logging(request: S3Request, kept: Any) -> Any:
    """Raises InvalidTargetBucketForLogging, CrossLocationLoggingProhibitted."""
    target = (kept.get("LoggingEnabled") or {}).get("TargetBucket")
    if target is not None:
        try:
            region = request.store.buckets.get(target).region
        except AwsError:
            text = "The target bucket for logging does not exist"
            raise AwsError("InvalidTargetBucketForLogging", text, 400, {"TargetBucket": target}) from None
        own = request.bucket.region
        if region != own:
            fields = {"TargetBucketLocation": region}
            if own != _FIRST_REGION:
                fields = {"SourceBucketLocation": own, **fields}
            raise AwsError("CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ", 403, fields)
    return kept


def replication(request: S3Request, kept: Any) -> Any:
    """Raises MalformedXML, InvalidRequest."""
    if not kept.get("Rules"):
        raise malformed_xml()
    if request.bucket.versioning != "Enabled":
        text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        raise AwsError("InvalidRequest", text)
    for rule in kept["Rules"]:
        name = (rule.get("Destination") or {}).get("Bucket", "").rpartition(":")[2]
        try:
            versioning = request.store.buckets.get(name).versioning
        except AwsError:
            versioning = ""
        if versioning != "Enabled":
            raise AwsError("InvalidRequest", "Destination bucket must have versioning enabled.")
    return kept


def check_by_id(name: str, kept: Any) -> None:
    """One of the settings that a bucket has several of. Raises InvalidS3DestinationBucket."""
    if name == "inventory":
        target = ((kept.get("Destination") or {}).get("S3BucketDestination") or {}).get("Bucket", "")
        if not _BUCKET_ARN.fullmatch(target):
            raise AwsError("InvalidS3DestinationBucket", "Invalid bucket ARN.")


def lifecycle_rules(request: S3Request, kept: Any) -> Any:
    """Rules with an ID each. Raises MalformedXML, InvalidArgument, InvalidRequest."""
    rules = [{**rule, "ID": rule.get("ID") or secrets.token_urlsafe(36)} for rule in kept.get("Rules") or []]
    for rule in rules:
        _check_rule(rule)
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise AwsError("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    minimum = request.params.get(MINIMUM_SIZE) or _MINIMUM_SIZES[0]
    if minimum not in _MINIMUM_SIZES:
        raise AwsError("InvalidRequest", f"Invalid {MINIMUM_SIZE} found: {minimum}")
    kept = {**kept, "Rules": rules, MINIMUM_SIZE: minimum}
    lifecycle.rules(kept)
    return kept


def _check_rule(rule: Any) -> None:
    if len(rule["ID"]) > _MOST_ID:
        raise AwsError("InvalidArgument", f"ID length should not exceed allowed limit of {_MOST_ID}")
    if ("Filter" in rule) == ("Prefix" in rule) or len(rule.get("Filter") or ()) > 1:
        raise malformed_xml()
    pairs = ((rule.get("Filter") or {}).get("And") or {}).get("Tags") or []
    if len({tag.get("Key") for tag in pairs}) != len(pairs):
        raise AwsError("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    if not any(action in rule for action in _ACTIONS):
        raise AwsError("InvalidRequest", "At least one action needs to be specified in a rule")
    _check_uploads_and_versions(rule)
    _check_transitions(rule)
    expiration = rule.get("Expiration")
    if expiration is None:
        return
    if len(expiration) != 1:
        raise malformed_xml()
    if expiration.get("Days", 1) < 1:
        raise AwsError("InvalidArgument", "'Days' for Expiration action must be a positive integer")
    if expiration.get("Date", 0) % _DAY:
        shown = datetime.fromtimestamp(expiration["Date"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        fields = {"ArgumentName": "Date", "ArgumentValue": shown}
        raise AwsError("InvalidArgument", "'Date' must be at midnight GMT", 400, fields)


def _check_uploads_and_versions(rule: Any) -> None:
    """What has neither tags nor a size cannot be chosen by them."""
    chosen = lifecycle.filter_of(rule)
    by_size = chosen.larger_than is not None or chosen.smaller_than is not None
    abort, marker = rule.get("AbortIncompleteMultipartUpload"), (rule.get("Expiration") or {})
    for name, is_there in (
        ("AbortIncompleteMultipartUpload", abort is not None),
        ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker" in marker),
    ):
        # The first text as reported of AWS in terraform-aws-modules/terraform-aws-s3-bucket#109, the others after it.
        if is_there and chosen.tags:
            raise AwsError("InvalidRequest", f"{name} cannot be specified with Tags.")
        if is_there and by_size:
            raise AwsError("InvalidRequest", f"{name} cannot be specified with Object Size.")
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    for days, name in (
        ((abort or {}).get("DaysAfterInitiation", 1), "'DaysAfterInitiation' for AbortIncompleteMultipartUpload"),
        (noncurrent.get("NoncurrentDays", 1), "'NoncurrentDays' for NoncurrentVersionExpiration"),
    ):
        if days < 1:
            raise AwsError("InvalidArgument", f"{name} action must be a positive integer")


def _check_transitions(rule: Any) -> None:
    days_to_end = (rule.get("Expiration") or {}).get("Days")
    noncurrent_to_end = (rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays")
    for action, field, end in (
        ("Transition", "Days", days_to_end),
        ("NoncurrentVersionTransition", "NoncurrentDays", noncurrent_to_end),
    ):
        for one in rule.get(f"{action}s") or ():
            days, storage_class = one.get(field), one.get("StorageClass", "")
            if days is None:
                continue
            if days < _INFREQUENT_DAYS and storage_class in _INFREQUENT:
                raise AwsError(
                    "InvalidArgument",
                    f"'{field}' in {action} action must be greater than or equal to {_INFREQUENT_DAYS} for "
                    f"storageClass '{storage_class}'",
                )
            if end is not None and end <= days:
                ending = action.replace("Transition", "Expiration")
                raise AwsError(
                    "InvalidArgument",
                    f"'{field}' in the {ending} action for filter '(prefix={lifecycle.filter_of(rule).prefix})' must "
                    f"be greater than '{field}' in the {action} action",
                )
