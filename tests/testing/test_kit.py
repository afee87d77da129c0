"""What a session starts is removed at its end; what it cannot start is reported once."""

from __future__ import annotations

import dataclasses
import signal
import subprocess

import pytest

from samebox.check.checks import LABEL
from tests.check.fixtures.recipes import build
from tests.testing.images import BOX, GOOD, LEAN, write

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def no_engine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{pytester.path}/nobody.sock")
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN)


def test_without_an_engine_an_image_fails_once(pytester: pytest.Pytester) -> None:
    found = pytester.runpytest("-ra", "--samebox-image", "mine:1", "--samebox-claims", "serve")
    outcomes = found.parseoutcomes()
    assert outcomes["failed"] == 1
    assert set(outcomes) == {"failed", "skipped"}
    found.stdout.fnmatch_lines(
        [
            "mine:1 cannot be looked up: No Docker engine answers at *",
            "SKIPPED * mine:1:1: the image cannot be examined: see image-manifest-type",
        ]
    )


def test_an_archive_that_is_none_fails_once(pytester: pytest.Pytester) -> None:
    (pytester.path / "image.tar").write_bytes(GOOD.docker_archive()[:2000])
    found = pytester.runpytest("--samebox-image", "image.tar")
    assert found.parseoutcomes()["failed"] == 1
    found.stdout.fnmatch_lines(["image.tar cannot be examined: *cut off or damaged*"])


def test_fixtures_report_what_they_lack(pytester: pytest.Pytester) -> None:
    write(pytester.path)
    pytester.makepyfile("def test_one(train_run): pass\ndef test_two(endpoint): pass\n")
    found = pytester.runpytest("-ra")
    found.assert_outcomes(skipped=2)
    found.stdout.fnmatch_lines(["*there is no image: give --samebox-image IMAGE*"])
    archive = pytester.runpytest("-ra", "-k", "test_one or test_two", "--samebox-image=image.tar")
    assert archive.parseoutcomes()["skipped"] == 2
    archive.stdout.fnmatch_lines(["*an archive is read and not run*"])
    nobody = pytester.runpytest("-ra", "-k", "test_one or test_two", "--samebox-image=mine:1")
    assert nobody.parseoutcomes()["errors"] == 2
    nobody.stdout.fnmatch_lines(["*mine:1 cannot be looked up: No Docker engine answers*"])


# With an engine: nothing is left, however a session ends

LASTS = """
import os, signal, pytest

def test_serves(endpoint):
    assert endpoint.ping().status == 200

def test_ends(endpoint):
    how = os.environ["ENDS_BY"]
    if how != "itself":
        os.kill(os.getpid(), getattr(signal, how))
        signal.pause()
"""


def containers(image: str) -> list[str]:
    """Of any session of the kit that has run this image."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={image}", "--filter", f"label={LABEL}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()


@pytest.mark.docker
@pytest.mark.parametrize(
    ("ends_by", "status"),
    [("itself", 0), ("SIGINT", 2), ("SIGTERM", 128 + signal.SIGTERM), ("SIGKILL", -signal.SIGKILL)],
)
def test_nothing_is_left(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ends_by: str, status: int) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    # Of its own, so that no other test's containers are found with it, nor swept.
    image = build(dataclasses.replace(BOX, instructions=(f"LABEL samebox-test.ends={ends_by}",)))
    pytester.makepyfile(LASTS)
    kit = ("--samebox-image", image, "--samebox-claims", "serve", "--samebox-only", "serve-starts")
    monkeypatch.setenv("ENDS_BY", ends_by)
    found = pytester.runpytest_subprocess(*kit, timeout=300)
    assert found.ret == status
    if ends_by == "SIGKILL":
        monkeypatch.setenv("ENDS_BY", "itself")
        pytester.runpytest_subprocess(*kit, timeout=300).assert_outcomes(passed=3)
    assert containers(image) == []


@pytest.mark.docker
def test_an_image_is_checked_run_and_shared_by_workers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    pytester.makepyfile(
        test_one="def test_trains(train_run): assert train_run.exit_code == 0",
        test_two="def test_answers(endpoint): assert endpoint.invoke('3', 'text/csv').body == b'3.0'",
    )
    kit = ("--samebox-image", build(BOX), "--samebox-only", "serve-starts,serve-ready,train-completes,train-argument")
    pytester.runpytest_subprocess(*kit, "-n", "2", timeout=300).assert_outcomes(passed=6)
