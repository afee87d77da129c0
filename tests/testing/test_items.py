"""What becomes of a check in pytest's words: failed, warned of, accepted, skipped."""

from __future__ import annotations

import pytest

from tests.check.images import SHELL, ImageSource, layer, script
from tests.testing.images import BAD, DOCKERFILE, FAULTS, GOOD, LEAN, write

pytest_plugins = ["pytester"]

KIT = ("-W", "always", "-ra", "--samebox-image", "image.tar", "--samebox-claims", "train")
NO_AUTHORITIES = ImageSource((layer(*SHELL[:-1], script("usr/bin/train")),))


@pytest.fixture(autouse=True)
def no_engine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{pytester.path}/nobody.sock")
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN)


def test_a_good_image_passes(pytester: pytest.Pytester) -> None:
    write(pytester.path, GOOD)
    found = pytester.runpytest(*KIT)
    assert found.ret == pytest.ExitCode.OK
    assert set(found.parseoutcomes()) == {"passed", "skipped"}


def test_a_failure_has_what_was_observed_a_remedy_the_source_of_the_rule_and_its_place(
    pytester: pytest.Pytester,
) -> None:
    write(pytester.path, BAD)
    (pytester.path / "Dockerfile").write_text(DOCKERFILE)
    found = pytester.runpytest(*KIT, "--samebox-dockerfile", "Dockerfile", "--samebox-skip", "image-dockerfile-lint")
    assert found.parseoutcomes()["failed"] == len(FAULTS)
    found.stdout.fnmatch_lines(
        [
            "*may not be run*`train` is a program that can be run*",
            "  mend:   *COPY --chmod=0755*",
            "  source: contract §1.1*",
            "  line:   *Dockerfile:2",
            "FAILED image.tar::train-program - Failed: *may not be run*",
        ]
    )
    found.stdout.no_fnmatch_line("*Traceback*")
    found.stdout.no_fnmatch_line("*items.py*")


def test_a_warning_is_pytests(pytester: pytest.Pytester) -> None:
    write(pytester.path, NO_AUTHORITIES)
    found = pytester.runpytest(*KIT)
    assert found.ret == pytest.ExitCode.OK
    assert found.parseoutcomes()["warnings"] == 1
    found.stdout.fnmatch_lines(["*CheckWarning: none*has CA certificates*", "*Install ca-certificates*"])


@pytest.mark.parametrize("strictness", [("--samebox-strict",), ("-W", "error::samebox.testing.CheckWarning")])
def test_a_warning_can_be_a_failure(pytester: pytest.Pytester, strictness: tuple[str, ...]) -> None:
    write(pytester.path, NO_AUTHORITIES)
    found = pytester.runpytest(*KIT, *strictness)
    assert found.parseoutcomes()["failed"] == 1
    found.stdout.fnmatch_lines(["FAILED image.tar::image-ca-certificates - Failed: none*"])


def test_a_warning_can_be_suppressed(pytester: pytest.Pytester) -> None:
    write(pytester.path, NO_AUTHORITIES)
    pytester.makeini("[pytest]\nfilterwarnings = ignore::samebox.testing.CheckWarning\n")
    found = pytester.runpytest_subprocess("--samebox-image", "image.tar", "--samebox-claims", "train")
    assert found.ret == pytest.ExitCode.OK
    assert "warnings" not in found.parseoutcomes()


def accept(pytester: pytest.Pytester, name: str, until: str = "") -> None:
    text = f'[[accepted]]\nid = "{name}"\nreason = "ticket 4711"\ndate = 2026-11-01\n{until}'
    (pytester.path / ".samebox-check.toml").write_text(text)


def test_what_is_accepted_fails_as_expected(pytester: pytest.Pytester) -> None:
    write(pytester.path, BAD)
    accept(pytester, "image-user-exists")
    found = pytester.runpytest(*KIT)
    assert found.parseoutcomes()["failed"] == len(FAULTS) - 1
    assert found.parseoutcomes()["xfailed"] == 1
    found.stdout.fnmatch_lines(["XFAIL image.tar::image-user-exists - *accepted 2026-11-01: ticket 4711*gone*"])
    assert pytester.runpytest(*KIT, "--runxfail").parseoutcomes()["failed"] == len(FAULTS)


def test_an_acceptance_that_is_over_counts_no_more(pytester: pytest.Pytester) -> None:
    write(pytester.path, BAD)
    accept(pytester, "image-user-exists", "until = 2026-11-02\n")
    found = pytester.runpytest(*KIT, "--samebox-only", "image-user-exists")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*was accepted until 2026-11-02, and counts again (ticket 4711)*"])


def test_an_acceptance_of_what_passes_can_go(pytester: pytest.Pytester) -> None:
    write(pytester.path, GOOD)
    accept(pytester, "image-user-exists")
    found = pytester.runpytest(*KIT, "--samebox-only", "image-user-exists")
    found.assert_outcomes(passed=1, warnings=1)
    found.stdout.fnmatch_lines(["*the acceptance can go*"])


def test_a_skipped_check_has_a_reason_with_the_options_of_the_plugin(pytester: pytest.Pytester) -> None:
    write(pytester.path, GOOD)
    found = pytester.runpytest(*KIT)
    found.stdout.fnmatch_lines_random(
        [
            "SKIPPED * image.tar:1: No Docker engine answers*",
            "SKIPPED * image.tar:1: no budget is set: give one with --samebox-max-size",
            "SKIPPED * image.tar:1: give the Dockerfile with --samebox-dockerfile",
        ]
    )


def test_checks_that_prove_to_be_of_no_interest_are_skipped(pytester: pytest.Pytester) -> None:
    write(pytester.path, ImageSource((layer(*SHELL, script("usr/bin/train")),)))
    found = pytester.runpytest("-ra", "--samebox-image", "image.tar", "--samebox-only", "*-program")
    assert found.parseoutcomes() == {"passed": 1, "skipped": 1}
    found.stdout.fnmatch_lines(["SKIPPED * of no interest: checked for train, found on its PATH*--samebox-claims*"])


def test_what_was_seen_of_what_passed_can_be_shown(pytester: pytest.Pytester) -> None:
    write(pytester.path, GOOD)
    found = pytester.runpytest(*KIT, "-rP", "--samebox-only", "train-program")
    found.stdout.fnmatch_lines(["*Captured seen call*", "*usr/bin/train*"])
