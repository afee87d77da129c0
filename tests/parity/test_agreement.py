"""The verdict on several places that were given the same inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from samebox.parity import cures
from samebox.parity.predict import Input, Predicted, Prediction
from tests.parity.report import prediction, report

ROWS = (Input(Path("rows.csv"), "text/csv"),)


def test_places_that_answer_alike_are_the_same() -> None:
    found = report(
        ROWS, prediction("A", "1,2\n3,4\n"), prediction("B", "1,2\n3,4\n"), prediction("the endpoint", "1,2\n3,4\n")
    )
    assert (found.verdict, found.exit_status, found.grade) == ("Same", 0, "pass")
    assert found.sentence == "1 input, 2 rows: A, B and the endpoint give the same answers, byte for byte."


def test_a_number_that_is_written_otherwise_is_the_same() -> None:
    found = report(ROWS, prediction("A", "1.50,2\n"), prediction("B", "1.5,2\n"))
    assert (found.state, "byte for byte" in found.sentence) == ("same", False)


def test_numbers_that_are_a_little_apart_agree() -> None:
    found = report(ROWS, prediction("A", "1.0000001\n"), prediction("B", "1.0\n"))
    assert (found.verdict, found.exit_status) == ("Same within tolerance", 0)
    assert "the largest difference of two numbers is 1e-07" in found.sentence


def test_the_first_row_that_differs_is_shown_whole() -> None:
    found = report(ROWS, prediction("A", "1,2\n3,4\n5,6\n7,8\n"), prediction("B", "1,2\n3,4\n5,9\n7,9\n"))
    assert (found.verdict, found.exit_status) == ("They differ", 1)
    assert found.sentence.startswith("rows.csv, row 2, column 1: 6")
    assert "2 of 4 rows differ" in found.sentence
    assert found.compared[0].rows == ("5.0, 6.0", "5.0, 9.0")


def test_a_model_that_loads_in_one_place_only_is_a_difference_with_its_cure() -> None:
    error = "the model was not loaded: ModuleNotFoundError: No module named 'numpy._core'"
    found = report(ROWS, prediction("A", "1\n"), Predicted("B", problem=error, failed=True))
    assert (found.verdict, found.exit_status) == ("They differ", 1)
    assert found.sentence == (
        f"The model works in A and not in B: {error}; the model was pickled by numpy 2, which numpy 1 cannot read: pin "
        "the same numpy in both images."
    )


def test_a_model_that_loads_nowhere_leaves_it_open() -> None:
    nowhere = [Predicted(place, problem="the model was not loaded: X", failed=True) for place in ("A", "B")]
    assert report(ROWS, *nowhere).exit_status == 2
    refused = Predicted("A", answers=(Prediction(error="KeyError"),))
    assert report(ROWS, refused, nowhere[1]).exit_status == 2, "a model that refuses every input works nowhere"


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        ("ModuleNotFoundError: No module named 'lightgbm'", "the model needs lightgbm, which this image does not have"),
        ("ModuleNotFoundError: No module named 'sklearn.tree'", "the model needs sklearn,"),
        ("ValueError: unsupported pickle protocol: 5", "pickled with protocol 5 by a newer Python"),
        ("AttributeError: Can't get attribute 'Scaler' on <module '__main__' (built-in)>", "Scaler was defined in the"),
        (
            "AttributeError: Can't get attribute 'Tree' on <module 'sklearn.tree' from '/x.py'>",
            "sklearn.tree of this image has no Tree",
        ),
        ("ValueError: numpy.dtype size changed, may indicate binary incompatibility", "compiled against another numpy"),
        ("RuntimeError: Attempting to deserialize object on a CUDA device", "saved on a GPU"),
        ("OSError: weights are truncated", "the table of differences shows"),
    ],
)
def test_a_cure_fits_the_error(error: str, cure: str) -> None:
    assert cure in cures.of(error)


def test_a_place_that_cannot_be_tried_leaves_it_open() -> None:
    found = report(
        ROWS, prediction("A", "1\n"), Predicted("B", problem="no such module"), prediction("the endpoint", "1\n")
    )
    assert (found.verdict, found.exit_status, found.sentence) == ("Not compared", 2, "B: no such module")


def test_a_difference_that_was_seen_weighs_more_than_what_is_open() -> None:
    found = report(
        ROWS, prediction("A", "1\n"), Predicted("B", problem="no such module"), prediction("the endpoint", "2\n")
    )
    assert found.exit_status == 1


def test_an_input_that_only_one_answers_is_a_difference() -> None:
    silent = Predicted("B", answers=(Prediction(error="KeyError: 'x'"),))
    found = report(ROWS, prediction("A", "1\n"), silent)
    assert (found.exit_status, found.sentence) == (1, "rows.csv: A answers, B does not: KeyError: 'x'.")


def test_an_input_without_a_prediction_is_not_compared() -> None:
    silent = [Predicted(place, answers=(Prediction(error="KeyError"),)) for place in ("A", "B")]
    found = report(ROWS, *silent)
    assert (found.exit_status, found.sentence) == (2, "neither A nor B answers: KeyError")


@pytest.mark.parametrize(
    ("body", "kind"),
    [("[[1.0], [2.0]]", "application/json"), ("1\n2\n", "text/csv"), ("1\n2\n", "application/jsonlines")],
)
def test_a_servers_own_form_is_not_held_against_the_drivers(body: str, kind: str) -> None:
    plain = prediction("A", '{"predictions": [1.0, 2.0]}', kind="application/json", own_form=False)
    found = report(ROWS, plain, prediction("the endpoint", body, kind=kind))
    assert found.state == "same"
    assert found.compared[0].comparison is not None
    assert "their numbers were compared" in found.compared[0].comparison.note


def test_numbers_that_differ_differ_in_any_form() -> None:
    plain = prediction("A", '{"predictions": [1.0, 2.0]}', kind="application/json", own_form=False)
    found = report(ROWS, plain, prediction("the endpoint", "[1.0, 3.0]", kind="application/json"))
    assert found.exit_status == 1


def test_a_form_that_handlers_chose_counts() -> None:
    plain = prediction("A", '{"predictions": [1.0]}', kind="application/json")
    assert report(ROWS, plain, prediction("B", "[1.0]", kind="application/json")).exit_status == 1


def test_without_inputs_what_they_are_made_of_decides() -> None:
    found = report(())
    assert (found.verdict, found.exit_status) == ("Made of different things", 1)
    assert found.sentence == (
        "1 difference in the images is likely to change predictions, 1 possibly may. "
        "Predictions were not compared: give --model and --data."
    )


@pytest.mark.parametrize("body", ["1,2\r3,4\r", f"{'x' * 200_000},1\n"])
def test_csv_of_odd_forms_is_compared_and_no_crash(body: str) -> None:
    found = report(ROWS, prediction("A", body, own_form=False), prediction("B", '{"x": [1]}', kind="application/json"))
    assert found.exit_status == 1
    assert report(ROWS, prediction("A", body), prediction("B", "1,5\n")).exit_status == 1
