"""The edge of an emulator that has a token."""

import json
from importlib.metadata import version

import pytest

from samebox import cli
from samebox.commands import consent, up, where
from samebox.commands.outcome import Stop
from samebox.settings import Settings
from tests.edge.asking import TOKEN, ask


@pytest.fixture
def shell(locked: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell that means the emulator with the token, and does not know the token."""
    for name in ("SAMEBOX_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAMEBOX_DATA_DIR", str(locked.data_dir))
    monkeypatch.setenv("SAMEBOX_PORT", str(locked.port))
    return monkeypatch


def test_an_unsigned_status_reveals_nothing(locked: Settings) -> None:
    status, _, body = ask(locked, "GET", "/_samebox/status")
    assert (status, json.loads(body)) == (
        403,
        {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"},
    )


UNSIGNED: dict[str, dict[str, str]] = {
    "nothing": {},
    "a JSON service": {"X_Amz_Target": "SageMaker.ListTrainingJobs", "Content_Type": "application/x-amz-json-1.1"},
    "a query service": {"Content_Type": "application/x-www-form-urlencoded"},
    "CBOR": {"Smithy_Protocol": "rpc-v2-cbor", "Content_Type": "application/cbor"},
    "a made-up key": {"Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"},
    "an old made-up key": {"Authorization": "AWS 000000000000:c2lnbmF0dXJl"},
    "a password": {"Authorization": "Basic QVdTOnBhc3N3b3Jk"},
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSIGNED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_else_is_answered_without_the_token(locked: Settings, method: str, kind: str) -> None:
    paths = [
        *("/", "/?Action=GetCallerIdentity&Version=2011-06-15", "/objects", "/objects/k?uploads", "/objects?delete"),
        *("/objects/k?AWSAccessKeyId=1&Signature=x&Expires=9999999999", "/v2/", "/v2/a/manifests/latest", "/v2"),
        *("/v2/credentials/0a1b2c3d-0000-4000-8000-000000000000", "/v3/x", "/v4/x", "/_samebox/status", "/_samebox/"),
        *("/endpoints/e/invocations", "/endpoints/e/async-invocations", "/service/SageMaker/operation/ListModels"),
    ]
    body = b"Action=GetCallerIdentity&Version=2011-06-15" if method in ("POST", "PUT", "PATCH") else b""
    for path in paths:
        status, _, answer = ask(locked, method, path, body, UNSIGNED[kind])
        assert status in (400, 401, 403), (path, status, answer)
        assert str(locked.data_dir).encode() not in answer


def test_a_probe_that_does_not_sign_learns_only_whether_it_is_ready(locked: Settings) -> None:
    status, _, body = ask(locked, "GET", "/_samebox/ready")
    assert (status, json.loads(body)) == (200, {"ready": True, "version": version("samebox")})


def test_a_shell_with_the_token_sees_the_status(locked: Settings, shell: pytest.MonkeyPatch) -> None:
    shell.setenv("SAMEBOX_TOKEN", TOKEN)
    said = where.ask(locked.url, seconds=60)
    assert said is not None
    assert said["data_dir"] == str(locked.data_dir)


@pytest.mark.parametrize("token", ["", "another token"])
def test_a_shell_without_the_token_is_asked_for_it(locked: Settings, shell: pytest.MonkeyPatch, token: str) -> None:
    shell.setenv("SAMEBOX_TOKEN", token)
    with pytest.raises(Stop, match="set SAMEBOX_TOKEN to the emulator's"):
        where.ask(locked.url, seconds=60)


def test_no_wrong_secret_is_printed_for_a_shell_without_the_token(
    locked: Settings, shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["env"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "set SAMEBOX_TOKEN to the emulator's" in printed.err
    shell.setenv("SAMEBOX_TOKEN", TOKEN)
    assert cli.main(["env"]) == 0
    assert f"AWS_SECRET_ACCESS_KEY='{TOKEN}'" in capsys.readouterr().out


def test_a_port_of_an_emulator_with_a_token_is_reported_as_an_emulators(
    locked: Settings, shell: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stop, match=f"port {locked.port} is taken by another samebox\\."):
        up.check_port(locked)


def test_it_is_no_bill_of_aws_where_an_emulator_has_a_token(locked: Settings, shell: pytest.MonkeyPatch) -> None:
    assert not consent.place(locked.url, "000000000000", "us-east-1").costs
