"""Whether images, or an image and an endpoint, agree on the same model and inputs: the report of `samebox parity`."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from samebox.check.findings import harmless
from samebox.parity import cures, differences, outputs
from samebox.parity.outputs import Comparison, Tolerance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.parity.differences import Disparity
    from samebox.parity.inventory import Inventory
    from samebox.parity.predict import Input, Predicted, Prediction

State = Literal["same", "within", "differ", "not compared"]
Grade = Literal["pass", "warn", "fail"]
_GRADES: dict[State, Grade] = {"same": "pass", "within": "pass", "differ": "fail", "not compared": "warn"}
# The worst of all decides; a difference that was seen is known for sure, whatever else could not be compared.
_LONGEST_ROW = 300  # characters of a row that is shown
_ORDER: tuple[State, ...] = ("same", "within", "not compared", "differ")


@dataclass(frozen=True)
class Compared:
    """Two places and one input. `problem`: why there is nothing to compare, or which of them has no answer.

    A place that could answer nothing at all is one of its own, without an input. Its `right` is empty where no other
    place shows that the model works.
    """

    input: str
    left: str
    right: str
    state: State
    comparison: Comparison | None = None
    problem: str = ""
    rows: tuple[str, str] | None = None  # the first row that differs, whole, where answers have rows that can be shown


@dataclass(frozen=True)
class ParityReport:
    """What every kind of output is made of. `left` is where it was trained, `right` where it is served."""

    left: Inventory
    right: Inventory
    differences: tuple[Disparity, ...] = ()
    asked: bool = False  # whether there was something to predict
    predicted: tuple[Predicted, ...] = ()
    compared: tuple[Compared, ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    notes: tuple[str, ...] = ()
    started_at: float = 0.0  # seconds since the epoch
    seconds: float = 0.0
    version: str = ""

    @property
    def state(self) -> State:
        states = {one.state for one in self.compared}
        return next((state for state in reversed(_ORDER) if state in states), "not compared")

    @property
    def by_input(self) -> list[tuple[str, list[Compared]]]:
        """Each input with its comparisons; "" has those that are about all inputs."""
        found: dict[str, list[Compared]] = {}
        for one in self.compared:
            found.setdefault(one.input, []).append(one)
        return list(found.items())

    @property
    def exit_status(self) -> int:
        """Without inputs, what the images are made of is all that was compared."""
        if not self.asked:
            return 1 if differences.counts(self.differences)["likely"] else 0
        return {"same": 0, "within": 0, "differ": 1, "not compared": 2}[self.state]

    @property
    def grade(self) -> Grade:
        """For colours."""
        if self.asked:
            return _GRADES[self.state]
        return "warn" if self.exit_status else "pass"

    @property
    def verdict(self) -> str:
        """The verdict, in one to three words."""
        if self.asked:
            words = {"same": "Same", "within": "Same within tolerance", "differ": "They differ"}
            return words.get(self.state, "Not compared")
        if self.exit_status:
            return "Made of different things"
        same = not differences.counts(self.differences)["possibly"]
        return "Made of the same things" if same else "Made of much the same things"

    @property
    def sentence(self) -> str:
        """The verdict, and what it rests on."""
        if not self.asked:
            return f"{self.of_contents} Predictions were not compared: give --model and --data."
        if self.state == "differ":
            return _of_difference(next(one for one in self.compared if one.state == "differ"))
        if self.state == "not compared":
            open_ones = [one for one in self.compared if one.state == "not compared"]
            return open_ones[0].problem if open_ones else "There was nothing to compare."
        places = _joined(list(dict.fromkeys(name for one in self.compared for name in (one.left, one.right))))
        made = [one.comparison for one in self.compared if one.comparison is not None]
        inputs = len({one.input for one in self.compared})
        # Every two places were given the same rows: one pair is counted.
        pair = (self.compared[0].left, self.compared[0].right)
        rows = sum(one.comparison.rows for one in self.compared if one.comparison and (one.left, one.right) == pair)
        what = f"{_many(inputs, 'input')}, {_many(rows, 'row')}"
        if self.state == "same":
            exact = ", byte for byte" if all(one.exact for one in made) else ""
            return f"{what}: {places} give the same answers{exact}."
        largest = max(one.largest_absolute for one in made)
        return f"{what}: {places} agree; the largest difference of two numbers is {largest:.3g}."

    @property
    def of_contents(self) -> str:
        counts = differences.counts(self.differences)
        if not self.differences:
            return "The images are made of the same things."
        if not counts["likely"] and not counts["possibly"]:
            return "Nothing that differs in the images can be expected to change a prediction."
        parts = []
        if counts["likely"]:
            is_or_are = "is" if counts["likely"] == 1 else "are"
            parts.append(
                f"{_many(counts['likely'], 'difference')} in the images {is_or_are} likely to change predictions"
            )
        if counts["possibly"]:
            noun = f"{counts['possibly']:,}" if parts else _many(counts["possibly"], "difference") + " in the images"
            parts.append(f"{noun} possibly may" if parts else f"{noun} may possibly change predictions")
        return f"{', '.join(parts)}."


def at_one(compared: Sequence[Compared]) -> bool:
    """Whether every pair gave the same predictions for an input, so that one line is enough."""
    return all(one.state == "same" for one in compared) and bool(compared)


def compare(inputs: Sequence[Input], predicted: Sequence[Predicted], tolerance: Tolerance) -> tuple[Compared, ...]:
    """Every two places, and every input."""
    found: list[Compared] = []
    for left, right in combinations([one for one in predicted if not one.problem], 2):
        for number, one in enumerate(inputs):
            ours, theirs = left.answers[number], right.answers[number]
            own_forms = left.own_form and right.own_form
            state, comparison, problem = _pair(left.place, ours, right.place, theirs, tolerance, own_forms)
            rows = _first_rows(ours, theirs, comparison)
            found.append(Compared(one.name, left.place, right.place, state, comparison, problem, rows))
    found += [_without_answers(place, predicted) for place in predicted if place.problem]
    return tuple(found)


def _without_answers(place: Predicted, predicted: Sequence[Predicted]) -> Compared:
    """A place that could answer nothing. Where another one answers, and the model is at fault, that is a difference."""
    other = next((one for one in predicted if any(not answer.error for answer in one.answers)), None)
    if other is None or not place.failed:
        return Compared("", place.place, "", "not compared", problem=f"{place.place}: {place.problem}")
    problem = f"the model works in {other.place} and not in {place.place}: {place.problem}; {cures.of(place.problem)}"
    return Compared("", other.place, place.place, "differ", problem=problem)


def _pair(
    left: str, ours: Prediction, right: str, theirs: Prediction, tolerance: Tolerance, own_forms: bool
) -> tuple[State, Comparison | None, str]:
    if ours.error and theirs.error:
        return "not compared", None, f"neither {left} nor {right} answers: {ours.error}"
    if ours.error or theirs.error:
        silent, speaks = (left, right) if ours.error else (right, left)
        return "differ", None, f"{speaks} answers, {silent} does not: {ours.error or theirs.error}"
    comparison = outputs.compare(ours.body, ours.content_type, theirs.body, theirs.content_type, tolerance)
    if not comparison.equal and not own_forms:
        comparison = _as_numbers(ours, theirs, tolerance) or comparison
    if not comparison.equal:
        return "differ", comparison, ""
    # What differs in white space or in how a number is written is the same answer.
    same = comparison.exact or comparison.largest_absolute == 0
    return "same" if same else "within", comparison, ""


def _as_numbers(ours: Prediction, theirs: Prediction, tolerance: Tolerance) -> Comparison | None:
    """Where the driver, and no handler, chose the form of an answer, its numbers are held against the server's."""
    left, right = _rows(ours), _rows(theirs)
    if left is None or right is None or _shape(ours) == _shape(theirs):
        return None
    one, other = (json.dumps(rows).encode() for rows in (left, right))
    found = outputs.compare(one, "application/json", other, "application/json", tolerance)
    note = "the server has a form of its own; their numbers were compared"
    return Comparison(
        found.equal,
        False,
        found.form,
        found.rows,
        found.differing_rows,
        found.first,
        found.largest_absolute,
        found.largest_relative,
        "; ".join(part for part in (note, found.note) if part),
    )


