"""Who calls, out of a signature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebox.wire.caller import Caller, account_of, caller, lasting_credential, scope
from samebox.wire.sigv4 import CredentialScope


def authorization(credential: str) -> dict[str, str]:
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=ab"}


def test_an_unsigned_request_acts_in_the_default_account_and_region() -> None:
    assert caller({}, {}) == Caller("000000000000", "us-east-1", "")
    assert caller({}, {}, "123456789012", "eu-west-1") == Caller("123456789012", "eu-west-1", "")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sts.eu-west-1.amazonaws.com", "eu-west-1"), ("api.ecr.cn-north-1.amazonaws.com.cn:443", "cn-north-1"),
        ("ecr.us-gov-west-1.api.aws", "us-gov-west-1"), ("bucket.s3.ap-northeast-2.amazonaws.com", "ap-northeast-2"),
        ("sts.amazonaws.com", "us-east-1"), ("localhost:4566", "us-east-1"), ("eu-west-1.evil.example", "us-east-1"),
    ],
)  # fmt: skip
def test_an_unsigned_request_acts_in_the_region_of_its_host(host: str, region: str) -> None:
    assert caller({"host": host}, {}).region == region


def test_twelve_digits_are_the_account_and_the_scope_names_the_region() -> None:
    headers = authorization("123456789012/20261122/eu-central-1/sagemaker/aws4_request")
    assert caller(headers, {}) == Caller("123456789012", "eu-central-1", "123456789012")


def test_a_presigned_url_names_its_caller_in_the_query() -> None:
    query = {"X-Amz-Credential": "AKID/20261122/us-west-2/s3/aws4_request"}
    assert caller({}, query) == Caller("000000000000", "us-west-2", "AKID")


def test_an_access_key_may_hold_a_slash() -> None:
    assert scope(authorization("a/b/20261122/us-east-1/s3/aws4_request"), {}) == CredentialScope(
        "a/b", "20261122", "us-east-1", "s3"
    )


def test_an_old_signature_is_s3s() -> None:
    found = scope({"authorization": "AWS AKID:c2ln"}, {})
    assert found == CredentialScope("AKID", "", "", "s3")


@pytest.mark.parametrize(
    ("access_key", "account"),
    [
        ("123456789012", "123456789012"),
        ("ASIA123456789012ABCD", "123456789012"),
        ("ASIA1234567890122345", "123456789012"),
        ("1234567890123", "000000000000"),
        ("123456789012x", "000000000000"),
        ("AKIAIOSFODNN7EXAMPLE", "000000000000"),
        ("test", "000000000000"),
    ],
)
def test_the_account_of_an_access_key(access_key: str, account: str) -> None:
    assert account_of(access_key) == account


@pytest.mark.parametrize("text", ["", "Basic abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b"])
def test_an_authorization_that_is_no_signature_names_no_caller(text: str) -> None:
    assert caller({"authorization": text}, {}) == Caller()


SCOPES = st.from_regex(r"[A-Za-z0-9/]{1,30}/20261122/us-east-1/sagemaker/aws4_request", fullmatch=True)


@given(credential=SCOPES, rest=st.sampled_from(["", ", SignedHeaders=host, Signature=0", ",SignedHeaders=host"]))
def test_a_key_that_lasts_is_found_in_the_raw_headers_as_in_the_read_ones(credential: str, rest: str) -> None:
    text = f"AWS4-HMAC-SHA256 Credential={credential}{rest}"
    found = lasting_credential([(b"host", b"localhost"), (b"authorization", text.encode())])
    expected = scope({"authorization": text}, {})
    assert found == (None if credential.startswith("ASIA") else expected)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"AWS AKID:c2ln")],
        [(b"authorization", b"AWS4-HMAC-SHA256 Credential=a/b")],
        [(b"authorization", b"AWS4-HMAC-SHA256 Credential=ASIA123456789012ABCD/20261122/us-east-1/s3/aws4_request")],
        [(b"authorization", b"AWS4-HMAC-SHA256 Credential=1/20261122/us-east-1/s3/aws4_request")] * 2,
    ],
)
def test_what_needs_a_second_look_has_no_key_that_lasts(headers: list[tuple[bytes, bytes]]) -> None:
    assert lasting_credential(headers) is None
