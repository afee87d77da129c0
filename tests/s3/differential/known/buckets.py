"""Buckets."""

from tests.s3.differential.known import KnownDifference
from tests.s3.differential.sources import API, BUCKET_NAMES, BUCKET_OWNER, ERRORS, RECORDED_ALL

DIFFERENCES = {
    "buckets: a bucket that is there": KnownDifference(f"{API}/API_HeadBucket.html", {"AccessPointAlias": False}),
    "buckets: a bucket that is there has an arn": KnownDifference(RECORDED_ALL, {"": True}),
    "buckets: a name that cannot be, Upper": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, a_b": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, -ab": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, ab-": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, a..b": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, 192.168.5.4": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, xn--ab": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: a name that cannot be, ab-s3alias": KnownDifference(BUCKET_NAMES, {"": 400}),
    "buckets: buckets are listed by name": KnownDifference(
        f"{API}/API_ListBuckets.html", {"[0]": "a", "[1]": "b", "[2]": "c"}
    ),
    "buckets: buckets with a prefix": KnownDifference(f"{API}/API_ListBuckets.html", {"[1]": True}),
    "buckets: buckets in pages": KnownDifference(f"{API}/API_ListBuckets.html", {"": [["a", "b"], ["c"]]}),
    "buckets: another owner than expected, head_bucket": KnownDifference(BUCKET_OWNER, {"[0]": 403, "[1]": "403"}),
    "buckets: another owner than expected, get_bucket_location": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: another owner than expected, list_objects_v2": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: another owner than expected, get_bucket_acl": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: another owner than expected, list_multipart_uploads": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: another owner than expected, list_object_versions": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: another owner than expected, get_bucket_versioning": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: another owner than expected, delete_bucket": KnownDifference(
        BUCKET_OWNER, {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "buckets: an object of another owner than expected, get_object": KnownDifference(
        BUCKET_OWNER, {"[0][0]": 403, "[0][1]": "AccessDenied"}
    ),
    "buckets: an object of another owner than expected, head_object": KnownDifference(
        BUCKET_OWNER, {"[0][0]": 403, "[0][1]": "403"}
    ),
    "buckets: an object of another owner than expected, delete_object": KnownDifference(
        BUCKET_OWNER, {"[0][0]": 403, "[0][1]": "AccessDenied", "[1]": ["k"]}
    ),
    "buckets: an object of another owner than expected, get_object_tagging": KnownDifference(
        BUCKET_OWNER, {"[0][0]": 403, "[0][1]": "AccessDenied"}
    ),
    "buckets: an object of another owner than expected, get_object_acl": KnownDifference(
        BUCKET_OWNER, {"[0][0]": 403, "[0][1]": "AccessDenied"}
    ),
    "buckets: a put to another owner than expected": KnownDifference(
        BUCKET_OWNER, {"[0][0]": 403, "[0][1]": "AccessDenied", "[1]": []}
    ),
    "buckets: a method that no bucket has": KnownDifference(ERRORS, {"Code": "MethodNotAllowed", "status": 405}),
}
