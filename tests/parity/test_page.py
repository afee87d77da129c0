"""The page in a browser: the verdict on top, nothing wider than a phone, and nothing fetched; and the other reports."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from samebox.parity import jsonfile, page, terminal
from samebox.parity.predict import Input, Predicted, Prediction
from tests.browser import assert_fits_a_phone
from tests.parity.report import prediction, report

ROWS = (Input(Path("rows.csv"), "text/csv"), Input(Path("<rows>.csv"), "text/csv"))
A, B = prediction("A", "1,2\n3,4\n", "1\n"), prediction("B", "1,2\n3,5\n", "1\n")


@pytest.mark.parametrize("long", ["", "x" * 400, "/a/long/path" * 40])
def test_the_page_fits_a_phone(tmp_path: Path, long: str) -> None:
    silent = Predicted(f"C{long}", long, problem=f"no {long}", log=(long, "Traceback"), notes=(long,))
    found = report(ROWS, A, prediction(f"B{long}", f"1,2\n3,5{long}\n", long), silent, long=long)
    assert_fits_a_phone(page.write(found).replace("<details>", "<details open>"), tmp_path)


def test_the_verdict_stands_above_all_else() -> None:
    html = page.write(report(ROWS, A, B))
    assert (
        html.index("<h1>They differ</h1>") < html.index("Predictions") < html.index("Likely to change predictions (1)")
    )
    assert html.index("numpy") < html.index("glibc 2.31") < html.index("Side by side")


def test_no_word_of_an_image_is_markup() -> None:
    html = page.write(report(ROWS, A, B))
    assert "&lt;rows&gt;.csv" in html
    assert "<rows>" not in html
    assert "<b>" not in html


def test_the_screen_shows_the_row_and_the_verdict_last() -> None:
    screen = Console(file=io.StringIO(), width=120, emoji=False)
    terminal.show(report(ROWS, A, B), screen)
    assert isinstance(screen.file, io.StringIO)
    said = screen.file.getvalue()
    assert "  A: 3.0, 4.0\n  B: 3.0, 5.0\n" in said
    assert said.index("numpy") < said.index("They differ: rows.csv, row 1, column 1: 4")
    assert "1 difference that hardly" not in said


def test_a_program_reads_the_same(tmp_path: Path) -> None:
    told = json.loads(jsonfile.write(report(ROWS, A, B)))
    assert (told["format"], told["verdict"], told["exit_status"]) == ("samebox-parity/1", "differ", 1)
    assert [one["name"] for one in told["differences"] if one["weight"] == "likely"] == ["numpy"]
    assert told["compared"][0]["comparison"]["first"]["row"] == 1
    assert told["serve"]["facts"]["Python packages"]["numpy"] == "1.26.4"


def test_an_endless_difference_is_still_json() -> None:
    told = jsonfile.write(report(ROWS[:1], prediction("A", "inf\n"), prediction("B", "1\n")))
    assert json.loads(told)["verdict"] == "differ"
    assert "Infinity" not in told


def test_an_answer_that_is_missing_is_shown(tmp_path: Path) -> None:
    silent = Predicted(
        "B", "inference.py", (Prediction(error="KeyError: 'x'"), Prediction(b"1\n", "text/csv")), log=("Traceback",)
    )
    html = page.write(report(ROWS, A, silent))
    assert "A answers, B does not: KeyError: &#x27;x&#x27;" in html
    assert "Traceback" in html


def test_an_input_is_the_same_everywhere_only_where_all_places_agree() -> None:
    some = page.write(report(ROWS[:1], prediction("A", "1\n"), prediction("B", "2\n"), prediction("C", "2\n")))
    assert "the same everywhere" not in some
    assert "B and C: same" in some
    assert "the same everywhere" in page.write(
        report(ROWS[:1], prediction("A", "1\n"), prediction("B", "1\n"), prediction("C", "1\n"))
    )
