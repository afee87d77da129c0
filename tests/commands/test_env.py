"""What `samebox env` prints must be understood by the shell that evaluates it."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from samebox import cli
from samebox.commands import client_environment, where
from samebox.commands.client_environment import UNWANTED
from samebox.commands.env import script
from tests.ports import free_port


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "SAMEBOX_PORT", "SAMEBOX_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAMEBOX_DATA_DIR", str(tmp_path))


def test_a_shell_has_everything_a_client_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["env", "--port", "4599"]) == 0
    program = capsys.readouterr().out + 'echo "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_REGION ${AWS_PROFILE-unset}"'
    told = subprocess.run(
        ["sh", "-euc", program], capture_output=True, text=True, check=True, env={"AWS_PROFILE": "work"}
    )
    assert told.stdout == "http://127.0.0.1:4599 000000000000 us-east-1 unset\n"


def test_an_account_and_a_region_that_were_chosen_stay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    cli.main(["env"])
    printed = capsys.readouterr().out
    assert "export AWS_ACCESS_KEY_ID=123456789012\n" in printed
    assert "export AWS_REGION=eu-west-1\n" in printed


def test_keys_of_aws_are_not_passed_on_to_an_emulator(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG")
    cli.main(["env"])
    printed = capsys.readouterr().out
    assert "AKIA" not in printed
    assert "wJalr" not in printed


def test_a_token_becomes_the_secret(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEBOX_TOKEN", "it's secret")
    cli.main(["env"])
    told = subprocess.run(
        ["sh", "-euc", capsys.readouterr().out + 'echo "$AWS_SECRET_ACCESS_KEY"'],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "it's secret\n"


# What a shell does with it

VALUE = 'it\'s \\ here! $HOME `x` "y"'


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "csh", "fish"])
def test_a_shell_understands_what_is_printed_for_it(shell: str) -> None:
    program = {"csh": "tcsh"}.get(shell, shell)
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    printed = script({"AWS_X": VALUE}, ["AWS_GONE"], shell)
    # As a person writes it; csh and fish have their own words for `eval "$(…)"` and for a variable that is not there.
    evaluate, is_gone = {
        "csh": ("eval `printenv PRINTED`", "echo $?AWS_GONE"),
        "fish": ("printenv PRINTED | source", "set -q AWS_GONE; and echo 1; or echo 0"),
    }.get(shell, ('eval "$(printenv PRINTED)"', "echo ${AWS_GONE+1}${AWS_GONE-0}"))
    told = subprocess.run(
        [program, "-c", f"{evaluate}\nprintenv AWS_X\n{is_gone}"], capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "HOME": "/", "PRINTED": printed, "AWS_GONE": "1"},
    )  # fmt: skip
    assert told.stdout == f"{VALUE}\n0\n"


def test_quotes_are_doubled_for_powershell() -> None:
    assert "$Env:AWS_X = 'it''s'\n" in script({"AWS_X": "it's"}, (), "powershell")


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "csh", "fish", "powershell"])
def test_unset_takes_back_all_that_was_set(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["env", "--shell", shell])
    names = set(re.findall(r"(?:export |setenv |set -gx |Env:)(\w+)", capsys.readouterr().out)) - set(UNWANTED)
    cli.main(["env", "--shell", shell, "--unset"])
    assert set(re.findall(r"(?:unset |unsetenv |set -e |Env:)(\w+)", capsys.readouterr().out)) >= names
    assert "AWS_ENDPOINT_URL" in names


# What is warned of


def test_without_a_listener_a_warning_has_the_command_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert cli.main(["env", "--port", str(port)]) == 0
    said = capsys.readouterr()
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n" in said.out
    assert f"warning: no emulator answers at http://127.0.0.1:{port}. `samebox up --port {port}`" in said.err


def test_another_port_than_the_emulators_is_warned_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with where.recorded(tmp_path, "http://127.0.0.1:4599"):
        cli.main(["env", "--port", str(free_port())])
    assert "The emulator of this data folder runs at http://127.0.0.1:4599" in capsys.readouterr().err


def test_an_emulator_that_answers_has_its_own_account_and_region(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"version": "1", "data_dir": "/x", "account": "111122223333", "region": "eu-central-1"}
    monkeypatch.setattr(where, "ask", lambda _: told)
    cli.main(["env"])
    said = capsys.readouterr()
    assert "export AWS_ACCESS_KEY_ID=111122223333\n" in said.out
    assert "export AWS_DEFAULT_REGION=eu-central-1\n" in said.out
    assert said.err == ""


# Both ways, with an emulator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of an emulator that answers, with the certificates of its proxy."""
    told = {"version": "1", "data_dir": str(tmp_path), "account": "111122223333", "region": "eu-central-1"}
    monkeypatch.setattr(where, "ask", lambda _: told)
    monkeypatch.setattr(where, "is_here", lambda _: True)
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "ca-bundle.pem").touch()
    return tmp_path


PROXY = {"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"}
BUNDLE = {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"}


def exported(text: str) -> dict[str, str]:
    return dict(re.findall(r"^export (\w+)=(.*)$", text, re.MULTILINE))


def test_a_shell_has_both_ways_to_an_emulator_or_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["env"])
    both = exported(capsys.readouterr().out)
    cli.main(["env", "--proxy"])
    printed = capsys.readouterr().out
    proxy = exported(printed)
    cli.main(["env", "--endpoint"])
    endpoint = exported(capsys.readouterr().out)
    assert {both[name] for name in BUNDLE} == {str(folder / "proxy" / "ca-bundle.pem")}
    assert both["HTTPS_PROXY"] == both["https_proxy"] == both["AWS_ENDPOINT_URL"]
    assert set(both) - set(proxy) == {"AWS_ENDPOINT_URL"}
    assert "unset AWS_ENDPOINT_URL\n" in printed
    assert set(both) - set(endpoint) == PROXY | BUNDLE | {"SAMEBOX_REPLACED"}


def test_hosts_that_a_shell_reaches_without_a_proxy_stay(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "corp.example, localhost")
    cli.main(["env"])
    assert exported(capsys.readouterr().out)["NO_PROXY"] == "corp.example,localhost,127.0.0.1,::1"


def test_a_proxy_that_is_replaced_is_warned_of(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    cli.main(["env"])
    assert "SAMEBOX_HTTPS_PROXY" in capsys.readouterr().err


def test_unset_gives_the_shell_its_own_proxy_and_certificates_back(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"HTTPS_PROXY": "http://proxy.example:3128", "no_proxy": "corp.example", "SSL_CERT_FILE": "/etc/own's.pem"}
    for name in (*PROXY, *BUNDLE, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    cli.main(["env"])
    first = capsys.readouterr().out
    for name, value in exported(first).items():
        monkeypatch.setenv(name, shlex.split(value)[0])
    cli.main(["env"])  # a second time: what it replaces is our own
    assert "SAMEBOX_REPLACED" not in capsys.readouterr().out
    cli.main(["env", "--unset"])
    printed = capsys.readouterr().out
    assert {name: shlex.split(value)[0] for name, value in exported(printed).items()} == own
    gone = set(re.findall(r"^unset (\w+)$", printed, re.MULTILINE))
    assert gone == set(client_environment.SET) - set(own)


def test_without_an_emulator_no_proxy_is_set_and_alone_it_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    port = str(free_port())
    assert cli.main(["env", "--port", port]) == 0
    assert not (PROXY | BUNDLE) & set(exported(capsys.readouterr().out))
    assert cli.main(["env", "--port", port, "--proxy"]) == 1
    assert "no emulator answers" in capsys.readouterr().err
