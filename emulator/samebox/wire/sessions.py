"""Sessions: what each protocol answers to a temporary key without its session token, or with one that is not good.

Clients send the token in a header, or in the query of a presigned URL. Whether it is valid is decided where it was
issued. The texts are AWS's, as published; the status of JSON services is that of DynamoDB and Lambda.
"""

from collections.abc import Callable
from typing import Literal

from samebox.errors import AwsError
from samebox.wire.http import Request

Verdict = Literal["good", "missing", "wrong", "expired"]
Look = Callable[[str, str], Verdict]  # (access key, session token, "" where there is none)
Protocol = Literal["json", "rest-json", "query", "cbor", "s3"]

_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_S3 = {
    "missing": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "wrong": ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
    "expired": ("ExpiredToken", "The provided token has expired.", 400),
}


def check(request: Request, protocol: Protocol, look: Look) -> None:
    """AwsError where the request is signed with a temporary key whose session token is missing, wrong or expired."""
    signed = request.credential_scope
    if signed is None:
        return
    query = request.query
    token = (
        request.headers.get("x-amz-security-token")
        or query.get("X-Amz-Security-Token")
        or query.get("x-amz-security-token")  # Signature Version 2
        or ""
    )
    check_key(signed.access_key, token, protocol, look)


def check_key(access_key: str, token: str, protocol: Protocol, look: Look) -> None:
    """AwsError where a key is a temporary one and its session token is missing, wrong or expired."""
    verdict = look(access_key, token)
    if verdict != "good":
        raise _refusal(verdict, protocol)


def _refusal(verdict: Literal["missing", "wrong", "expired"], protocol: Protocol) -> AwsError:
    if protocol == "s3":
        return AwsError(*_S3[verdict])
    is_expired = verdict == "expired"
    message = _EXPIRED if is_expired else _INVALID
    if protocol == "query":
        return AwsError("ExpiredToken" if is_expired else "InvalidClientTokenId", message, 403)
    code = "ExpiredTokenException" if is_expired else "UnrecognizedClientException"
    return AwsError(code, message, 403 if protocol == "rest-json" else 400)
