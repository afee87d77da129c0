"""The words of the command line; what they do is tested in tests/commands and, for real, in tests/scenarios."""

import subprocess
import sys

import pytest

from samebox import cli

COMMANDS = ("up", "down", "status", "env", "jobs", "logs", "prune", "train", "push", "deploy", "help")


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)])
def test_every_command_explains_itself(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0
    assert "usage: samebox" in capsys.readouterr().out


def test_help_loads_nothing_that_takes_its_time() -> None:
    program = (
        "import sys\n"
        "from samebox import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "slow = {'boto3', 'botocore', 'rich', 'docker', 'anyio', 'uvicorn', 'asyncio', 'sqlite3'}\n"
        "sys.stderr.write(', '.join(sorted(slow & set(sys.modules))))\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert told.stderr == ""


def test_a_setting_that_does_not_exist_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAMEBOX_PROT", "4567")
    assert cli.main(["status"]) == 2
    assert "SAMEBOX_PROT: there is no such setting" in capsys.readouterr().err


def test_listening_beyond_loopback_needs_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SAMEBOX_TOKEN", raising=False)
    assert cli.main(["up", "--host", "0.0.0.0"]) == 2
    assert "a token is needed" in capsys.readouterr().err


def test_an_option_that_is_not_known_shows_the_usage_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", "mine:1", "--fats"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("usage: samebox check ")
    assert said.endswith("samebox check: error: unrecognized arguments: --fats\n")


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert version("samebox") == cli.VERSION


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help"]) == 0
    assert capsys.readouterr().out.startswith("usage: samebox ")
    assert cli.main(["help", "train"]) == 0
    assert capsys.readouterr().out.startswith("usage: samebox train ")
