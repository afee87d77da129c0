"""Settings of buckets, lifecycle rules among them."""

from tests.s3.differential.known import MISSING, KnownDifference
from tests.s3.differential.sources import (
    API,
    ERRORS,
    POLICY_FIELDS,
    POLICY_RESOURCES,
    RECORDED,
    TRANSITIONS,
    UPLOADS_OF_TAGS,
)

# A rule that AWS refuses, so that there is none afterwards.
_BAD_ARGUMENT = {"[0][0]": 400, "[0][1]": "InvalidArgument", "[1][0]": 404, "[1][1]": "NoSuchLifecycleConfiguration"}
_BAD_REQUEST = {**_BAD_ARGUMENT, "[0][1]": "InvalidRequest"}

DIFFERENCES = {
    "settings: what a new bucket has, get_bucket_encryption": KnownDifference(
        f"{API}/API_GetBucketEncryption.html",
        {
            "BucketName": MISSING,
            "Code": MISSING,
            "Message": MISSING,
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
            },
            "status": 200,
        },
    ),
    "settings: what a new bucket has, get_bucket_ownership_controls": KnownDifference(
        RECORDED,
        {
            "BucketName": MISSING,
            "Code": MISSING,
            "Message": MISSING,
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "status": 200,
        },
    ),
    "settings: what a new bucket has, get_bucket_request_payment": KnownDifference(
        f"{API}/API_GetBucketRequestPayment.html", {"Payer": "BucketOwner"}
    ),
    "settings: what a new bucket has, get_public_access_block": KnownDifference(
        RECORDED,
        {
            "Code": MISSING,
            "Message": MISSING,
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
            "status": 200,
        },
    ),
    "settings: a cors origin with two wildcards": KnownDifference(
        f"{API}/API_PutBucketCors.html", {"[0]": 400, "[1]": "InvalidRequest"}
    ),
    "settings: a policy": KnownDifference(RECORDED, {"[0].status": 204}),
    "settings: a policy that is no json": KnownDifference(RECORDED, {"[0]": 400, "[1]": "MalformedPolicy"}),
    "settings: a policy without statements": KnownDifference(RECORDED, {"[0]": 400, "[1]": "MalformedPolicy"}),
    "settings: tags of a bucket": KnownDifference(RECORDED, {"[1].TagSet[1].Value": ""}),
    "settings: an encryption that was removed is that of a new bucket": KnownDifference(
        f"{API}/API_GetBucketEncryption.html",
        {
            "[1].BucketName": MISSING,
            "[1].Code": MISSING,
            "[1].Message": MISSING,
            "[1].ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
            },
            "[1].status": 200,
        },
    ),
    "settings: an acceleration, Suspended": KnownDifference(RECORDED, {"Status": "Suspended"}),
    "settings: events for eventbridge": KnownDifference(
        f"{API}/API_GetBucketNotificationConfiguration.html", {"EventBridgeConfiguration": {}}
    ),
    "settings: the requester pays": KnownDifference(f"{API}/API_GetBucketRequestPayment.html", {"Payer": "Requester"}),
    "settings: a configuration with an id": KnownDifference(RECORDED, {"MetricsConfiguration.Id": "one"}),
    "settings: a configuration with an id that is not there": KnownDifference(
        RECORDED, {"Code": "NoSuchConfiguration", "Message": "The specified configuration does not exist."}
    ),
    "settings: a document that is none": KnownDifference(ERRORS, {"[0]": 400, "[1]": "MalformedXML"}),
    "settings: a document of another name": KnownDifference(ERRORS, {"[0]": 400, "[1]": "MalformedXML"}),
    "lifecycles: a rule is kept, of sizes": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html", {"[1][0].Filter.ObjectSizeGreaterThan": 500}
    ),
    "lifecycles: a rule is kept, noncurrent versions": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        {"[1][0].NoncurrentVersionExpiration.NewerNoncurrentVersions": 2},
    ),
    "lifecycles: a rule that cannot be, no action": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_REQUEST,
    ),
    "lifecycles: a rule that cannot be, days and date": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        {"[0][0]": 400, "[0][1]": "MalformedXML", "[1][0]": 404, "[1][1]": "NoSuchLifecycleConfiguration"},
    ),
    "lifecycles: a rule that cannot be, no days": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_ARGUMENT,
    ),
    "lifecycles: a rule that cannot be, a date that is not midnight": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_ARGUMENT,
    ),
    "lifecycles: a rule that cannot be, an unknown status": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        {"[0][0]": 400, "[0][1]": "MalformedXML", "[1][0]": 404, "[1][1]": "NoSuchLifecycleConfiguration"},
    ),
    "lifecycles: a rule that cannot be, a long id": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_ARGUMENT,
    ),
    "lifecycles: two rules of one id": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html", {"[0]": 400, "[1]": "InvalidArgument"}
    ),
    "lifecycles: a rule without an id gets one": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html", {"[0]": ["Expiration", "Filter", "ID", "Status"]}
    ),
    "lifecycles: a rule that cannot be, an early transition": KnownDifference(
        TRANSITIONS,
        _BAD_ARGUMENT,
    ),
    "lifecycles: a rule that cannot be, an early transition of noncurrent versions": KnownDifference(
        TRANSITIONS,
        _BAD_ARGUMENT,
    ),
    "lifecycles: a rule that cannot be, an end before the transition": KnownDifference(
        TRANSITIONS,
        _BAD_ARGUMENT,
    ),
    "lifecycles: a rule that cannot be, delete markers of a tag": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_REQUEST,
    ),
    "lifecycles: a rule that cannot be, noncurrent versions of no days": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_ARGUMENT,
    ),
    "lifecycles: a rule that cannot be, open uploads of a size": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_REQUEST,
    ),
    "lifecycles: a rule that cannot be, open uploads of a tag": KnownDifference(
        UPLOADS_OF_TAGS,
        _BAD_REQUEST,
    ),
    "lifecycles: a rule that cannot be, open uploads of no days": KnownDifference(
        f"{API}/API_PutBucketLifecycleConfiguration.html",
        _BAD_ARGUMENT,
    ),
    "settings: a policy may name its bucket by a pattern, a wildcard": KnownDifference(RECORDED, {"": 204}),
    "settings: a policy may name its bucket by a pattern, any bucket": KnownDifference(RECORDED, {"": 204}),
    "settings: a policy may name its bucket by a pattern, anything": KnownDifference(RECORDED, {"": 204}),
    "settings: a policy that cannot be, of another bucket": KnownDifference(
        POLICY_RESOURCES,
        {
            "[0].Code": "MalformedPolicy",
            "[0].Message": "Policy has invalid resource",
            "[0].status": 400,
            "[1][0]": 404,
            "[1][1]": "NoSuchBucketPolicy",
        },
    ),
    "settings: a policy that cannot be, of no ARN": KnownDifference(
        POLICY_RESOURCES,
        {
            "[0].Code": "MalformedPolicy",
            "[0].Message": "Policy has invalid resource",
            "[0].status": 400,
            "[1][0]": 404,
            "[1][1]": "NoSuchBucketPolicy",
        },
    ),
    "settings: a policy that cannot be, without a principal": KnownDifference(
        POLICY_FIELDS,
        {
            "[0].Code": "MalformedPolicy",
            "[0].Message": "Missing required field Principal",
            "[0].status": 400,
            "[1][0]": 404,
            "[1][1]": "NoSuchBucketPolicy",
        },
    ),
    "settings: a policy that cannot be, without an action": KnownDifference(
        POLICY_FIELDS,
        {
            "[0].Code": "MalformedPolicy",
            "[0].Message": "Missing required field Action",
            "[0].status": 400,
            "[1][0]": 404,
            "[1][1]": "NoSuchBucketPolicy",
        },
    ),
}
