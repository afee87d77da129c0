"""botocore signs, we verify: headers and URLs, S3 and the rest, and everything that may be wrong with them."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from samebox.errors import AwsError
from samebox.wire.http import Request
from samebox.wire.signature import check_presigned, temporary_secret, verify

TOKEN = "the-token-of-this-box"


def now() -> float:
    return datetime.now(UTC).timestamp()


def signed(
    signer: Any,
    service: str = "sagemaker",
    url: str = "http://localhost:4566/",
    method: str = "POST",
    body: bytes = b"{}",
    secret: str = TOKEN,
    access_key: str = "123456789012",
    **options: Any,
) -> Request:
    request = AWSRequest(method, url, {"X-Amz-Target": "SageMaker.ListModels"}, body)
    request.context["payload_signing_enabled"] = True
    signer(Credentials(access_key, secret), service, "eu-west-1", **options).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    headers = {name.lower(): str(value) for name, value in prepared.headers.items()} | {"host": parts.netloc}
    return Request(method, parts.path, parts.query, headers, body)


def refusal(request: Request, token: str = TOKEN, at: float | None = None) -> AwsError:
    with pytest.raises(AwsError) as refused:
        verify(request, token, now() if at is None else at)
    return refused.value


@pytest.mark.parametrize(
    "sign",
    [
        partial(signed, botocore.auth.SigV4Auth),
        partial(signed, botocore.auth.SigV4Auth, url="http://localhost:4566/endpoints/a%20b/invocations", body=b"1,2"),
        partial(
            signed,
            botocore.auth.SigV4Auth,
            url="http://h/human-loops?NextToken=a%2Bb%3D&MaxResults=3",
            method="GET",
            body=b"",
        ),
        partial(
            signed,
            botocore.auth.SigV4QueryAuth,
            "sts",
            "http://h/?Action=GetCallerIdentity&Version=2011-06-15",
            "GET",
            b"",
        ),
        partial(
            signed,
            botocore.auth.S3SigV4Auth,
            "s3",
            "http://h/b/a%20key%2Bmore/%C3%A9.csv?partNumber=1&uploadId=x",
            "PUT",
        ),
        partial(
            signed, botocore.auth.S3SigV4Auth, "s3", "http://h/b?list-type=2&prefix=a%2Fb&delimiter=%2F", "GET", b""
        ),
        partial(signed, botocore.auth.S3SigV4Auth, "s3", "http://h/b/a//b/../c", "GET", b""),
        partial(signed, botocore.auth.S3SigV4QueryAuth, "s3", "http://h/bucket/key.csv", "GET", b""),
    ],
    ids=["json", "encoded path", "query", "presigned sts", "s3 put", "s3 list", "s3 dots", "s3 presigned"],
)
def test_what_botocore_signs_with_the_token_is_let_in(sign: Callable[[], Request]) -> None:
    request = sign()  # here and not when tests are collected: a signature is valid for fifteen minutes
    verify(request, TOKEN, now())
    error = refusal(request, "another token")
    assert error.code in {"InvalidSignatureException", "SignatureDoesNotMatch"}
    assert error.status == 403
    assert error.message.startswith("The request signature we calculated does not match the signature you provided.")


def test_a_temporary_key_signs_with_a_secret_made_from_the_token() -> None:
    key = "ASIA123456789012ABCD"
    verify(signed(botocore.auth.SigV4Auth, access_key=key, secret=temporary_secret(TOKEN, key)), TOKEN, now())
    assert refusal(signed(botocore.auth.SigV4Auth, access_key=key)).code == "InvalidSignatureException"


def test_a_changed_body_is_noticed() -> None:
    request = signed(botocore.auth.SigV4Auth)
    changed = Request(request.method, request.path, request.query_string, request.headers, b'{"a":1}')
    assert refusal(changed).code == "InvalidSignatureException"


def test_an_object_that_does_not_match_its_hash_is_refused_when_it_was_read() -> None:
    request = signed(botocore.auth.S3SigV4Auth, "s3", "http://h/b/k", "PUT", b"object")
    changed = Request(request.method, request.path, request.query_string, request.headers, b"other")
    assert refusal(changed).code == "XAmzContentSHA256Mismatch"
    verify(changed, TOKEN, now(), body_was_read=False)


def test_an_old_signature_has_expired() -> None:
    error = refusal(signed(botocore.auth.SigV4Auth), at=now() + 950)
    assert error.code == "InvalidSignatureException"
    assert error.message.startswith("Signature expired: 20")
    assert error.message.endswith("- 15 min.)")


def test_a_signature_of_tomorrow_is_not_yet_current() -> None:
    assert refusal(signed(botocore.auth.SigV4Auth), at=now() - 950).message.startswith("Signature not yet current: 20")


def test_a_presigned_url_lives_as_long_as_it_says() -> None:
    request = signed(botocore.auth.S3SigV4QueryAuth, "s3", "http://h/b/k", "GET", b"", expires=1000)
    verify(request, TOKEN, now() + 990)
    assert refusal(request, at=now() + 1010).message == "Request has expired"


@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        ({}, "", "MissingAuthenticationTokenException"),
        ({"authorization": "Bearer x"}, "", "IncompleteSignatureException"),
        ({"authorization": "AWS AKID:sig"}, "", "InvalidRequest"),
        (
            {"authorization": "AWS4-HMAC-SHA256 Credential=a/20261122/r/s3/aws4_request"},
            "",
            "IncompleteSignatureException",
        ),
        ({}, "X-Amz-Credential=nonsense", "IncompleteSignatureException"),
        (
            {},
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/d/aws4_request&X-Amz-Expires=99999999",
            "IncompleteSignatureException",
        ),
        (
            {
                "authorization": "AWS4-HMAC-SHA256 Credential=a/b/r/s/aws4_request, SignedHeaders=host, Signature=é",
                "x-amz-date": "yesterday",
            },
            "",
            "IncompleteSignatureException",
        ),
    ],
)
def test_an_invalid_signature_is_refused(headers: dict[str, str], query: str, code: str) -> None:
    assert refusal(Request("GET", "/b/k", query, headers)).code == code


def test_without_a_token_in_the_signature_nothing_is_signed() -> None:
    request = signed(botocore.auth.SigV4Auth)
    headers = dict(request.headers)
    headers["authorization"] = headers["authorization"].partition(", Signature=")[0]
    unsigned = Request(request.method, request.path, request.query_string, headers, request.body)
    assert refusal(unsigned).message == "Authorization requires 'Signature' parameter."


def s3_url(expires: object) -> Request:
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20261122/us-east-1/s3/aws4_request&X-Amz-Signature=0&X-Amz-Date=20261122T000000Z&X-Amz-SignedHeaders=host&X-Amz-Expires={expires}"  # fmt: skip  # noqa: E501
    return Request("GET", "/b/k", query, {})


MADE = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def test_a_presigned_url_ends_without_a_token_too() -> None:
    check_presigned(s3_url(604800), MADE + 604_700)
    for at, message in ((MADE + 1001, "Request has expired"), (MADE - 1000, "")):
        with pytest.raises(AwsError) as refused:
            check_presigned(s3_url(1000), at)
        assert refused.value.status == 403
        assert message in refused.value.message
    # What is not presigned, or not S3's, is not looked at here.
    check_presigned(Request("GET", "/b/k", "", {}), MADE)
    check_presigned(Request("GET", "/", s3_url(1).query_string.replace("/s3/", "/sts/"), {}), MADE + 10**6)


@pytest.mark.parametrize(
    ("expires", "words"),
    [("604801", "must be less than a week"), ("-1", "must be non-negative"), ("soon", "should be a number")],
)
def test_a_presigned_url_lives_a_week_at_most(expires: str, words: str) -> None:
    with pytest.raises(AwsError, match=words) as refused:
        check_presigned(s3_url(expires), MADE)
    assert refused.value.code == "AuthorizationQueryParametersError"


def test_an_old_presigned_url_of_version_2_ends_too() -> None:
    check_presigned(Request("GET", "/b/k", "AWSAccessKeyId=a&Signature=s&Expires=2000", {}), 1999)
    with pytest.raises(AwsError, match="expired"):
        check_presigned(Request("GET", "/b/k", "AWSAccessKeyId=a&Signature=s&Expires=2000", {}), 2001)


def presigned(**headers: str) -> Request:
    request = AWSRequest("PUT", "http://localhost:4566/bucket/key", {})
    botocore.auth.S3SigV4QueryAuth(Credentials("123456789012", TOKEN), "s3", "eu-west-1", expires=60).add_auth(request)
    parts = urlsplit(str(request.prepare().url))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("PUT", parts.path, parts.query, {"host": parts.netloc, **named})


# The refusals below are as recorded from AWS in February 2026; tests/services/s3/test_recorded.py has the source.


def test_a_presigned_url_comes_with_no_header_of_amazons_that_it_does_not_sign() -> None:
    verify(presigned(content_type="text/csv"), TOKEN, now(), body_was_read=False)
    error = refusal(presigned(x_amz_meta_wrong="1", x_amz_date="20260101T000000Z"))
    assert (error.code, error.fields) == ("AccessDenied", {"HeadersNotSigned": "x-amz-date, x-amz-meta-wrong"})


def test_a_presigned_url_has_all_of_its_parameters() -> None:
    whole = presigned()
    lacking = whole.changed(query_string="&".join(one for one in whole.query_string.split("&") if "Expires" not in one))
    error = refusal(lacking)
    assert (error.code, error.status) == ("AuthorizationQueryParametersError", 400)


def test_a_wrong_signature_of_s3_shows_what_was_to_be_signed() -> None:
    error = refusal(presigned(), "another token")
    assert error.message.endswith("Check your key and signing method.")
    assert set(error.fields) == {
        *("AWSAccessKeyId", "SignatureProvided", "StringToSign", "StringToSignBytes"),
        *("CanonicalRequest", "CanonicalRequestBytes"),
    }
    assert bytes.fromhex(error.fields["StringToSignBytes"]).decode() == error.fields["StringToSign"]


def test_a_presigned_url_that_is_over_shows_when_it_was() -> None:
    error = refusal(presigned(), at=now() + 100)
    assert (error.message, error.fields["X-Amz-Expires"]) == ("Request has expired", "60")
    assert error.fields["Expires"] < error.fields["ServerTime"]
