"""The emulator of one command: what is done where it does not end by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from samebox.commands import private_emulator


def test_one_that_hangs_at_its_end_is_killed_and_its_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_emulator, "END_SECONDS", 0.1)
    folder = tmp_path / "emulator"
    (folder / "jobs").mkdir(parents=True)
    hangs = [sys.executable, "-c", "import threading; threading.Event().wait(600)"]
    with subprocess.Popen(hangs, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        private_emulator._end(child, folder)
        assert child.returncode is not None
    assert not folder.exists()
