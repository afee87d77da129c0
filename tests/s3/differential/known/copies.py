"""Copies."""

from tests.s3.differential.known import MISSING, KnownDifference
from tests.s3.differential.sources import API

DIFFERENCES = {
    "copies: a copy if its source, wrong etag": KnownDifference(
        f"{API}/API_CopyObject.html", {"[0][0]": 412, "[0][1]": "PreconditionFailed", "[1]": ["source"]}
    ),
    "copies: a copy if its source, unmodified since, before": KnownDifference(
        f"{API}/API_CopyObject.html", {"[0][0]": 412, "[0][1]": "PreconditionFailed", "[1]": ["source"]}
    ),
    "copies: a copy of a deleted object": KnownDifference(
        f"{API}/API_CopyObject.html", {"[1][0]": 400, "[1][1]": "InvalidRequest"}
    ),
    "copies: a copy of a version that is not there": KnownDifference(f"{API}/API_CopyObject.html", {"": 400}),
    "copies: a copy whose source is anothers": KnownDifference(
        f"{API}/API_CopyObject.html", {"[0]": 403, "[1]": "AccessDenied"}
    ),
    "copies: a source without a key": KnownDifference(
        f"{API}/API_CopyObject.html", {"[0]": 400, "[1]": "InvalidArgument"}
    ),
    "copies: a copy does not keep a redirect": KnownDifference(
        f"{API}/API_CopyObject.html", {"WebsiteRedirectLocation": MISSING}
    ),
}
