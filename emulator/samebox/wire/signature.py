"""Signatures, checked: Version 4 in headers or presigned, over a body that was read or a hash that was declared.

Version 2, which S3 knows as well, is in signature_v2.py.

Used where the emulator is reachable by others and so asks for a token, and where a setting asks for signatures. The
token is the AWS_SECRET_ACCESS_KEY, so an unmodified client needs nothing else. The time of a presigned URL is always
checked.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from samebox.errors import AwsError
from samebox.wire import signature_v2, sigv4
from samebox.wire.caller import scope
from samebox.wire.http import Request
from samebox.wire.sigv4 import CredentialScope

_SKEW_SECONDS = 900.0
_LONGEST_SECONDS = 604_800  # a presigned URL's life, as AWS bounds it
_PART = re.compile(r"(SignedHeaders|Signature)=([^,\s]+)")
_QUERY = (
    "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires",
)  # fmt: skip
_MISSING = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DeclaredSignature:
    """The signature of a request, as it declares it. `expires` is a presigned URL's life in seconds."""

    scope: CredentialScope
    headers: tuple[str, ...]
    signature: str
    date: str
    expires: int | None

    @property
    def is_s3(self) -> bool:
        return self.scope.is_s3


def temporary_secret(token: str, access_key: str) -> str:
    """The secret of a temporary access key (ASIA…): what STS hands out, and what `verify` expects. Kept nowhere."""
    return hmac.new(token.encode(), access_key.encode(), hashlib.sha256).hexdigest()[:40]


def secret_of(token: str, access_key: str) -> str:
    """The secret that an access key signs with: the token itself, but for temporary keys."""
    return temporary_secret(token, access_key) if access_key.startswith("ASIA") else token


def verify(request: Request, token: str, now: float, body_was_read: bool = True) -> None:
    """AwsError (403) unless the request is signed with the token, or with a temporary key's secret made from it.

    With `body_was_read` false (S3 objects stream) the hash that the client declares is what was signed; the reader of
    the body compares it with that hash.
    """
    if not body_was_read and signature_v2.is_signed(request):  # no other service than S3 knows it
        old = scope(request.headers, request.query)
        signature_v2.verify(request, secret_of(token, "" if old is None else old.access_key), now)
        return
    signed = of_request(request)
    _check_time(signed, now)
    payload = _payload_hash(request, signed, body_was_read)
    secret = secret_of(token, signed.scope.access_key)
    part = _signed_part(request, signed, payload)
    expected = sigv4.signature(secret, signed.scope, signed.date, part)
    if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
        if signed.is_s3:
            text = sigv4.string_to_sign(signed.scope, signed.date, part)
            canonical = part.canonical(is_s3=True)
            raise signature_v2.mismatch(signed.scope.access_key, signed.signature, text, canonical)
        raise AwsError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
            403,
        )
    if signed.is_s3 and signed.expires is not None:
        _check_headers(request, signed)


def of_request(request: Request) -> DeclaredSignature:
    """The signature of a request, as it declares it. AwsError where it declares none, or half of one."""
    authorization, query = request.headers.get("authorization", ""), request.query
    found = scope(request.headers, query)
    if found is None:
        if authorization or "X-Amz-Credential" in query:
            raise _incomplete("Credential must have the form 'key/date/region/service/aws4_request'.")
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    if authorization.startswith(sigv4.ALGORITHM):
        parts = dict(_PART.findall(authorization))
        signed = DeclaredSignature(
            found,
            _names(parts.get("SignedHeaders", "")),
            parts.get("Signature", ""),
            request.headers.get("x-amz-date", ""),
            None,
        )
    elif not authorization and query.get("X-Amz-Algorithm") == sigv4.ALGORITHM:
        if found.is_s3 and any(name not in query for name in _QUERY):
            raise AwsError("AuthorizationQueryParametersError", _MISSING)
        expires = query.get("X-Amz-Expires", "300")  # STS's presigned GetCallerIdentity may come without
        _check_life(expires, found.is_s3)
        signed = DeclaredSignature(
            found,
            _names(query.get("X-Amz-SignedHeaders", "")),
            query.get("X-Amz-Signature", ""),
            query.get("X-Amz-Date", ""),
            int(expires),
        )
    else:
        raise AwsError(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        )
    if "host" not in signed.headers:
        raise _incomplete("'Host' must be a signed header.")
    if not signed.signature:
        raise _incomplete("Authorization requires 'Signature' parameter.")
    return signed


