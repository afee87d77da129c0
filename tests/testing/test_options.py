"""The plugin's options: as `samebox check` has them, on the command line or committed in pytest's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.commands.check_options import CheckArguments
from samebox.testing import options
from tests.testing.images import BAD, LEAN, write

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{pytester.path}/nobody.sock")
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN)
    pytester.makepyfile(test_own="def test_own(): pass")
    write(pytester.path, BAD)
    return pytester.path


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--samebox-claims", "sreve"], "--samebox-claims sreve: unknown claim; known are train, serve, *"),
        (["--samebox-only", "no-such-check"], "no check matches 'no-such-check'; *"),
        (["--samebox-skip", "no-such-check"], "no check matches 'no-such-check'; *"),
        (["--samebox-model", "gone.tar.gz"], "there is no *gone.tar.gz."),
        (["--samebox-payload", "gone.csv"], "there is no *gone.csv."),
        (["--samebox-data", "test_own.py"], "--samebox-data *test_own.py is not a folder."),
        (["--samebox-hyperparameter", "epochs"], "--samebox-hyperparameter epochs: expected NAME=VALUE."),
        (["--samebox-max-size", "large"], "--samebox-max-size 'large' is not a size; *"),
        (["--samebox-accept", "test_own.py"], "*test_own.py: *"),
        (["--samebox-image", "gone.tar"], "--samebox-image gone.tar: there is no such file."),
    ],
)
def test_a_wrong_value_is_one_sentence(pytester: pytest.Pytester, given: list[str], sentence: str) -> None:
    found = pytester.runpytest("--samebox-image", "image.tar", *given)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert len([line for line in found.errlines if line]) == 1


def test_everything_can_be_configured(pytester: pytest.Pytester) -> None:
    settings = pytester.mkdir("settings")
    (settings / "Dockerfile").write_text("FROM debian:12\nUSER gone\n")
    pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        samebox_image = "image.tar"
        samebox_claims = ["train"]
        samebox_only = ["image-user-exists", "train-*"]
        samebox_skip = ["train-argument"]
        samebox_hyperparameter = ["epochs=3", "name=a b"]
        samebox_data = "settings"
        samebox_dockerfile = "settings/Dockerfile"
        samebox_payload = ["test_own.py"]
        samebox_fast = true
        """
    )
    config = pytester.parseconfigure()
    check_options = options.check_options(config)
    assert options.image(config) == str(pytester.path / "image.tar")
    assert check_options.options.claims == {"train"}
    assert check_options.options.hyperparameters == {"epochs": "3", "name": "a b"}
    assert check_options.options.data == settings
    assert check_options.options.payloads == (pytester.path / "test_own.py",)
    assert check_options.options.fast
    assert "train-argument" not in {check.rule.id for check in check_options.checks}
    found = pytester.runpytest("-W", "always")
    assert found.parseoutcomes()["failed"] == 2
    found.stdout.fnmatch_lines(["  line:   *Dockerfile:2"])


def test_the_command_line_goes_before_the_configuration(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsamebox_image = image.tar\nsamebox_claims = serve\nsamebox_only = serve-*\n")
    config = pytester.parseconfigure("--samebox-claims", "train", "--samebox-only", "train-program")
    check_options = options.check_options(config)
    assert check_options.options.claims == {"train"}
    assert [check.rule.id for check in check_options.checks] == ["train-program"]


def test_a_configured_image_is_checked_by_runs_of_the_whole_suite(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsamebox_image = image.tar\nsamebox_claims = train\nsamebox_only = train-program\n")
    pytester.runpytest("-W", "always").assert_outcomes(passed=1, failed=1)
    pytester.runpytest("-W", "always", "test_own.py").assert_outcomes(passed=1)
    pytester.runpytest("-W", "always", "test_own.py", "--samebox-image=image.tar").assert_outcomes(passed=1, failed=1)
    pytester.runpytest("-W", "always", "--samebox-image=").assert_outcomes(passed=1)
    name = str(pytester.path / "image.tar")
    pytester.runpytest("-W", "always", f"{name}::train-program").assert_outcomes(failed=1)


def test_every_option_of_the_check_is_one_of_the_plugin() -> None:
    known = {one.name.replace("-", "_") for one in options.OPTIONS}
    singular = {
        "payloads": "payload",
        "hyperparameters": "hyperparameter",
        "arguments": "argument",
        "outputs": "output",
    }
    asked = {singular.get(name, name) for name in CheckArguments.__dataclass_fields__} - {"dashes", "cache"}
    assert asked - known == set()
