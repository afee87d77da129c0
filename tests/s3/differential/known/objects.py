"""Objects, their keys, presigned URLs and forms."""

from tests.s3.differential.known import MISSING, KnownDifference
from tests.s3.differential.sources import API, CORS, FORMS, KEYS, METADATA, POST_OBJECT, PRESIGNED

DIFFERENCES = {
    "objects: metadata of 2049 bytes are too many": KnownDifference(
        METADATA,
        {
            "ChecksumCRC32": MISSING,
            "Code": "MetadataTooLarge",
            "ETag": MISSING,
            "Message": "Your metadata headers exceed the maximum allowed metadata size",
            "status": 400,
        },
    ),
    "objects: head may override headers too": KnownDifference(f"{API}/API_HeadObject.html", {"ContentType": "text/x"}),
    "objects: a quiet delete names no keys": KnownDifference(f"{API}/API_DeleteObjects.html", {"[0].Deleted": MISSING}),
    "objects: a delete of 1001 objects": KnownDifference(
        f"{API}/API_DeleteObjects.html", {"[0]": 400, "[1]": "MalformedXML"}
    ),
    "objects: an unknown attribute": KnownDifference(
        f"{API}/API_GetObjectAttributes.html",
        {"Code": "InvalidArgument", "Message": "Invalid attribute name specified.", "status": 400},
    ),
    "presigned: a form that wants a document": KnownDifference(
        FORMS, {"ETag": '"900150983cd24fb0d6963f7d28e17f72"', "Key": "k"}
    ),
    "presigned: a form whose file is too large": KnownDifference(
        FORMS, {"[0][0]": 400, "[0][1]": "EntityTooLarge", "[1]": []}
    ),
    "presigned: a form whose file is too small": KnownDifference(
        FORMS, {"[0][0]": 400, "[0][1]": "EntityTooSmall", "[1]": []}
    ),
    "presigned: a form with tags, a document": KnownDifference(POST_OBJECT, {"[2]": [{"Key": "a", "Value": "1 2"}]}),
    "presigned: a form with tags, a query": KnownDifference(
        POST_OBJECT, {"[0][0]": 400, "[0][1]": "MalformedXML", "[1]": [], "[2]": None}
    ),
    "presigned: a form with an md5, wrong": KnownDifference(
        POST_OBJECT, {"[0][0]": 400, "[0][1]": "BadDigest", "[1]": []}
    ),
    "presigned: a form with an md5, no digest": KnownDifference(
        POST_OBJECT, {"[0][0]": 400, "[0][1]": "InvalidDigest", "[1]": []}
    ),
    "presigned: a form of a bucket with versions": KnownDifference(POST_OBJECT, {"[1].x-amz-version-id": "version 1"}),
    "presigned: a preflight of an origin, another origin": KnownDifference(
        CORS, {"[1].access-control-allow-origin": None}
    ),
    "presigned: a preflight of an origin, another method": KnownDifference(
        CORS, {"[0]": 403, "[1].access-control-allow-origin": None}
    ),
    "presigned: a preflight of a bucket without rules": KnownDifference(
        CORS, {"[0]": 403, "[1].access-control-allow-origin": None}
    ),
    "presigned: a url that has expired": KnownDifference(PRESIGNED, {"[0]": 403, "[1]": "AccessDenied"}),
    "presigned: a url whose credential is of another date": KnownDifference(
        PRESIGNED, {"[0]": 400, "[1]": "AuthorizationQueryParametersError"}
    ),
    "keys: a key with, a line end": KnownDifference(
        KEYS,
        {
            "[0][0]": 200,
            "[0][1]": "",
            "[1].Body": b"1",
            "[1].Code": MISSING,
            "[1].status": 200,
            "[2]": True,
            "[3][1]": "NoSuchKey",
            "[4]": 204,
        },
    ),
    "keys: a key with, 1,024 bytes in UTF-8": KnownDifference(KEYS, {"[3][0]": 400, "[3][1]": "KeyTooLongError"}),
    "keys: a key of, 1,025 bytes": KnownDifference(
        KEYS,
        {
            "[0].Code": "KeyTooLongError",
            "[0].Message": "Your key is too long",
            "[0].status": 400,
            "[1][0]": 400,
            "[1][1]": "KeyTooLongError",
        },
    ),
    "keys: a key of, 1,026 bytes in UTF-8": KnownDifference(
        KEYS,
        {
            "[0].Code": "KeyTooLongError",
            "[0].Message": "Your key is too long",
            "[0].status": 400,
            "[1][0]": 400,
            "[1][1]": "KeyTooLongError",
        },
    ),
}
