"""A running emulator is found by what it noted outside of its data folder, too."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from samebox.commands import emulators, where
from tests.scenarios.emulator_process import EmulatorProcess

URL = "http://127.0.0.1:4599"


def test_an_emulator_is_noted_while_it_runs(tmp_path: Path) -> None:
    with where.recorded(tmp_path, URL) as own:
        noted = emulators.on(tmp_path)
        assert noted is not None
        assert (noted.record, noted.data_dir, noted.has_lost_its_folder) == (own, tmp_path, False)
        assert emulators.lost(tmp_path) is None
    assert emulators.on(tmp_path) is None


def test_an_emulator_whose_folder_was_removed_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with where.recorded(folder, URL) as own:
        shutil.rmtree(folder)
        assert where.record(folder) == own
        assert emulators.lost(folder) is not None
    assert where.record(folder) is None


def test_a_folder_in_the_place_of_another_is_not_taken_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with where.recorded(folder, URL):
        folder.rename(tmp_path / "moved")
        folder.mkdir()
        assert emulators.lost(folder) is not None


def test_the_note_of_a_process_that_has_ended_is_removed(tmp_path: Path) -> None:
    with where.recorded(tmp_path, URL):
        note = emulators.notes() / f"{os.getpid()}.json"
        stale = emulators.notes() / "1234567.json"
        stale.write_text(json.dumps({**json.loads(note.read_text()), "started": "1"}))
        broken = emulators.notes() / "7654321.json"
        broken.write_text("{")
        assert [one.record.pid for one in emulators.running() if one.data_dir == tmp_path] == [os.getpid()]
        assert (stale.exists(), broken.exists(), note.exists()) == (False, False, True)


def test_an_emulator_runs_where_no_note_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with where.recorded(tmp_path / "data", URL) as own:
        assert where.record(tmp_path / "data") == own
        assert emulators.running() == []


def samebox(process: EmulatorProcess, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "samebox.cli", *words, "--data-dir", str(process.data_dir)]
    return subprocess.run(command, env=process.environment, capture_output=True, text=True, check=False, timeout=120)


def test_an_emulator_whose_folder_was_removed_is_reported_and_ended(tmp_path: Path) -> None:
    process = EmulatorProcess(tmp_path / "data")
    process.up()
    try:
        shutil.rmtree(process.data_dir)
        for word in ("status", "up"):
            told = samebox(process, word)
            assert told.returncode == 1
            assert "was removed while it ran" in told.stderr
            assert "`samebox down` ends it" in told.stderr
        status = json.loads(samebox(process, "status", "--json").stdout)
        assert (status["running"], status["data_dir_removed"]) == (True, True)
        ended = samebox(process, "down")
        assert ended.returncode == 0
        assert "had been removed while it ran" in ended.stdout
        assert emulators.on(process.data_dir) is None
    finally:
        process.kill()
