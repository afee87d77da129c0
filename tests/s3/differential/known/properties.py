"""Tags, access control lists and locks."""

from tests.s3.differential.known import MISSING, KnownDifference
from tests.s3.differential.sources import ACL, LOCK, RECORDED

DIFFERENCES = {
    "tags: tags that cannot be, the same key twice": KnownDifference(
        RECORDED,
        {
            "[0].Code": "InvalidTag",
            "[0].Message": "Cannot provide multiple Tags with the same key",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "tags: tags that cannot be, a key of 129 characters": KnownDifference(
        RECORDED, {"[0].Message": "The TagKey you have provided is invalid"}
    ),
    "tags: tags that cannot be, a value of 257 characters": KnownDifference(
        RECORDED, {"[0].Message": "The TagValue you have provided is invalid"}
    ),
    "tags: tags that cannot be, a character that cannot be": KnownDifference(
        RECORDED, {"[0].Message": "The TagKey you have provided is invalid"}
    ),
    "tags: tags of what is not there": KnownDifference(RECORDED, {"[1][0]": 404, "[1][1]": "NoSuchKey"}),
    "tags: tags that a put cannot name, the same key twice": KnownDifference(
        RECORDED, {"[0][0]": 400, "[0][1]": "InvalidArgument", "[1]": []}
    ),
    "tags: tags that a put cannot name, eleven": KnownDifference(RECORDED, {"[1]": []}),
    "acls: a canned acl of a bucket, public-read-write": KnownDifference(
        ACL,
        {
            "[1]": [
                ["FULL_CONTROL", "CanonicalUser", None],
                ["READ", "Group", "http://acs.amazonaws.com/groups/global/AllUsers"],
                ["WRITE", "Group", "http://acs.amazonaws.com/groups/global/AllUsers"],
            ]
        },
    ),
    "acls: a canned acl of a bucket, log-delivery-write": KnownDifference(
        ACL,
        {
            "[1]": [
                ["FULL_CONTROL", "CanonicalUser", None],
                ["WRITE", "Group", "http://acs.amazonaws.com/groups/s3/LogDelivery"],
                ["READ_ACP", "Group", "http://acs.amazonaws.com/groups/s3/LogDelivery"],
            ]
        },
    ),
    "acls: a canned acl of an object, public-read-write": KnownDifference(
        ACL,
        {
            "": [
                ["FULL_CONTROL", "CanonicalUser", None],
                ["READ", "Group", "http://acs.amazonaws.com/groups/global/AllUsers"],
                ["WRITE", "Group", "http://acs.amazonaws.com/groups/global/AllUsers"],
            ]
        },
    ),
    "acls: a canned acl that is none": KnownDifference(ACL, {"[0]": 400, "[1]": "InvalidArgument"}),
    "locks: its versioning cannot be suspended": KnownDifference(LOCK, {"[0]": 409, "[1]": "InvalidBucketState"}),
    "locks: a default retention is shown": KnownDifference(
        LOCK, {"[1].ObjectLockConfiguration.Rule.DefaultRetention.Years": MISSING}
    ),
    "locks: a default retention that cannot be, no length": KnownDifference(LOCK, {"[0]": 400, "[1]": "MalformedXML"}),
    "locks: a default retention that cannot be, an unknown mode": KnownDifference(
        LOCK, {"[0]": 400, "[1]": "MalformedXML"}
    ),
    "locks: a retention is shown": KnownDifference(
        LOCK,
        {
            "[0].Code": MISSING,
            "[0].Message": MISSING,
            "[0].Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": "2099-01-01T00:00:00+00:00"},
            "[0].status": 200,
        },
    ),
    "locks: a retention is put later": KnownDifference(
        LOCK,
        {
            "Code": MISSING,
            "Message": MISSING,
            "Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": "2099-01-01T00:00:00+00:00"},
            "status": 200,
        },
    ),
    "locks: an object without retention": KnownDifference(
        LOCK,
        {
            "Code": "NoSuchObjectLockConfiguration",
            "Message": "The specified object does not have a ObjectLock configuration",
            "status": 404,
        },
    ),
    "locks: a legal hold in a bucket without object lock": KnownDifference(
        LOCK,
        {
            "[0].Message": "Bucket is missing Object Lock Configuration",
            "[1].Code": "InvalidRequest",
            "[1].Message": "Bucket is missing Object Lock Configuration",
            "[1].status": 400,
        },
    ),
    "locks: a retention in a bucket without object lock": KnownDifference(
        LOCK, {"[1][0]": 400, "[1][1]": "InvalidRequest"}
    ),
    "locks: a retention in the past": KnownDifference(LOCK, {"[0]": 400, "[1]": "InvalidArgument"}),
    "locks: a mode without a date": KnownDifference(LOCK, {"[0]": 400, "[1]": "InvalidArgument"}),
    "locks: object lock needs versions": KnownDifference(LOCK, {"[0]": 409}),
    "locks: object lock is turned on in a versioned bucket": KnownDifference(
        LOCK, {"[1].ObjectLockConfiguration.Rule.DefaultRetention.Years": MISSING}
    ),
    "locks: a retention may be shortened only by bypass": KnownDifference(
        LOCK, {"[0][0]": 403, "[0][1]": "AccessDenied"}
    ),
}