def _first_rows(ours: Prediction, theirs: Prediction, comparison: Comparison | None) -> tuple[str, str] | None:
    if comparison is None or comparison.equal or comparison.first is None:
        return None
    shown = []
    for answer in (ours, theirs):
        rows = _rows(answer) or []
        if len(rows) == comparison.rows + 1:  # a header line is not a row
            rows = rows[1:]
        if comparison.first.row >= len(rows):
            return None
        words = ", ".join(str(cell) for cell in rows[comparison.first.row])
        shown.append(harmless(words if len(words) <= _LONGEST_ROW else f"{words[:_LONGEST_ROW]}…"))
    return shown[0], shown[1]


def _shape(answer: Prediction) -> str:
    """Distinguishes {"predictions": …}, a bare list and CSV."""
    form = outputs.form_of(answer.content_type)
    try:
        document = json.loads(answer.body) if form == "json" else None
    except (ValueError, RecursionError):
        document = None
    return f"{form} of {','.join(sorted(document))}" if isinstance(document, dict) else form


def _rows(answer: Prediction) -> list[list[Any]] | None:
    """One list for each row, whatever encloses them; None where rows cannot be recognised."""
    form = outputs.form_of(answer.content_type)
    try:
        text = answer.body.decode()
        if form == "csv":
            cells = [[_number(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline="")) if row]
            return cells or None
        if form == "jsonlines":
            return [_flat(json.loads(line)) for line in text.splitlines() if line.strip()]
        if form != "json":
            return None
        document = json.loads(text)
        while isinstance(document, dict) and len(document) == 1:
            document = next(iter(document.values()))
        return [_flat(row) for row in document] if isinstance(document, list) else None
    except (ValueError, RecursionError, csv.Error):
        return None


def _flat(row: Any) -> list[Any]:
    while isinstance(row, dict) and len(row) == 1:
        row = next(iter(row.values()))
    if isinstance(row, list):
        return [leaf for inner in row for leaf in _flat(inner)]
    return [row]


def _number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def _of_difference(one: Compared) -> str:
    if one.comparison is None:
        return f"{one.input}: {one.problem}." if one.input else f"{one.problem[:1].upper()}{one.problem[1:]}."
    found = one.comparison
    first = found.first
    verb = "differs" if found.differing_rows == 1 else "differ"
    rows = f"{found.differing_rows:,} of {_many(found.rows, 'row')} {verb}" if found.rows else found.note
    if first is None:
        return f"{one.input}: {one.left} and {one.right} differ: {found.note or rows}."
    return (
        f"{one.input}, row {first.row}, {first.where}: {first.left} from {one.left}, {first.right} from {one.right}. "
        f"{rows[:1].upper()}{rows[1:]}; rows and columns count from 0."
    )


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
