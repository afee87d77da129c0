"""Lists of keys."""

from tests.s3.differential.known import MISSING, KnownDifference
from tests.s3.differential.sources import API, RECORDED_LISTS

DIFFERENCES = {
    "listings: keys of list objects, two keys": KnownDifference(f"{API}/API_ListObjects.html", {"NextMarker": MISSING}),
    "listings: keys of list objects, two keys and prefixes": KnownDifference(
        f"{API}/API_ListObjects.html", {"NextMarker": "a/", "keys": ["a"], "prefixes": ["a/"]}
    ),
    "listings: keys of list objects, no keys, with a delimiter": KnownDifference(
        f"{API}/API_ListObjects.html", {"prefixes": []}
    ),
    "listings: keys of list objects, more keys than a page has": KnownDifference(
        f"{API}/API_ListObjectsV2.html", {"MaxKeys": 1000}
    ),
    "listings: keys of list objects v2, more keys than a page has": KnownDifference(
        f"{API}/API_ListObjectsV2.html", {"MaxKeys": 1000}
    ),
    "listings: prefixes after one of their keys": KnownDifference(
        f"{API}/API_ListObjects.html", {"prefixes": ["a/", "b/"]}
    ),
    "listings: prefixes after a marker in one": KnownDifference(RECORDED_LISTS, {"prefixes": ["b/"]}),
    "listings: prefixes after a marker that is one": KnownDifference(
        f"{API}/API_ListObjects.html", {"prefixes": ["b/"]}
    ),
    "listings: all pages by marker of a size, 1": KnownDifference(
        f"{API}/API_ListObjects.html",
        {
            "": [
                {"keys": ["a"], "prefixes": [], "more": True},
                {"keys": [], "prefixes": ["a/"], "more": True},
                {"keys": ["b"], "prefixes": [], "more": True},
                {"keys": [], "prefixes": ["b/"], "more": True},
                {"keys": ["c"], "prefixes": [], "more": True},
                {"keys": ["ü"], "prefixes": [], "more": False},
            ]
        },
    ),
    "listings: all pages by marker of a size, 2": KnownDifference(
        f"{API}/API_ListObjects.html",
        {
            "": [
                {"keys": ["a"], "prefixes": ["a/"], "more": True},
                {"keys": ["b"], "prefixes": ["b/"], "more": True},
                {"keys": ["c", "ü"], "prefixes": [], "more": False},
            ]
        },
    ),
    "listings: all pages by marker of a size, 3": KnownDifference(
        f"{API}/API_ListObjects.html",
        {"[0].keys": ["a", "b"], "[0].prefixes": ["a/"], "[1].keys": ["c", "ü"], "[1].prefixes": ["b/"]},
    ),
    "listings: without a delimiter there is no next marker": KnownDifference(
        f"{API}/API_ListObjects.html", {"NextMarker": MISSING}
    ),
    "listings: an entry of an older list": KnownDifference(
        f"{API}/API_ListObjects.html", {"ChecksumAlgorithm": ["CRC32"]}
    ),
    "listings: a number of keys that cannot be, -1": KnownDifference(
        f"{API}/API_ListObjectsV2.html",
        {
            "ArgumentName": "maxKeys",
            "Code": "InvalidArgument",
            "Message": "Argument maxKeys must be an integer between 0 and 2147483647",
            "status": 400,
        },
    ),
    "listings: a number of keys that cannot be, abc": KnownDifference(
        f"{API}/API_ListObjectsV2.html",
        {
            "ArgumentName": "max-keys",
            "Code": "InvalidArgument",
            "Message": "Provided max-keys not an integer or within integer range",
            "status": 400,
        },
    ),
    "listings: a number of keys that cannot be, 2147483648": KnownDifference(
        f"{API}/API_ListObjectsV2.html",
        {
            "ArgumentName": "max-keys",
            "Code": "InvalidArgument",
            "Message": "Provided max-keys not an integer or within integer range",
            "status": 400,
        },
    ),
    "listings: an unknown encoding": KnownDifference(
        f"{API}/API_ListObjectsV2.html",
        {
            "ArgumentValue": "base64",
            "Code": "InvalidArgument",
            "Message": "Invalid Encoding Method specified in Request",
            "status": 400,
        },
    ),
    "listings: a token that is none, !!!": KnownDifference(
        RECORDED_LISTS,
        {"Code": "InvalidArgument", "Message": "The continuation token provided is incorrect", "status": 400},
    ),
    "listings: a token that is none, %%": KnownDifference(
        RECORDED_LISTS,
        {"Code": "InvalidArgument", "Message": "The continuation token provided is incorrect", "status": 400},
    ),
    "listings: a token that is none, YQ": KnownDifference(
        RECORDED_LISTS,
        {"Code": "InvalidArgument", "Message": "The continuation token provided is incorrect", "status": 400},
    ),
}
