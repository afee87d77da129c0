"""The network variables and certificates that containers get."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from samebox.containers.engine import Mount
from samebox.containers.instances import Limits
from samebox.jobs import surroundings
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.training import plan
from samebox.settings import Settings
from tests.jobs.test_plan import row

ALL = replace(
    Settings(),
    http_proxy="http://user:pass@proxy.example:3128",
    https_proxy="http://proxy.example:3129",
    no_proxy=".example,10.0.0.0/8",
    ca_bundle="/certificates/ca.pem",
    package_index="https://mirror.example/simple",
)


def test_without_settings_containers_are_as_on_aws() -> None:
    assert surroundings.variables(Settings()) == {}
    assert surroundings.mounts(Settings()) == ()


def test_proxies_are_there_in_both_spellings() -> None:
    found = surroundings.variables(ALL)
    assert found["HTTP_PROXY"] == found["http_proxy"] == ALL.http_proxy
    assert found["HTTPS_PROXY"] == found["https_proxy"] == ALL.https_proxy
    assert found["NO_PROXY"] == found["no_proxy"]


def test_a_container_never_asks_a_proxy_for_itself_or_for_its_credentials() -> None:
    own = {"localhost", "127.0.0.1", "algo-1", "169.254.170.2"}
    found = surroundings.variables(replace(Settings(), http_proxy="http://p:1"), ["algo-1"])
    assert own < set(found["NO_PROXY"].split(","))
    assert {".example", "10.0.0.0/8", *own} < set(surroundings.variables(ALL, ["algo-1"])["NO_PROXY"].split(","))


def test_no_proxy_alone_is_nothing() -> None:
    assert surroundings.variables(replace(Settings(), no_proxy="here")) == {}


def test_every_program_finds_the_certificates_where_they_are_mounted() -> None:
    (mount,) = surroundings.mounts(ALL)
    assert mount == Mount(Path("/certificates/ca.pem"), surroundings.CA_FILE, read_only=True)
    found = surroundings.variables(ALL)
    assert {found[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")} == {
        mount.target
    }


def test_pip_and_uv_ask_the_index_and_trust_one_without_tls() -> None:
    found = surroundings.variables(ALL)
    assert found["PIP_INDEX_URL"] == found["UV_DEFAULT_INDEX"] == ALL.package_index
    assert "PIP_TRUSTED_HOST" not in found
    plain = surroundings.variables(replace(Settings(), package_index="http://me:secret@mirror.example:8080/simple"))
    assert plain["PIP_TRUSTED_HOST"] == "mirror.example:8080"


def planned(**request: Any) -> tuple[dict[str, str], list[str]]:
    emulator = EmulatorInfo(Path("/data"), "an-id", ALL, b"a secret")
    (host,) = plan(row(**request), [Limits(cpus=1.0, memory_bytes=1, gpus=0)], emulator).job.hosts
    container = host.container
    return dict(container.environment), [mount.target for mount in container.mounts]


def test_variables_of_the_job_win() -> None:
    variables, mounts = planned(Environment={"PIP_INDEX_URL": "https://own.example/simple"})
    assert variables["PIP_INDEX_URL"] == "https://own.example/simple"
    assert variables["HTTPS_PROXY"] == ALL.https_proxy
    assert surroundings.CA_FILE in mounts


def test_a_job_without_a_network_gets_no_network_variables() -> None:
    variables, mounts = planned(EnableNetworkIsolation=True)
    assert not set(variables) & set(surroundings.variables(ALL))
    assert surroundings.CA_FILE not in mounts


# The emulator's own proxy

WAY = surroundings.ContainerProxy("http://198.18.7.1:4566", Path("/data/proxy/ca-bundle.pem"))


def test_with_a_way_back_clients_of_aws_have_the_emulators_proxy_and_its_certificates_alone() -> None:
    found = surroundings.variables(Settings(), ["algo-1"], WAY)
    assert found["HTTPS_PROXY"] == found["https_proxy"] == WAY.url
    assert {"algo-1", "198.18.7.1", "169.254.170.2", "198.18.0.0/15"} < set(found["NO_PROXY"].split(","))
    assert {name for name, value in found.items() if value == surroundings.CA_FILE} == {
        "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    }  # fmt: skip
    assert "HTTP_PROXY" not in found
    (mount,) = surroundings.mounts(Settings(), WAY)
    assert (mount.source, mount.target, mount.read_only) == (WAY.ca_bundle, surroundings.CA_FILE, True)


def test_a_proxy_of_the_settings_is_then_the_emulators_to_use() -> None:
    found = surroundings.variables(ALL, (), WAY)
    assert found["HTTPS_PROXY"] == WAY.url
    assert found["HTTP_PROXY"] == ALL.http_proxy
    assert found["SSL_CERT_FILE"] == found["AWS_CA_BUNDLE"] == surroundings.CA_FILE
    (mount,) = surroundings.mounts(ALL, WAY)
    assert mount.source == WAY.ca_bundle


ROLE = "arn:aws:iam::123456789012:role/Execution"
KEYS = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}


def test_keys_are_given_where_none_are_served_and_a_request_has_none() -> None:
    emulator = EmulatorInfo(
        Path("/data"), "an-id", Settings(), b"a secret", endpoint_url=WAY.url, ca_bundle=WAY.ca_bundle,
        role_keys=lambda role, own: {**KEYS, "ROLE": role},
    )  # fmt: skip

    def environment(emulator: EmulatorInfo, **more: Any) -> dict[str, str]:
        limits = [Limits(cpus=1.0, memory_bytes=1, gpus=0)]
        return dict(plan(row(RoleArn=ROLE, **more), limits, emulator).job.hosts[0].container.environment)

    given = environment(emulator)
    assert KEYS.items() < given.items()
    assert (given["ROLE"], given["HTTPS_PROXY"]) == (ROLE, WAY.url)
    assert "AWS_SESSION_TOKEN" not in environment(emulator, Environment={"AWS_ACCESS_KEY_ID": "AKIA"})
    assert "AWS_SESSION_TOKEN" not in environment(replace(emulator, role_keys=None))
    assert "HTTPS_PROXY" not in environment(replace(emulator, settings=replace(Settings(), container_proxy=False)))
    isolated = environment(emulator, EnableNetworkIsolation=True)
    assert not {"HTTPS_PROXY", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", *KEYS} & set(isolated)
