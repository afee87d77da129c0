"""Links to objects, as answers have them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from samebox.wire import s3_address

if TYPE_CHECKING:
    from samebox.wire.http import Request


def link(scheme: str, head: Request, bucket: str, key: str) -> str:
    """The URL of an object at the host that the request `head` came to, which may have the bucket in it.

    S3 encodes slashes, and its SDKs decode them again, not all alike (aws/aws-sdk-js#811). Here they stay, which each
    client reads. Where a client would change the path before it asks, for `..`, say, they are encoded.
    """
    safe = "" if _is_changed(key) else "/"
    inside = "" if s3_address.bucket_in(head.host) else f"/{quote(bucket)}"
    return f"{scheme}://{head.headers.get('host', '')}{inside}/{quote(key, safe=safe)}"


def _is_changed(key: str) -> bool:
    """Whether clients take a path that has the key as it is for another one (RFC 3986 §5.2.4)."""
    segments = key.split("/")
    return "" in segments[:-1] or not {".", ".."}.isdisjoint(segments)
