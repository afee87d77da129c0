"""What a session starts goes with it; and what it cannot start is said once."""

from __future__ import annotations

import pytest

from tests.testing.images import GOOD, LEAN, write

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


def test_fixtures_say_what_they_lack(pytester: pytest.Pytester) -> None:
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
