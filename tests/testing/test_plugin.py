"""The checks of an image are tests like any other: they are chosen, shared among workers, and reported like these."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from samebox.check.registry import CHECKS
from tests.testing.images import BAD, FAULTS, LEAN, write

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

IMAGE = ("-W", "always", "--strict-markers", "--samebox-image", "image.tar")
KIT = (*IMAGE, "--samebox-claims", "train,serve")
TRAIN = (*IMAGE, "--samebox-claims", "train")


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's project: a test, an archive of an image, and no engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{pytester.path}/nobody.sock")
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN)
    pytester.makepyfile(test_own="def test_own(): pass")
    write(pytester.path)
    return pytester.path


def names(pytester: pytest.Pytester, *arguments: str) -> set[str]:
    """Of the tests that would run."""
    _, report = pytester.inline_genitems("-W", "always", "--strict-markers", *arguments)
    return {item.nodeid for call in report.getcalls("pytest_collection_finish") for item in call.session.items}


def ids(*claims: str) -> set[str]:
    return {f"image.tar::{one.rule.id}" for one in CHECKS if one.is_of_interest(frozenset(claims))}  # type: ignore[arg-type]


def test_without_an_image_nothing_is_added(pytester: pytest.Pytester) -> None:
    assert names(pytester) == {"test_own.py::test_own"}
    pytester.runpytest("--strict-markers").assert_outcomes(passed=1)


def test_without_an_image_nothing_of_the_kit_is_imported(project: Path) -> None:
    heavy = "{'docker', 'boto3', 'rich', 'samebox.check', 'samebox.commands', 'samebox.containers'}"
    # A whole run, and not only the import of the plugin: its hooks could import more.
    run = "pytest.main(['-q', 'test_own.py'])"
    program = f"import sys, pytest; print(); print({run}, 'samebox.testing.plugin' in sys.modules)"
    program += f"; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True, cwd=project
    )
    assert done.stdout.splitlines()[-2:] == ["0 True", "[]"], done.stdout


def test_each_check_of_what_is_claimed_is_a_test(pytester: pytest.Pytester) -> None:
    assert names(pytester, *KIT) == {"test_own.py::test_own"} | ids("train", "serve")
    assert names(pytester, *TRAIN) == {"test_own.py::test_own"} | ids("train")


def test_collecting_reads_no_image_and_asks_no_engine(pytester: pytest.Pytester) -> None:
    (pytester.path / "image.tar").write_bytes(b"no image")
    for name in ("image.tar", "mine:1"):
        found = names(pytester, f"--samebox-image={name}")
        assert {f"{name}::serve-starts", f"{name}::train-argument"} <= found


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (["-m", "serve-starts"], {"image.tar::serve-starts"}),
        (["-m", "samebox-artifact and not artifact-links"], None),
        (["-m", "not samebox"], {"test_own.py::test_own"}),
        (["-k", "serve-starts or test_own"], {"image.tar::serve-starts", "test_own.py::test_own"}),
        (["-k", "test_own", "--samebox-only", "image-*"], {"test_own.py::test_own"}),
        (["image.tar::serve-starts"], {"image.tar::serve-starts"}),
        (["image.tar::serve-starts@image.tar", "test_own.py"], {"image.tar::serve-starts", "test_own.py::test_own"}),
        (
            ["--samebox-only", "serve-starts,image-user", "--samebox-skip", "image-*"],
            {"image.tar::serve-starts", "test_own.py::test_own"},
        ),
    ],
)
def test_checks_are_chosen_as_tests_are(pytester: pytest.Pytester, choice: list[str], chosen: set[str] | None) -> None:
    found = names(pytester, *KIT, *choice)
    artifact = {f"image.tar::{one.rule.id}" for one in CHECKS if one.rule.family == "artifact"}
    assert found == (
        chosen if chosen is not None else (artifact & ids("train", "serve")) - {"image.tar::artifact-links"}
    )


def test_a_marker_of_ours_is_known_without_an_image(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="import pytest\n@pytest.mark.samebox\ndef test_own(): pass")
    pytester.runpytest("--strict-markers", "-m", "samebox").assert_outcomes(passed=1)


def test_the_first_failure_ends_a_run_that_shall_end_there(pytester: pytest.Pytester) -> None:
    write(pytester.path, BAD)
    found = pytester.runpytest(*KIT, "-x").parseoutcomes()
    assert found["failed"] == 1


def test_what_failed_last_is_run_again_alone(pytester: pytest.Pytester) -> None:
    write(pytester.path, BAD)
    pytester.runpytest(*TRAIN)
    again = pytester.runpytest(*TRAIN, "--lf")
    again.assert_outcomes(failed=len(FAULTS), deselected=again.parseoutcomes()["deselected"])


def test_a_report_for_machines_has_each_check(pytester: pytest.Pytester) -> None:
    write(pytester.path, BAD)
    pytester.runpytest(*TRAIN, "--junit-xml=report.xml")
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "report.xml").iter("testcase")}
    assert {name for name, case in cases.items() if case.find("failure") is not None} == FAULTS
    failure = cases["image-user-exists"].find("failure")
    assert failure is not None
    assert "gone" in str(failure.get("message"))
    assert cases["image-user-exists"].get("classname") == "image.tar"


def test_workers_find_what_one_process_finds(pytester: pytest.Pytester) -> None:
    write(pytester.path, BAD)
    alone = pytester.runpytest_subprocess(*TRAIN).parseoutcomes()
    assert alone["failed"] == len(FAULTS)
    for distribution in ("load", "loadgroup"):
        assert pytester.runpytest_subprocess(*TRAIN, "-n2", "--dist", distribution).parseoutcomes() == alone


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    assert pytester.runpytest_subprocess("-p", "no:samebox", "--samebox-image", "x").ret == pytest.ExitCode.USAGE_ERROR
    pytester.runpytest_subprocess("-p", "no:samebox").assert_outcomes(passed=1)