def _check_headers(request: Request, signed: DeclaredSignature) -> None:
    """Raises AccessDenied where a presigned URL came with headers of Amazon's own that it does not sign."""
    unsigned = sorted(name for name in request.headers if name.startswith("x-amz-") and name not in signed.headers)
    if unsigned:
        text = "There were headers present in the request which were not signed"
        raise AwsError("AccessDenied", text, 403, {"HeadersNotSigned": ", ".join(unsigned)})


def check_presigned(request: Request, now: float) -> None:
    """AwsError where a presigned URL of S3 is not good any more, or not yet, or for longer than AWS allows.

    Whether it was signed with the right secret is another question, which `verify` answers.
    """
    query = request.query
    if "X-Amz-Signature" in query and "authorization" not in request.headers:
        signed = of_request(request)
        if signed.is_s3:
            _check_time(signed, now)
    elif "AWSAccessKeyId" in query and "Expires" in query:
        signature_v2.check_expiry(query["Expires"], now)


def _check_life(expires: str, is_s3: bool) -> None:
    if re.fullmatch("[0-9]{1,12}", expires) and int(expires) <= _LONGEST_SECONDS:
        return
    if not is_s3:
        raise _incomplete("X-Amz-Expires must be a number of seconds, at most a week.")
    code = "AuthorizationQueryParametersError"
    if not re.fullmatch("-?[0-9]{1,12}", expires):
        raise AwsError(code, "X-Amz-Expires should be a number")
    if expires.startswith("-"):
        raise AwsError(code, "X-Amz-Expires must be non-negative")
    raise AwsError(
        code,
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
        f"{_LONGEST_SECONDS} seconds",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.lower().split(";") if name)


def _check_time(signed: DeclaredSignature, now: float) -> None:
    try:
        when = sigv4.moment(signed.date)
    except ValueError:
        raise _incomplete("Date must be in ISO-8601 'basic format' as X-Amz-Date.") from None
    if signed.date[:8] != signed.scope.date:
        if signed.is_s3:
            raise _other_date(signed)
        raise _incomplete("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
    skew = _SKEW_SECONDS
    until = when + (skew if signed.expires is None else signed.expires)
    if when - skew <= now <= until:
        return
    if signed.is_s3:
        if signed.expires is not None:
            raise signature_v2.expired(until, now, signed.expires)
        raise AwsError(
            "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403
        )
    clock = datetime.fromtimestamp(now, UTC).strftime(sigv4.DATE)
    limit = datetime.fromtimestamp(now - skew if now > until else now + skew, UTC).strftime(sigv4.DATE)
    if now > until:
        words = f"Signature expired: {signed.date} is now earlier than {limit} ({clock} - {skew / 60:.0f} min.)"
    else:
        words = f"Signature not yet current: {signed.date} is still later than {limit} ({clock} + {skew / 60:.0f} min.)"
    raise AwsError("InvalidSignatureException", words, 403)


def _payload_hash(request: Request, signed: DeclaredSignature, body_was_read: bool) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None:
        if signed.is_s3 and signed.expires is not None:
            return sigv4.UNSIGNED
        if not body_was_read:
            raise AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        return hashlib.sha256(request.body).hexdigest()
    if body_was_read and _HEX.fullmatch(declared) and declared != hashlib.sha256(request.body).hexdigest():
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    return declared


def _signed_part(request: Request, signed: DeclaredSignature, payload: str) -> sigv4.SignedRequest:
    # A header that was signed but did not arrive is an empty one: the signature is then wrong.
    headers = {name: request.headers.get(name, "") for name in signed.headers}
    return sigv4.SignedRequest(request.method, request.path, request.query_string, headers, payload)


def _other_date(signed: DeclaredSignature) -> AwsError:
    """What S3 answers where the credential's date is not that of the request."""
    message = (
        f'Invalid credential date "{signed.scope.date}". This date is not the same as X-Amz-Date: "{signed.date[:8]}".'
    )
    if signed.expires is not None:
        return AwsError("AuthorizationQueryParametersError", message)
    return AwsError("AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}")


def _incomplete(message: str) -> AwsError:
    return AwsError("IncompleteSignatureException", message, 403)
