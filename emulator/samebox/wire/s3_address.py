"""Where in S3 a request points: the bucket stands in the host (virtual-hosted style) or first in the path (path style).

Virtual-hosted names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html. `bucket.localhost` is
ours: clients make it of an endpoint URL with the host `localhost`.
"""

import re
from functools import lru_cache
from urllib.parse import quote

from samebox.wire.http import Request

_DOMAIN = re.compile(
    r"""
    (?: (?P<bucket> .+ ) \. )?
    (?: s3 | s3-accelerate | s3-external-1 | s3-website | s3-fips )
    (?: [.-] (?: dualstack | fips ) )*
    (?: [.-] (?: [a-z]{2,} - [a-z0-9-]+ - \d+ ) )?
    \. (?: amazonaws\.com (?: \.cn )? | localhost )
    """,
    re.VERBOSE,
)
_LOCAL = re.compile(r"(?P<bucket>.+)\.localhost")


@lru_cache(maxsize=1000)
def bucket_in(host: str) -> str:
    """The bucket that a host names, or ''. The host is in lower case and has no port."""
    found = _DOMAIN.fullmatch(host)
    if found is None:
        found = _LOCAL.fullmatch(host)
    return "" if found is None else found["bucket"] or ""


def path_style(request: Request) -> Request:
    """The same request with its bucket in the path, and without a slash at the end of a bucket's path."""
    bucket = bucket_in(request.host)
    path = f"/{quote(bucket)}{request.path}" if bucket else request.path
    if path.endswith("/") and path.count("/") == 2:
        path = path[:-1]
    return request if path == request.path else request.changed(path=path or "/")
