"""An emulator is found by the record in its data folder, and a record that is not its own any more is not believed."""

import json
import os
from pathlib import Path

import pytest

from samebox.commands import where
from samebox.commands.outcome import Stop


def test_a_running_emulator_is_found_until_it_ends(tmp_path: Path) -> None:
    with where.recorded(tmp_path, "http://127.0.0.1:4599") as own:
        assert where.record(tmp_path) == own
        assert own.pid == os.getpid()
    assert where.record(tmp_path) is None


def test_of_two_that_start_at_once_one_gives_way_and_the_other_stays_found(tmp_path: Path) -> None:
    with where.recorded(tmp_path, "http://127.0.0.1:4599") as own:
        with pytest.raises(Stop, match="another emulator"), where.recorded(tmp_path, "http://127.0.0.1:4600"):
            pass
        assert where.record(tmp_path) == own


def test_a_process_that_only_has_the_same_number_is_not_taken_for_it(tmp_path: Path) -> None:
    # What a crash leaves, after another process got the number.
    stale = {"pid": os.getpid(), "started": "1", "url": "http://127.0.0.1:4599"}
    (tmp_path / "emulator.json").write_text(json.dumps(stale))
    assert where.record(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '"x"'])
def test_half_a_record_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "emulator.json").write_text(content)
    assert where.record(tmp_path) is None


def test_the_endpoint_variable_goes_before_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMEBOX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9/")
    assert where.url(None) == "http://127.0.0.1:9"
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert where.url(None) == "http://127.0.0.1:4566"


def test_a_data_folder_that_is_named_goes_before_the_endpoint_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with where.recorded(tmp_path, "http://127.0.0.1:4599"):
        assert where.url(tmp_path) == "http://127.0.0.1:4599"
