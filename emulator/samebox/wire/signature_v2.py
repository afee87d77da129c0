"""Signature Version 2, checked: S3's old one, which boto3 still presigns with where the region is us-east-1.

Written from AWS's "Signing and authenticating REST requests"; botocore's signer is the oracle of the tests. Only the
method, the path, the time and headers of Amazon's own are signed: not the host, and no body.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from samebox.errors import AwsError
from samebox.wire import s3_address
from samebox.wire.http import Request

_SKEW_SECONDS = 900.0
_SCHEME = "AWS "
# The names of a query that are a part of the resource.
_RESOURCE = frozenset(
    {
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location"),
        *("logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication"),
        *("requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding"),
        *("response-content-language", "response-content-type", "response-expires", "restore", "select", "select-type"),
        *("storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions"),
        "website",
    }
)


def is_signed(request: Request) -> bool:
    """Whether a request is signed so, in a header or in its query."""
    return request.headers.get("authorization", "").startswith(_SCHEME) or "AWSAccessKeyId" in request.query


def verify(request: Request, secret: str, now: float) -> None:
    """AwsError (403) unless the request is signed with the secret, and in time."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(_SCHEME):
        given = authorization.rpartition(":")[2]
        time = _check_date(request, now)
    else:
        if any(name not in request.query for name in ("Signature", "Expires", "AWSAccessKeyId")):
            text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
            raise AwsError("AccessDenied", text, 403)
        given = request.query.get("Signature", "")
        time = check_expiry(request.query.get("Expires", ""), now)
    texts = [_text(request, time, path) for path in _paths(request)]
    if not any(hmac.compare_digest(sign(secret, one).encode(), given.strip().encode()) for one in texts):
        key = authorization.removeprefix(_SCHEME).rpartition(":")[0] or request.query.get("AWSAccessKeyId", "")
        raise mismatch(key, given.strip(), texts[0])


def mismatch(access_key: str, given: str, text: str, canonical: str | None = None) -> AwsError:
    """S3's refusal of a signature, with what was to be signed: a client that compares it finds its mistake."""
    fields = {
        "AWSAccessKeyId": access_key,
        "StringToSign": text,
        "SignatureProvided": given,
        "StringToSignBytes": text.encode().hex(" "),
    }
    if canonical is not None:
        fields |= {"CanonicalRequest": canonical, "CanonicalRequestBytes": canonical.encode().hex(" ")}
    words = "The request signature we calculated does not match the signature you provided. Check your key and signing"
    return AwsError("SignatureDoesNotMatch", f"{words} method.", 403, fields)


def expired(until: float, now: float, life: int | None = None) -> AwsError:
    """S3's refusal of a presigned URL whose time is over; `life` in seconds, where the URL names it."""
    fields = {} if life is None else {"X-Amz-Expires": str(life)}
    for name, moment in (("Expires", until), ("ServerTime", now)):
        fields[name] = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return AwsError("AccessDenied", "Request has expired", 403, fields)


def sign(secret: str, text: str) -> str:
    """The signature of a text: a string to sign, or the policy of a form."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def check_expiry(expires: str, now: float) -> str:
    """The end of a presigned URL's life, epoch seconds, as it stands in it. AwsError (403) where that has passed."""
    if not expires.isdecimal() or len(expires) > 12:
        raise AwsError("AccessDenied", f"Invalid date (should be seconds since epoch): {expires}", 403)
    if now > int(expires):
        raise expired(int(expires), now)
    return expires


def _check_date(request: Request, now: float) -> str:
    date = request.headers.get("date", "")
    try:
        when = parsedate_to_datetime(request.headers.get("x-amz-date") or date).timestamp()
    except (ValueError, OverflowError):
        words = "AWS authentication requires a valid Date or x-amz-date header"
        raise AwsError("AccessDenied", words, 403) from None
    if abs(now - when) > _SKEW_SECONDS:
        words = "The difference between the request time and the current time is too large."
        raise AwsError("RequestTimeTooSkewed", words, 403)
    return "" if "x-amz-date" in request.headers else date


def _text(request: Request, time: str, path: str) -> str:
    headers, query = request.headers, request.query
    # A presigned URL has in its query what was a header where it was made.
    plain = (headers.get(name) or query.get(name, "") for name in ("content-md5", "content-type"))
    named = {name: value for name, value in query.items() if name.startswith("x-amz-")}
    named |= {name: value for name, value in headers.items() if name.startswith("x-amz-")}
    amazons = [f"{name}:{value.strip()}" for name, value in sorted(named.items())]
    return "\n".join([request.method, *(value.strip() for value in plain), time, *amazons, _resource(request, path)])


def _paths(request: Request) -> list[str]:
    # A bucket in the host is signed as one in the path, and a bucket alone with a slash at its end, which clients
    # do not send in path style.
    bucket = s3_address.bucket_in(request.host)
    path = f"/{bucket}{request.path}" if bucket else request.path
    return [path, f"{path}/"] if path.count("/") == 1 and path != "/" else [path]


def _resource(request: Request, path: str) -> str:
    pairs = [pair.partition("=") for pair in request.query_string.split("&")]
    kept = [name + equals + unquote(value) for name, equals, value in sorted(pairs) if name in _RESOURCE]
    return path + ("?" + "&".join(kept) if kept else "")
