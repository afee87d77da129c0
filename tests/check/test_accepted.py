"""What a person accepts is a finding of a known check, with a reason and a day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from samebox.check import accepted
from samebox.check.accepted import BadAcceptance
from samebox.check.findings import Acceptance, Finding

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = {"image-user", "image-caches"}
TODAY = date(2026, 11, 22)
USER = Acceptance("image-user", "not ours", date(2026, 11, 1))


def read(folder: Path, text: str) -> list[Acceptance]:
    path = folder / "accepted.toml"
    path.write_text(text)
    return accepted.read(path, KNOWN)


def test_an_acceptance_has_an_id_a_reason_and_days(tmp_path: Path) -> None:
    text = '[[accepted]]\nid = "image-user"\nreason = "not ours"\ndate = 2026-11-01\nuntil = 2027-01-01\n'
    assert read(tmp_path, text) == [Acceptance("image-user", "not ours", date(2026, 11, 1), date(2027, 1, 1))]
    assert read(tmp_path, "") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[accepted]", "accepted.toml: "),
        ('accepted = "x"', "tables and nothing else"),
        ("[other]", "tables and nothing else"),
        ("accepted = [1]", "entry 1 is not a table"),
        ('[[accepted]]\nid = "image-usr"', "there is no check 'image-usr'"),
        ('[[accepted]]\nid = "image-user"\ndate = 2026-11-01', "gives no reason"),
        ('[[accepted]]\nid = "image-user"\nreason = "x"', "are days"),
        ('[[accepted]]\nid = "image-user"\nreason = "x"\ndate = 2026-11-01T10:00:00', "are days"),
        ('[[accepted]]\nid = "image-user"\nexpires = 1', "has expires; known are"),
        (2 * '[[accepted]]\nid = "image-user"\nreason = "x"\ndate = 2026-11-01\n', "entry 2: image-user is accepted"),
    ],
)
def test_a_file_without_a_usable_acceptance_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadAcceptance, match=words):
        read(tmp_path, text)


def test_an_accepted_finding_does_not_count() -> None:
    marked, notes = accepted.apply([Finding("image-user", "warn", "USER app")], [USER], TODAY)
    assert (marked[0].accepted, marked[0].counts, notes) == (USER, False, [])


def test_an_acceptance_ends_on_its_day_with_a_note() -> None:
    over = Acceptance("image-user", "not ours", date(2026, 11, 1), TODAY)
    marked, notes = accepted.apply([Finding("image-user", "warn", "USER app")], [over], TODAY)
    assert marked[0].counts
    assert "counts again" in notes[0]


def test_an_acceptance_of_what_passes_can_go() -> None:
    marked, notes = accepted.apply([Finding("image-user", "pass", "root")], [USER], TODAY)
    assert (marked[0].accepted, notes) == (None, ["image-user is accepted and passes: the acceptance can go"])


def test_what_could_not_be_checked_is_not_what_was_accepted() -> None:
    marked, _ = accepted.apply([Finding("image-user", "warn", "?", checked=False)], [USER], TODAY)
    assert marked[0].counts
