"""Buckets: made, listed, looked at, deleted."""

from __future__ import annotations

import ipaddress
import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.services.s3 import acls, members
from samebox.services.s3.requests import Handler, S3Response
from samebox.wire.partitions import is_known_region, is_region, partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.s3.records import Bucket
    from samebox.services.s3.requests import S3Request

FIRST_REGION = "us-east-1"  # the one that has no LocationConstraint
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NOT_NAMES = ("xn--", "sthree-", "amzn-s3-demo-")
_NOT_ENDINGS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_OLD_CONSTRAINT = "EU"
_OWNERSHIPS = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")


def create_bucket(request: S3Request) -> S3Response:
    name, params = request.bucket_name, request.params
    _check_name(name)
    region = _region(request)
    configuration = params.get("CreateBucketConfiguration") or {}
    acl = acls.of_headers(params, request.caller.account)
    ownership = params.get("ObjectOwnership")
    if ownership is not None and ownership not in _OWNERSHIPS:
        text = f"Invalid x-amz-object-ownership header: {ownership}"
        raise AwsError("InvalidArgument", text, 400, {"ArgumentName": "x-amz-object-ownership"})
    try:
        request.store.buckets.create(
            name,
            request.caller.account,
            region,
            object_lock=bool(params.get("ObjectLockEnabledForBucket")),
        )
    except AwsError as error:
        # In us-east-1 S3 takes it for done, for the sake of old clients.
        if error.code == "BucketAlreadyOwnedByYou" and region == request.caller.region == FIRST_REGION:
            return S3Response({"Location": f"/{name}"})
        raise
    if acl:
        request.store.buckets.set_setting(name, "acl", acl)
    if ownership is not None:
        request.store.buckets.set_setting(name, "ownership", json.dumps({"Rules": [{"ObjectOwnership": ownership}]}))
    if tags := configuration.get("Tags"):
        request.store.buckets.set_setting(name, "tagging", json.dumps({"TagSet": tags}))
    arn = f"arn:{partition_of(region).name}:s3:::{name}"
    location = f"/{name}" if region == FIRST_REGION else f"http://{name}.s3.amazonaws.com/"
    return S3Response({"Location": location, "BucketArn": arn})


def delete_bucket(request: S3Request) -> S3Response:
    request.store.buckets.delete(request.bucket.name)
    return S3Response()


def head_bucket(request: S3Request) -> S3Response:
    region = request.bucket.region
    arn = f"arn:{partition_of(region).name}:s3:::{request.bucket_name}"
    headers = {"Content-Type": "application/xml"}
    return S3Response({"BucketRegion": region, "BucketArn": arn, "AccessPointAlias": False}, headers=headers)


def get_bucket_location(request: S3Request) -> S3Response:
    region = request.bucket.region
    return S3Response({} if region == FIRST_REGION else {"LocationConstraint": region})


def list_buckets(request: S3Request) -> S3Response:
    params, account = request.params, request.caller.account
    most = params.get("MaxBuckets")
    if most is not None and not 1 <= most <= 10_000:
        raise AwsError("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000")
    region = params.get("BucketRegion")
    if region is not None and not is_known_region(region):
        fields = {"ArgumentName": "bucket-region", "ArgumentValue": region}
        raise AwsError("InvalidArgument", f"Argument value {region} is not a valid AWS Region", 400, fields)
    found = request.store.buckets.list(
        account,
        prefix=params.get("Prefix") or "",
        region=region,
        after=params.get("ContinuationToken") or "",
        limit=None if most is None else most + 1,
    )
    page = found if most is None else found[:most]
    return S3Response(
        {
            "Buckets": [_described(bucket) for bucket in page],
            "Owner": members.owner_of(account),
            "ContinuationToken": page[-1].name if len(page) < len(found) else None,
            "Prefix": params.get("Prefix"),
        }
    )


def _described(bucket: Bucket) -> dict[str, object]:
    arn = f"arn:{partition_of(bucket.region).name}:s3:::{bucket.name}"
    return {"Name": bucket.name, "CreationDate": bucket.created, "BucketRegion": bucket.region, "BucketArn": arn}


def _check_name(name: str) -> None:
    try:
        ipaddress.ip_address(name)
        sound = False
    except ValueError:
        sound = bool(_NAME.fullmatch(name)) and ".." not in name
    if not sound or name.startswith(_NOT_NAMES) or name.endswith(_NOT_ENDINGS):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, {"BucketName": name})


def _region(request: S3Request) -> str:
    """Where the bucket will be. The region that signed the request stands for the endpoint that was asked."""
    asked = request.caller.region
    if not is_region(asked):
        # s3cmd signs its first CreateBucket for "US", and again for what this error names.
        raise AwsError(
            "AuthorizationHeaderMalformed",
            f"The authorization header is malformed; the region '{asked}' is wrong; expecting '{FIRST_REGION}'",
            400,
            {"Region": FIRST_REGION},
        )
    constraint = (request.params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
    if not constraint:
        if asked == FIRST_REGION:
            return asked
        raise AwsError(
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
        )
    if constraint == FIRST_REGION:
        raise AwsError(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            400,
            {"LocationConstraint": constraint},
        )
    region = "eu-west-1" if constraint == _OLD_CONSTRAINT else constraint
    if asked not in (FIRST_REGION, region):
        raise AwsError(
            "IllegalLocationConstraintException",
            f"The {constraint} location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
        )
    if partition_of(region).name != partition_of(asked).name:
        raise AwsError("InvalidLocationConstraint", "The specified location-constraint is not valid")
    return region


OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "CreateBucket": create_bucket,
        "DeleteBucket": delete_bucket,
        "GetBucketLocation": get_bucket_location,
        "HeadBucket": head_bucket,
        "ListBuckets": list_buckets,
    }
)
