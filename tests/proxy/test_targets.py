"""Where a tunnel of the forward proxy ends, by its target alone."""

import ipaddress

import pytest

from samebox.edge import NETWORKS_OF_CONTAINERS
from samebox.proxy import passage, targets
from samebox.proxy.targets import ProxyRules, Refused, TunnelTarget

RULES = ProxyRules(NETWORKS_OF_CONTAINERS)


def refusal(rules: ProxyRules, authority: str) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        rules.decide(targets.parse(authority))
    return refused.value.status, str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "sts.amazonaws.com", "sts.us-east-1.amazonaws.com", "STS.us-east-1.amazonaws.com", "iam.amazonaws.com.",
        "s3.amazonaws.com", "s3.ap-northeast-2.amazonaws.com", "my.bucket.s3.ap-northeast-2.amazonaws.com",
        "bucket.s3.dualstack.eu-west-1.amazonaws.com", "bucket.s3.cn-north-1.amazonaws.com.cn",
        "api.sagemaker.ap-northeast-2.amazonaws.com", "runtime.sagemaker.us-east-1.amazonaws.com",
        "featurestore-runtime.sagemaker.us-east-1.amazonaws.com", "metrics.sagemaker.us-east-1.amazonaws.com",
        "api.ecr.us-east-1.amazonaws.com", "000000000000.dkr.ecr.us-east-1.amazonaws.com",
        "000000000000.dkr-ecr.us-east-1.on.aws", "ecr.us-east-1.api.aws", "logs.us-east-1.amazonaws.com",
        "monitoring.us-east-1.amazonaws.com", "events.us-east-1.amazonaws.com",
        "application-autoscaling.us-east-1.amazonaws.com", "dynamodb.us-gov-west-1.amazonaws.com",
    ],
)  # fmt: skip
def test_names_of_aws_end_at_the_emulator_on_both_ports(host: str) -> None:
    for rules in (RULES, ProxyRules(pass_through=False)):
        assert {rules.decide(targets.parse(f"{host}:{port}")) for port in (443, 8443)} == {"emulator"}


@pytest.mark.parametrize(
    "host",
    ["pypi.org", "amazonaws.com", "amazonaws.com.evil.example", "evilamazonaws.com", "app.us-east-1.on.aws", "1.1.1.1"],
)
def test_other_hosts_are_passed_through_where_the_setting_allows_it(host: str) -> None:
    assert RULES.decide(targets.parse(f"{host}:443")) == "elsewhere"
    status, words = refusal(ProxyRules(pass_through=False), f"{host}:443")
    assert status == 403
    assert "SAMEBOX_PROXY_PASS_THROUGH" in words


@pytest.mark.parametrize("port", [22, 25, 80, 4566, 8080, 65535])
def test_other_ports_are_refused_for_aws_too(port: int) -> None:
    for host in ("sts.amazonaws.com", "pypi.org"):
        status, words = refusal(RULES, f"{host}:{port}")
        assert status == 403
        assert "443 and 8443" in words


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "169.254.169.254", "169.254.170.2",
        "[::ffff:169.254.170.2]", "[fe80::1]", "198.18.7.1", "198.19.255.254", "224.0.0.1", "localhost", "a.localhost",
    ],
)  # fmt: skip
def test_loopback_and_link_local_addresses_and_networks_of_jobs_are_refused(host: str) -> None:
    status, words = refusal(RULES, f"{host}:443")
    assert status == 403
    assert "no loopback" in words


@pytest.mark.parametrize(
    "authority",
    [
        "", "sts.amazonaws.com", "sts.amazonaws.com:", "sts.amazonaws.com:0", "sts.amazonaws.com:65536", ":443",
        "sts.amazonaws.com:443x", "a b.amazonaws.com:443", "../x.amazonaws.com:443", "a/b.amazonaws.com:443",
        "[fe80::1%eth0]:443", "-.amazonaws.com:443", f"{'a' * 260}.amazonaws.com:443", "*.amazonaws.com:443",
    ],
)  # fmt: skip
def test_what_is_no_host_and_port_is_a_bad_request(authority: str) -> None:
    assert refusal(RULES, authority)[0] == 400


@pytest.mark.parametrize(
    ("peer", "near"),
    [
        ("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("198.18.3.2", True), ("169.254.170.5", True),
        ("10.0.0.7", False), ("172.17.0.2", False), ("fe80::1", False), ("2001:db8::1", False), ("", False),
    ],
)  # fmt: skip
def test_clients_are_of_this_machine_or_containers_of_ours(peer: str, near: bool) -> None:
    assert RULES.is_near(peer) is near


def test_sdk_telemetry_is_known_by_its_bucket() -> None:
    assert targets.is_telemetry("sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com")
    assert not targets.is_telemetry("sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com.evil.example")
    assert not targets.is_telemetry("bucket.s3.us-east-1.amazonaws.com")


def test_an_upstream_proxy_is_not_for_the_hosts_of_no_proxy() -> None:
    upstream = passage.upstream_of("http://me:p%40ss@proxy.example:3128", "localhost, .corp.example,*.lab, 10.0.0.1")
    assert upstream is not None
    assert (upstream.host, upstream.port, upstream.authorization) == ("proxy.example", 3128, "Basic bWU6cEBzcw==")
    assert [host for host in ("pypi.org", "a.corp.example", "corp.example", "x.lab", "10.0.0.1", "slab")
            if upstream.is_for(host)] == ["pypi.org", "slab"]  # fmt: skip
    assert passage.upstream_of("", "") is None


def test_an_address_that_a_name_leads_to_is_checked_as_well() -> None:
    with pytest.raises(Refused):
        RULES.check_address(ipaddress.ip_address("127.0.0.1"))
    RULES.check_address(ipaddress.ip_address("93.184.215.14"))
    assert TunnelTarget("pypi.org", 443).address is None
