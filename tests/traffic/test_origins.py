"""Which requests a browser sends for a page of another origin, recognized by their headers."""

import pytest

from samebox.errors import AwsError
from samebox.traffic.origins import OriginPolicy

LOOPBACK = OriginPolicy()
EVERYWHERE = OriginPolicy("0.0.0.0", frozenset({"my.box", "*.lab.example"}))
OPEN = OriginPolicy(origins=frozenset({"http://localhost:3000"}))


def check(policy: OriginPolicy, **headers: str) -> str | None:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return policy.check(named)


def refusal(policy: OriginPolicy, **headers: str) -> str:
    with pytest.raises(AwsError) as refused:
        check(policy, **headers)
    assert (refused.value.code, refused.value.status) == ("AccessDeniedException", 403)
    return refused.value.message


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:4566", "LOCALHOST:4566", "localhost.:4566", "bucket.localhost:4566",
        "a.b.s3.localhost", "127.0.0.1:4566", "127.1.2.3", "[::1]:4566", "169.254.170.2",
        "s3.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com", "bucket.s3-us-west-2.amazonaws.com",
    ],
)  # fmt: skip
def test_names_that_cannot_be_pointed_at_this_machine_are_ours(host: str) -> None:
    assert check(LOOPBACK, host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "api.sagemaker.us-east-1.amazonaws.com", "000000000000.dkr.ecr.us-east-1.amazonaws.com",
        "api.ecr.cn-north-1.amazonaws.com.cn", "ecr.us-east-1.api.aws", "000000000000.dkr-ecr.us-east-1.on.aws",
    ],
)  # fmt: skip
def test_other_names_of_aws_are_ours_where_the_proxy_brings_them(host: str) -> None:
    assert LOOPBACK.check([(b"host", host.encode())], is_proxied=True) is None
    refusal(LOOPBACK, host=host)
    with pytest.raises(AwsError):
        LOOPBACK.check([(b"host", b"evil.example")], is_proxied=True)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:4566", "", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost",
        "amazonaws.com.evil.example", "evilamazonaws.com", "169.254.170.2.nip.io", "10.0.0.7:4566", "0.0.0.0:4566",
        "[fe80::1]", "[::1", "localhost@evil.example", "my.box",
    ],
)  # fmt: skip
def test_any_other_name_is_refused_and_the_setting_named(host: str) -> None:
    if host == "[::1":
        assert check(LOOPBACK, host=host) is None  # no browser sends it, and it names loopback all the same
    else:
        assert "SAMEBOX_ALLOWED_HOSTS" in refusal(LOOPBACK, host=host)


def test_plain_http_by_the_proxy_to_another_name_is_refused_with_the_variable_that_sent_it() -> None:
    with pytest.raises(AwsError, match="unset HTTP_PROXY"):
        OriginPolicy().check([(b"host", b"example.com")], is_proxied=True)


@pytest.mark.parametrize("host", ["0.0.0.0:4566", "10.0.0.7:4566", "[fe80::1]", "my.box", "a.lab.example", "localhost"])
def test_beyond_loopback_addresses_are_ours_and_the_names_that_were_given(host: str) -> None:
    assert check(EVERYWHERE, host=host) is None


@pytest.mark.parametrize("host", ["evil.example", "lab.example", "other.box", "my.box.evil.example"])
def test_beyond_loopback_other_names_are_refused(host: str) -> None:
    refusal(EVERYWHERE, host=host)


def test_an_address_that_is_listened_on_is_ours() -> None:
    assert check(OriginPolicy("10.0.0.7"), host="10.0.0.7:4566") is None
    refusal(OriginPolicy("10.0.0.7"), host="10.0.0.8:4566")


def test_two_hosts_are_one_too_many() -> None:
    with pytest.raises(AwsError, match="several"):
        LOOPBACK.check([(b"host", b"localhost"), (b"host", b"localhost")])


def test_a_client_that_is_no_browser_sends_no_origin() -> None:
    assert check(LOOPBACK, host="127.0.0.1:4566", user_agent="Boto3/1.44", authorization="AWS4-HMAC-SHA256 …") is None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "file://", "http://localhost:3000", "http://127.0.0.1:4567", "ws://localhost:4566"],
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert "SAMEBOX_ALLOWED_ORIGINS" in refusal(LOOPBACK, host="localhost:4566", origin=origin)


def test_our_own_page_is_not_of_another_origin() -> None:
    assert check(LOOPBACK, host="localhost:4566", origin="http://localhost:4566", sec_fetch_site="same-origin") is None


def test_a_page_that_has_a_name_of_aws_is_not_our_own() -> None:
    refusal(LOOPBACK, host="s3.amazonaws.com", origin="http://s3.amazonaws.com")


@pytest.mark.parametrize(("site", "is_refused"), [
    ("cross-site", True), ("same-site", True), ("same-origin", False), ("none", False),
])  # fmt: skip
def test_the_sec_fetch_site_header_counts(site: str, is_refused: bool) -> None:
    if is_refused:
        refusal(LOOPBACK, host="localhost", sec_fetch_site=site)
    else:
        assert check(LOOPBACK, host="localhost", sec_fetch_site=site) is None


def test_an_origin_that_a_setting_allows_comes_in() -> None:
    found = check(OPEN, host="localhost:4566", origin="http://localhost:3000", sec_fetch_site="same-site")
    assert found == "http://localhost:3000"
    refusal(OPEN, host="evil.example:4566", origin="http://localhost:3000")
    with pytest.raises(AwsError):
        OPEN.check(
            [(b"host", b"localhost"), (b"origin", b"http://localhost:3000"), (b"origin", b"http://evil.example")]
        )
