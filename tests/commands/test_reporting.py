"""Where reports go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.commands import reporting
from samebox.commands.outcome import Stop

if TYPE_CHECKING:
    from pathlib import Path


def test_a_place_that_takes_no_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    good = tmp_path / "good.html"
    with pytest.raises(Stop, match=r"cannot be written to .*gone/x.json: No such file or directory") as stop:
        reporting.look_at(["-", str(good), str(tmp_path / "gone/x.json")])
    assert stop.value.status == 2
    with pytest.raises(Stop, match="Is a directory"):
        reporting.look_at([str(tmp_path)])
    assert not good.exists()


def test_standard_output_is_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    reporting.look_at(["-"])
    reporting.write("-", "words")
    assert capsys.readouterr().out == "words"


def test_an_error_while_a_report_is_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"cannot be written to .*: No such file or directory"):
        reporting.write(str(tmp_path / "gone/x.json"), "words")


def test_half_a_character_is_written_as_its_escape(tmp_path: Path) -> None:
    reporting.write(str(tmp_path / "x.json"), '"\ud800"')
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '"\\ud800"'
