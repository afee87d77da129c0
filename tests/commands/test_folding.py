"""What is left of sagemaker-training's own lines on a screen."""

import pytest

from samebox.commands.folding import LogFolding

STAMP = "2026-11-29 15:52:55,063 sagemaker-training-toolkit INFO    "
DUMP = [
    f"{STAMP} Invoking user script",
    "",
    "Training Env:",
    "",
    "{",
    '    "channel_input_dirs": {},',
    '    "hyperparameters": {"text": "Invoking user script"}',
    "}",
    "",
    "Environment variables:",
    "",
    "SM_HOSTS=[]",
    "PYTHONPATH=/opt/ml/code",
    "",
    "Invoking script with the following command:",
    "",
    "/usr/local/bin/python3 train.py --epochs 3",
]


def folded(*lines: str) -> tuple[list[str], int]:
    folding = LogFolding()
    shown = [one for line in lines for one in folding.feed(line)] + folding.end()
    return shown, folding.folded


def test_of_the_dump_of_the_environment_the_command_is_left() -> None:
    shown, count = folded("mine", *DUMP, "", "", "", "epoch 1", "", "epoch 2")
    assert shown == ["mine", "/usr/local/bin/python3 train.py --epochs 3", "", "epoch 1", "", "epoch 2"]
    assert count == len(DUMP) - 1 + 2


def test_a_hyperparameter_that_is_a_plain_word_is_no_fault() -> None:
    note = f"{STAMP} Failed to parse hyperparameter name value abc to Json."
    assert folded(note, "Returning the value itself", "epoch 1") == (["epoch 1"], 2)


def test_other_lines_of_the_toolkit_are_shown() -> None:
    lines = [f"{STAMP} Installing dependencies from requirements.txt", f"{STAMP} Exiting"]
    assert folded(*lines) == (lines, 0)


def test_errors_of_the_toolkit_are_shown() -> None:
    error = "2026-11-29 15:52:55,063 sagemaker-training-toolkit ERROR    Invoking user script"
    assert folded(error, *DUMP[1:])[0] == [error, *DUMP[1:]]


def test_the_same_lines_of_a_script_are_the_scripts() -> None:
    lines = ["Returning the value itself", "Training Env:", "Invoking user script", "No GPUs detected"]
    assert folded(*lines) == (lines, 0)


@pytest.mark.parametrize("length", range(1, len(DUMP)))
def test_a_dump_that_does_not_end_is_shown_after_all(length: int) -> None:
    assert folded(*DUMP[:length]) == (DUMP[:length], 0)


def test_a_dump_that_goes_on_and_on_is_shown_after_all() -> None:
    lines = [*DUMP[:3], *(f"line {number}" for number in range(5000))]
    assert folded(*lines) == (lines, 0)


def test_what_only_begins_like_a_dump_is_shown() -> None:
    lines = [DUMP[0], "", "epoch 1", "epoch 2"]
    assert folded(*lines) == (lines, 0)
