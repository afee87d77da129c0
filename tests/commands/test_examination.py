"""What is asked of the contract kit: chosen checks, sizes, and names that are paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.check.checks import Check
from emulator.check.findings import Rule
from emulator.commands import examination
from emulator.commands.outcome import Stop

if TYPE_CHECKING:
    from pathlib import Path


def some(*ids: str) -> list[Check]:
    return [Check(Rule(one, "", "", "fail", "static", ""), lambda _: ()) for one in ids]


@pytest.mark.parametrize(
    ("only", "skip", "left"),
    [
        ([], [], ["serve-a", "serve-b", "train-a"]),
        (["serve-*"], [], ["serve-a", "serve-b"]),
        (["serve-a,train-a"], [], ["serve-a", "train-a"]),
        (["serve-*"], ["serve-b"], ["serve-a"]),
        ([], ["*-a"], ["serve-b"]),
    ],
)
def test_checks_are_chosen_by_ids_and_patterns(only: list[str], skip: list[str], left: list[str]) -> None:
    checks = some("serve-a", "serve-b", "train-a")
    assert [one.rule.id for one in examination.chosen(checks, only, skip)] == left


@pytest.mark.parametrize(
    ("size", "number"), [("10", 10), ("2.5GB", 2_500_000_000), ("1 KiB", 1024), ("900mib", 900 << 20)]
)
def test_a_size_is_read_as_people_write_it(size: str, number: int) -> None:
    assert examination.bytes_of(size) == number


def test_a_size_that_is_none_stops() -> None:
    with pytest.raises(Stop):
        examination.bytes_of("10 apples")


def test_a_path_is_told_from_an_images_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "image.tar").touch()
    assert [examination.looks_like_path(one) for one in ("image.tar", "./x", "gone.tar.gz", "~/x")] == [True] * 4
    assert [examination.looks_like_path(one) for one in ("mine", "mine:1", "localhost:4566/mine:1")] == [False] * 3
