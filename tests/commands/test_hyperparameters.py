"""The script must see the arguments that were typed, after the way through hyperparameters.json and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebox.commands.hyperparameters import LONGEST_VALUE, CannotSay, of_arguments


def as_the_toolkit_reads(hyperparameters: dict[str, str]) -> list[str]:
    """What sagemaker-training 4.9.0 makes of them: read_hyperparameters, then to_cmd_args."""
    words: list[str] = []
    for name in sorted(hyperparameters):
        try:
            value = json.loads(hyperparameters[name])
        except ValueError:
            value = hyperparameters[name]
        assert not isinstance(value, dict | list)
        words += [f"--{name}" if len(name) > 1 else f"-{name}", "" if value is None else str(value)]
    return words


@pytest.mark.parametrize(
    ("typed", "arrives"),
    [
        ([], []),
        (["--epochs", "3"], ["--epochs", "3"]),
        (["--epochs=3"], ["--epochs", "3"]),
        (["-e", "3"], ["-e", "3"]),
        (["--learning-rate", "1e-3"], ["--learning-rate", "1e-3"]),
        (["--rate", "0.10"], ["--rate", "0.10"]),
        (["--offset", "-5"], ["--offset", "-5"]),
        (["--offset", "-.5e-3"], ["--offset", "-.5e-3"]),
        (["--shuffle", "true"], ["--shuffle", "true"]),
        (["--nothing", "null"], ["--nothing", "null"]),
        (["--empty", ""], ["--empty", ""]),
        (["--empty="], ["--empty", ""]),
        (["--layers", "[1,2]"], ["--layers", "[1,2]"]),
        (["--options", '{"a":1}'], ["--options", '{"a":1}']),
        (["--text", '"quoted"'], ["--text", '"quoted"']),
        (["--text", "two\nlines"], ["--text", "two\nlines"]),
        (["--text", "a=b"], ["--text", "a=b"]),
        (["--big", "12345678901234567890123"], ["--big", "12345678901234567890123"]),
        (["--nan", "NaN"], ["--nan", "NaN"]),
        (["--b", "1", "--a", "2"], None),
    ],
)
def test_a_script_sees_what_was_typed(typed: list[str], arrives: list[str] | None) -> None:
    if arrives is None:
        with pytest.raises(CannotSay, match="would arrive as -b"):
            of_arguments(typed)
    else:
        assert as_the_toolkit_reads(of_arguments(typed)) == arrives


@given(st.text(max_size=200))
def test_any_value_arrives_unchanged(value: str) -> None:
    assert as_the_toolkit_reads(of_arguments([f"--value={value}"])) == ["--value", value]


def test_plain_numbers_stay_plain_so_that_the_console_shows_them_so() -> None:
    assert of_arguments(["--epochs", "3", "--rate", "0.001"]) == {"epochs": "3", "rate": "0.001"}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["--verbose"], "--verbose has no value"),
        (["--verbose", "--epochs", "3"], "--verbose has no value"),
        (["data.csv"], "'data.csv' belongs to no option"),
        (["--layers", "64", "32"], "'32' belongs to no option"),
        (["--x1", "1", "--x1", "2"], "--x1 is given twice"),
        (["-epochs", "3"], "would arrive as --epochs"),
        (["--sagemaker_program", "x.py"], "SageMaker's own"),
        (["--", "x"], "names no option"),
        (["--long", "x" * (LONGEST_VALUE + 1)], "2501 characters"),
    ],
)
def test_what_has_no_form_as_a_hyperparameter_is_refused_with_the_reason(typed: list[str], says: str) -> None:
    with pytest.raises(CannotSay, match=says):
        of_arguments(typed)


def test_more_arguments_than_sagemaker_takes_are_refused() -> None:
    with pytest.raises(CannotSay, match="99 arguments; 98 are allowed"):
        of_arguments([f"--option{number}=1" for number in range(99)])
