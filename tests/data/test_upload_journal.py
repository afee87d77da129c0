"""The journal of a mirrored folder: what a process after a crash knows of it."""

from pathlib import Path

from samebox.data.folder_files import FileVersion
from samebox.data.upload_journal import UploadJournal

ONE, TWO = FileVersion(1, 10, 100), FileVersion(2, 20, 200)


def test_what_was_noted_is_known_to_the_next_process(tmp_path: Path) -> None:
    journal = UploadJournal(tmp_path / "j")
    journal.begin({"old": ONE})
    journal.note("new", None)
    journal.note("new", TWO)
    journal.note("under way", None)
    journal.forget("old")
    again = UploadJournal(tmp_path / "j")
    assert again.known == journal.known == {"new": TWO, "under way": None}


def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path: Path) -> None:
    journal = UploadJournal(tmp_path / "j")
    journal.note("a", ONE)
    with (tmp_path / "j").open("a") as file:
        file.write('["b", 1, 2')
    assert UploadJournal(tmp_path / "j").known == {"a": ONE}


def test_it_does_not_grow_with_the_number_of_uploads(tmp_path: Path) -> None:
    journal = UploadJournal(tmp_path / "j")
    for number in range(10_000):
        journal.note("weights", FileVersion(1, number))
    assert len((tmp_path / "j").read_text().splitlines()) <= 4096
    assert UploadJournal(tmp_path / "j").known == {"weights": FileVersion(1, 9_999)}


def test_a_new_beginning_forgets_what_was(tmp_path: Path) -> None:
    journal = UploadJournal(tmp_path / "j")
    journal.note("a", ONE)
    journal.begin({"b": TWO})
    assert UploadJournal(tmp_path / "j").known == {"b": TWO}
