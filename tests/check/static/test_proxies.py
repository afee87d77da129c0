"""A proxy of the build's network that is left in the image is found, and its password not shown."""

from __future__ import annotations

import pytest

from tests.check.images import PATH, LayerFile
from tests.check.static.looking import holding, look

PROXY = "http://proxy.corp.example:3128"
OWN = "localhost,127.0.0.1,169.254.170.2"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_in_env_is_named(name: str) -> None:
    found = look("image-proxy-variables", holding(Env=[PATH, f"{name}={PROXY}"]), words=f"FROM x\nENV {name}={PROXY}")
    assert (found.status, found.line) == ("warn", 2)
    assert f"ENV {name}={PROXY}" in found.seen
    assert "169.254.170.2" in found.remedy


@pytest.mark.parametrize("excepted", [OWN, f"{OWN}, .corp.example", "*"])
def test_one_that_leaves_the_containers_own_addresses_alone_is_meant(excepted: str) -> None:
    found = look("image-proxy-variables", holding(Env=[PATH, f"HTTP_PROXY={PROXY}", f"no_proxy={excepted}"]))
    assert found.status == "pass"


def test_what_no_proxy_lacks_is_named() -> None:
    found = look("image-proxy-variables", holding(Env=[PATH, f"HTTP_PROXY={PROXY}", "NO_PROXY=localhost,127.0.0.1"]))
    assert found.seen.endswith("169.254.170.2 would be asked through it, too")


def test_a_password_in_it_is_not_shown() -> None:
    found = look("image-proxy-variables", holding(Env=[PATH, "HTTP_PROXY=http://me:s3cretW0rd9@proxy:3128"]))
    assert "ENV HTTP_PROXY=http://…@proxy:3128" in found.seen


def test_pips_own_setting_is_seen() -> None:
    settings = LayerFile("etc/pip.conf", f"[global]\nproxy = {PROXY}\n".encode())
    found = look("image-proxy-variables", holding(settings))
    assert (found.status, f"/etc/pip.conf: proxy = {PROXY}" in found.seen) == ("warn", True)


@pytest.mark.parametrize("words", [[], ["HTTP_PROXY="], ["NO_PROXY=localhost"]])
def test_without_a_proxy_there_is_no_finding(words: list[str]) -> None:
    assert look("image-proxy-variables", holding(Env=[PATH, *words])).seen == "none"
