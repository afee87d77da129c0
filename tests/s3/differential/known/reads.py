"""Ranges and conditions."""

from tests.s3.differential.known import MISSING, KnownDifference
from tests.s3.differential.sources import (
    API,
    CONDITIONAL_DELETES,
    CONDITIONAL_WRITES,
    PART_OF_NOTHING,
    RECORDED,
    RFC9110,
)

DIFFERENCES = {
    "ranges: a range of ten bytes, another unit": KnownDifference(
        RECORDED, {"Body": b"0123456789", "ContentLength": 10, "ContentRange": MISSING, "status": 200}
    ),
    "ranges: a range of ten bytes, no unit": KnownDifference(
        RECORDED, {"Body": b"0123456789", "Code": MISSING, "ContentLength": 10, "Message": MISSING, "status": 200}
    ),
    "ranges: a second part of an object that has none": KnownDifference(
        f"{API}/API_GetObject.html", {"[1]": "InvalidPartNumber"}
    ),
    "ranges: a part is read by its number, 1": KnownDifference(
        f"{API}/API_GetObject.html",
        {"ContentLength": 5242880, "ContentRange": "bytes 0-5242879/5242882", "PartsCount": 2, "status": 206},
    ),
    "ranges: a part is read by its number, 2": KnownDifference(
        f"{API}/API_GetObject.html",
        {"ContentLength": 2, "ContentRange": "bytes 5242880-5242881/5242882", "PartsCount": 2, "status": 206},
    ),
    "ranges: a part is read by its number, 3": KnownDifference(
        f"{API}/API_GetObject.html", {"Code": "InvalidPartNumber", "ContentLength": MISSING, "status": 416}
    ),
    "ranges: head of a part": KnownDifference(
        f"{API}/API_GetObject.html", {"ETag": '"6b489a9b12d79ba2928d2a23cb61503b-2"', "status": 206}
    ),
    "ranges: a range if the object is still the same, weak": KnownDifference(
        RFC9110, {"[0]": 200, "[1]": b"0123456789", "[2].content-range": None}
    ),
    "ranges: a range if the object is still the same, another": KnownDifference(
        RFC9110, {"[0]": 200, "[1]": b"0123456789", "[2].content-range": None}
    ),
    "ranges: a range and a part at once": KnownDifference(
        f"{API}/API_GetObject.html",
        {
            "Code": "InvalidRequest",
            "Message": "Cannot specify both Range header and partNumber query parameter",
            "status": 400,
        },
    ),
    "ranges: part zero": KnownDifference(f"{API}/API_GetObject.html", {"[0]": 400, "[1]": "InvalidArgument"}),
    "conditions: a get, If-Match, any": KnownDifference(RFC9110, {"Body": b"1", "Code": MISSING, "status": 200}),
    "conditions: a get, If-None-Match, any": KnownDifference(RFC9110, {"Body": MISSING, "Code": "304", "status": 304}),
    "conditions: a get, If-Match right outweighs If-Unmodified-Since": KnownDifference(
        f"{API}/API_GetObject.html", {"Body": b"1", "Code": MISSING, "status": 200}
    ),
    "conditions: a get, If-None-Match another outweighs If-Modified-Since": KnownDifference(
        f"{API}/API_GetObject.html", {"Body": b"1", "Code": MISSING, "status": 200}
    ),
    "conditions: a head, If-Match, without quotation marks": KnownDifference(
        RFC9110, {"Code": MISSING, "ETag": '"c4ca4238a0b923820dcc509a6f75849b"', "status": 200}
    ),
    "conditions: a head, If-Match, any": KnownDifference(
        RFC9110, {"Code": MISSING, "ETag": '"c4ca4238a0b923820dcc509a6f75849b"', "status": 200}
    ),
    "conditions: a head, If-None-Match, any": KnownDifference(RFC9110, {"Code": "304", "ETag": MISSING, "status": 304}),
    "conditions: a head, If-Match right outweighs If-Unmodified-Since": KnownDifference(
        f"{API}/API_GetObject.html", {"Code": MISSING, "ETag": '"c4ca4238a0b923820dcc509a6f75849b"', "status": 200}
    ),
    "conditions: a head, If-None-Match another outweighs If-Modified-Since": KnownDifference(
        f"{API}/API_GetObject.html", {"Code": MISSING, "ETag": '"c4ca4238a0b923820dcc509a6f75849b"', "status": 200}
    ),
    "conditions: one of several etags": KnownDifference(RFC9110, {"[0]": 200, "[1]": 304}),
    "conditions: if none match of a put takes only a star": KnownDifference(
        CONDITIONAL_WRITES, {"[0]": 501, "[1]": "NotImplemented"}
    ),
    "conditions: a delete of anything that is there": KnownDifference(
        CONDITIONAL_DELETES, {"[0][0]": 204, "[0][1]": "", "[1]": []}
    ),
    "conditions: deletes of several with etags": KnownDifference(
        CONDITIONAL_DELETES, {"[0]": [{"Key": "a"}], "[1]": ["PreconditionFailed"], "[2]": ["b"]}
    ),
    "conditions: a completion over what was seen": KnownDifference(
        CONDITIONAL_WRITES,
        {"[0][0]": 412, "[0][1]": "PreconditionFailed", "[1][0]": 409, "[1][1]": "ConditionalRequestConflict"},
    ),
    "conditions: a copy over what is there": KnownDifference(
        CONDITIONAL_WRITES, {"[0][0]": 412, "[0][1]": "PreconditionFailed"}
    ),
    "ranges: the first part of an empty object": KnownDifference(
        PART_OF_NOTHING, {"ContentRange": MISSING, "status": 200}
    ),
}
