"""What becomes of a failed program in /opt/ml/output/failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox_train import failure
from samebox_train.processes import Finished

if TYPE_CHECKING:
    from pathlib import Path

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
    raise ValueError("no such learning rate")
ValueError: no such learning rate
"""


def finished(stderr: str, code: int = 1, command: tuple[str, ...] = ("python", "train.py")) -> Finished:
    return Finished(command, code, stderr)


def test_the_text_holds_exit_code_error_and_command() -> None:
    text = failure.script_text(finished("some warning\n" + TRACEBACK, code=7))

    assert text == (
        f'ExecuteUserScriptError:\nExitCode 7\nErrorMessage "{TRACEBACK.strip()}"\nCommand "python train.py"'
    )


def test_a_program_without_traceback_is_quoted_with_its_last_lines() -> None:
    assert failure.error_message("starting\nsegmentation fault\n") == "starting\nsegmentation fault"


def test_pieces_that_mpirun_marks_in_the_middle_of_a_line_are_joined() -> None:
    marked = TRACEBACK.replace("no such", "no[1,0]<stderr>: such").replace("\n", "\n[1,0]<stderr>:")

    assert failure.error_message("[1,0]<stderr>:" + marked + "\n---\nbanner\n") == TRACEBACK.strip()


def test_the_last_traceback_counts() -> None:
    assert failure.error_message(TRACEBACK + "retrying\n" + TRACEBACK) == TRACEBACK.strip()


def test_under_mpirun_the_traceback_of_one_rank_is_left_without_marks_and_banner() -> None:
    ranks = "".join(f"[1,1]<stderr>:{line}\n[1,0]<stderr>:{line}\n" for line in TRACEBACK.splitlines())
    banner = "-----\nPrimary job terminated normally, but 1 process returned a non-zero exit code.\n-----\n"

    assert failure.error_message(ranks + banner) == TRACEBACK.strip()


@pytest.mark.parametrize("length", [10, 900, 1000, 5000, 200_000])
def test_prefix_text_and_suffix_stay_within_what_sagemaker_shows(length: int) -> None:
    stderr = TRACEBACK.replace("no such learning rate", "x" * length + " the end")

    text = failure.script_text(finished(stderr, code=137, command=("python", "y" * 5000)), extra="OutOfMemory")

    assert len(f"AlgorithmError: {text}, exit code: 137") <= 1024
    assert "the end" in text
    assert "ExitCode 137" in text
    assert "OutOfMemory" in text


def test_the_exception_survives_where_the_traceback_is_long() -> None:
    frames = "".join(f'  File "deep.py", line {number}, in call\n    call()\n' for number in range(500))

    text = failure.script_text(finished(f"Traceback (most recent call last):\n{frames}KeyError: 'label'\n"))

    assert "Traceback (most recent call last):\n...\n" in text
    assert "KeyError: 'label'" in text


def test_an_error_of_the_image_has_the_text_of_the_toolkit() -> None:
    assert failure.framework_text(TRACEBACK) == "Framework Error: \n" + TRACEBACK.strip()


def test_the_message_of_the_users_program_stays(tmp_path: Path) -> None:
    path = tmp_path / "failure"
    path.write_text("my own words")

    failure.write(path, "ours")

    assert path.read_text() == "my own words"


def test_a_file_that_cannot_be_written_is_no_new_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    failure.write(tmp_path / "missing" / "failure", "ours")

    assert "could not write" in capfd.readouterr().err
