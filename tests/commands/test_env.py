"""What `samebox env` prints must be understood by the shell that evaluates it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emulator import cli
from emulator.commands.env import script


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


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_understands_its_own_words() -> None:
    told = subprocess.run(
        ["fish", "-c", script({"AWS_X": "it's \\ here"}, "fish") + "echo $AWS_X"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "it's \\ here\n"


def test_quotes_are_doubled_for_powershell() -> None:
    assert "$Env:AWS_X = 'it''s'\n" in script({"AWS_X": "it's"}, "powershell")
    assert "set -gx AWS_X 'it\\'s'\n" in script({"AWS_X": "it's"}, "fish")
