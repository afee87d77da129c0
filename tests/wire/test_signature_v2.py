"""botocore signs S3's old way, we verify: headers and presigned URLs, and what may be wrong with them."""

import time
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from samebox.errors import AwsError
from samebox.wire.http import Request
from samebox.wire.signature import secret_of, verify

TOKEN = "the-token-of-this-box"


def signed(
    signer: Any, method: str = "GET", url: str = "http://h/b/k", access_key: str = "123456789012", **headers: str
) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, url, named)
    session = "a session" if access_key.startswith("ASIA") else None
    signer(Credentials(access_key, secret_of(TOKEN, access_key), session)).add_auth(request)
    parts = urlsplit(str(request.url))
    return Request(method, parts.path, parts.query, {name.lower(): value for name, value in request.headers.items()})


def refusal(request: Request, token: str = TOKEN, at: float = 0) -> tuple[str, str, int]:
    with pytest.raises(AwsError) as refused:
        verify(request, token, at or time.time(), body_was_read=False)
    return refused.value.code, refused.value.message, refused.value.status


SIGNERS = [botocore.auth.HmacV1Auth, botocore.auth.HmacV1QueryAuth]


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", "http://h/b/k", {}),
        ("GET", "http://h/b/a%20key%2Bmore/%C3%A9.csv", {}),
        ("PUT", "http://h/b/k?partNumber=1&uploadId=a%3Db", {"Content_Type": "text/csv", "x_amz_acl": "private"}),
        ("GET", "http://h/b/k?response-content-type=text%2Fplain&x-id=GetObject", {}),
        ("GET", "http://h/b?prefix=a&acl", {}),
        ("PUT", "http://h/b/k", {"Content_MD5": "XUFAKrxLKna5cZ2REBfFkg==", "x_amz_meta_who": "me"}),
    ],
)
@pytest.mark.parametrize("access_key", ["123456789012", "ASIA123456789012ABCD"])
def test_what_botocore_signs_is_let_in(
    signer: Any, method: str, url: str, headers: dict[str, str], access_key: str
) -> None:
    request = signed(signer, method, url, access_key, **headers)
    verify(request, TOKEN, time.time(), body_was_read=False)
    code, message, status = refusal(request, "another token")
    assert (code, status) == ("SignatureDoesNotMatch", 403)
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


@pytest.mark.parametrize("signer", SIGNERS)
def test_another_method_path_or_part_is_noticed(signer: Any) -> None:
    one = signed(signer, "GET", "http://h/b/k?versionId=1")
    for changed in (
        Request("PUT", one.path, one.query_string, one.headers),
        Request("GET", "/b/other", one.query_string, one.headers),
        Request("GET", one.path, one.query_string.replace("versionId=1", "versionId=2"), one.headers),
        Request("GET", one.path, one.query_string, {**one.headers, "x-amz-acl": "public-read"}),
    ):
        assert refusal(changed)[0] == "SignatureDoesNotMatch"


def test_a_url_lives_as_long_as_it_says() -> None:
    one = signed(lambda credentials: botocore.auth.HmacV1QueryAuth(credentials, expires=1000))
    verify(one, TOKEN, time.time() + 900, body_was_read=False)
    assert refusal(one, at=time.time() + 1100) == ("AccessDenied", "Request has expired", 403)
    longer = one.query_string.replace(f"Expires={one.query['Expires']}", "Expires=99999999999")
    assert refusal(Request("GET", one.path, longer, one.headers))[0] == "SignatureDoesNotMatch"
    never = one.query_string.replace(f"Expires={one.query['Expires']}", "Expires=never")
    assert "seconds since epoch" in refusal(Request("GET", one.path, never, one.headers))[1]


def test_a_header_lives_as_long_as_a_request_may_travel() -> None:
    one = signed(botocore.auth.HmacV1Auth)
    assert refusal(one, at=time.time() + 2000)[0] == "RequestTimeTooSkewed"
    assert refusal(Request("GET", "/b/k", "", {"authorization": "AWS key:signature"}))[0] == "AccessDenied"


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Thu, 01 Jan 99999 00:00:00 GMT", f"Thu, 01 Jan 2026 0:0:0 +{'9' * 30}"]
)
def test_a_header_that_is_no_date_is_refused(date: str) -> None:
    headers = {"authorization": "AWS key:signature", "date": date}
    assert refusal(Request("GET", "/b/k", "", headers))[0] == "AccessDenied"


def test_only_s3_knows_it() -> None:
    with pytest.raises(AwsError, match="not supported"):
        verify(signed(botocore.auth.HmacV1Auth, "POST", "http://h/"), TOKEN, time.time())


@pytest.mark.parametrize(
    ("method", "url", "resource"),
    [
        ("PUT", "http://h/b", "/b/"),
        ("GET", "http://b.s3.eu-west-1.amazonaws.com/k", "/b/k"),
        ("GET", "http://b.s3.amazonaws.com/", "/b/"),
    ],
)
def test_a_bucket_is_signed_as_clients_sign_it(method: str, url: str, resource: str) -> None:
    request: Any = AWSRequest(method, url)
    request.auth_path = resource
    botocore.auth.HmacV1Auth(Credentials("123456789012", TOKEN)).add_auth(request)
    place = urlsplit(url)
    headers = {"host": place.netloc, **{name.lower(): value for name, value in request.headers.items()}}
    verify(Request(method, place.path, "", headers), TOKEN, time.time(), body_was_read=False)
