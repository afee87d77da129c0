"""Keys and passwords are found wherever an image keeps them, and what only looks like one is not."""

from __future__ import annotations

import pytest

from tests.check.images import ImageSource, LayerFile, layer
from tests.check.static.looking import GOOD, holding, look

KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nabc\n"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("root/.ssh/id_rsa", KEY),
        ("app/server.key", b"-----BEGIN RSA PRIVATE KEY-----\n"),
        ("app/tls.pem", CERTIFICATE + b"-----BEGIN PRIVATE KEY-----\n"),
        ("root/.aws/credentials", b"[default]\naws_secret_access_key = x\n"),
        ("root/.netrc", b"machine x login y password z"),
        ("root/.pypirc", b"[pypi]\npassword = pypi-xyz\n"),
        ("root/.npmrc", b"//registry/:_authToken=abcdef\n"),
        ("root/.docker/config.json", b'{"auths": {"x": {"auth": "QVdT"}}}'),
        ("etc/pip.conf", b"[global]\nindex-url = https://me:secret@host/simple\n"),
        ("root/.git-credentials", b"https://me:token@github.com\n"),
        ("app/.env", b"DATABASE_PASSWORD=hunter2hunter2\n"),
        ("app/service-account.json", b'{"private_key": "x"}'),
        ("root/.kube/config", b"users:\n- user:\n    client-key-data: x\n"),
    ],
)
def test_what_opens_something_is_found(path: str, content: bytes) -> None:
    found = look("image-secrets", holding(LayerFile(path, content)), words=f"FROM x\nCOPY {path} /{path}")
    assert (found.status, found.line) == ("fail", 2)
    assert f"/{path} in layer 1" in found.seen


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("etc/ssl/certs/x.pem", CERTIFICATE),
        ("usr/lib/python3/dist-packages/tornado/test/test.key", KEY),
        ("root/.docker/config.json", b'{"auths": {}}'),
        ("etc/pip.conf", b"[global]\nindex-url = https://host/simple\n"),
        ("app/.env", b"LOG_LEVEL=debug\nTOKEN=$TOKEN\n"),
        ("root/.npmrc", b"_authToken=${NPM_TOKEN}\n"),
        ("app/config.json", b'{"auth": true}'),
    ],
)
def test_what_opens_nothing_is_not(path: str, content: bytes) -> None:
    assert look("image-secrets", holding(LayerFile(path, content))).status == "pass"


def test_a_key_that_a_later_layer_deletes_is_still_there() -> None:
    image = ImageSource((layer(*GOOD, LayerFile("root/.ssh/id_rsa", KEY)), layer(LayerFile("root/.ssh/.wh.id_rsa"))))
    found = look("image-secrets", image)
    assert (found.status, "deleted or replaced later" in found.seen) == ("fail", True)


def test_a_key_that_opens_only_containers_of_the_image_itself_passes() -> None:
    public = b"ssh-ed25519 AAAA host\n"
    folder = [LayerFile("root/.ssh/id_ed25519", KEY), LayerFile("root/.ssh/id_ed25519.pub", public)]
    assert look("image-secrets", holding(*folder, LayerFile("root/.ssh/authorized_keys", public))).status == "pass"
    assert look("image-secrets", holding(*folder)).status == "fail"


@pytest.mark.parametrize(
    "variable",
    ["AWS_SECRET_ACCESS_KEY=abc/def", "DB_PASSWORD=hunter2", "HF_TOKEN=hf_abc", "X=AKIAABCDEFGHIJKLMNOP"],
)
def test_a_secret_in_the_environment_is_found_and_not_shown(variable: str) -> None:
    found = look("image-secrets-in-config", holding(Env=[variable]))
    assert found.status == "fail"
    assert variable.partition("=")[2] not in found.seen


@pytest.mark.parametrize(
    "variable", ["TOKEN=", "TOKEN_FILE=/run/x", "API_KEY=none", "PATH=/bin", "GPG_KEY=A035C8C19219"]
)
def test_what_is_no_secret_in_the_environment_passes(variable: str) -> None:
    assert look("image-secrets-in-config", holding(Env=[variable])).status == "pass"


def test_a_build_argument_stays_in_the_history() -> None:
    image = ImageSource((layer(*GOOD),), history=["RUN |1 PIP_TOKEN=abcdef123 /bin/sh -c pip install x"])
    found = look("image-secrets-in-config", image)
    assert (found.status, "a build argument PIP_TOKEN" in found.seen) == ("fail", True)
    assert "abcdef123" not in found.seen
