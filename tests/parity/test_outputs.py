"""Two answers are compared as what they are."""

import io
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samebox.parity.outputs import Comparison, Difference, Tolerance, compare, form_of

EXACT = Tolerance(relative=0.0, absolute=0.0)
USUAL = Tolerance()
# How long an example takes says nothing here, on a machine that is busy.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TYPES = ["application/json", "application/jsonlines", "text/csv", "application/x-npy", "text/plain", "image/png", ""]


def of(left: bytes | str, right: bytes | str, content_type: str, tolerance: Tolerance = USUAL) -> Comparison:
    one, other = (side.encode() if isinstance(side, str) else side for side in (left, right))
    return compare(one, content_type, other, content_type, tolerance)


def of_json(left: Any, right: Any, tolerance: Tolerance = USUAL) -> Comparison:
    return of(json.dumps(left), json.dumps(right), "application/json", tolerance)


def of_npy(left: Any, right: Any, tolerance: Tolerance = USUAL) -> Comparison:
    files = []
    for side in (left, right):
        file = io.BytesIO()
        np.save(file, side, allow_pickle=True)
        files.append(file.getvalue())
    return of(files[0], files[1], "application/x-npy", tolerance)


# Content types


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("text/csv", "csv"),
        ("Text/CSV; charset=utf-8; header=present", "csv"),
        ("application/json;verbose=true", "json"),
        ("application/vnd.company+json", "json"),
        ("application/jsonlines", "jsonlines"),
        ("application/x-ndjson", "jsonlines"),
        ("application/x-npy", "npy"),
        ("text/plain", "text"),
        ("image/png", "bytes"),
        ("", "bytes"),
        ("nonsense", "bytes"),
    ],
)
def test_the_format_follows_the_content_type(content_type: str, form: str) -> None:
    assert form_of(content_type) == form


def test_answers_of_two_forms_differ_even_when_their_bytes_do_not() -> None:
    found = compare(b"[1]", "text/csv", b"[1]", "application/json", USUAL)
    assert (found.equal, found.exact) == (False, True)
    assert found.note == "one is text/csv, the other application/json"
    assert found.first == Difference(0, "content type", "text/csv", "application/json")


def test_two_names_of_one_format_are_compared_and_reported() -> None:
    found = compare(b"1.0", "text/csv", b"1.00", "application/csv", USUAL)
    assert (found.equal, found.note) == (True, "one is text/csv, the other application/csv")


def test_an_answer_without_a_type_is_taken_for_what_the_other_is() -> None:
    found = compare(b"[1.0]", "", b"[1.00]", "application/json", USUAL)
    assert (found.equal, found.form) == (True, "json")
    assert found.note == "one is of no type, the other application/json"


def test_the_charset_is_heeded() -> None:
    found = compare(
        '"ä"'.encode("latin-1"), "application/json; charset=latin-1", '"ä"'.encode(), "application/json", USUAL
    )
    assert (found.equal, found.exact) == (True, False)


@pytest.mark.parametrize("charset", ["hex", "no-such-thing", "undefined", "idna", "a\0b", "utf-8\r\nX: y"])
def test_a_charset_that_is_none_is_no_crash(charset: str) -> None:
    assert compare(b"[1, 2]", f"application/json; charset={charset}", b"[1, 2]", "application/json", USUAL).exact


# JSON


def test_white_space_and_the_order_of_members_do_not_count() -> None:
    found = of('{"a": 1, "b": [2.0]}', '{\n"b":[2.00],"a":1}', "application/json")
    assert (found.equal, found.exact, found.first) == (True, False, None)


def test_tensorflow_servings_answer_has_its_predictions_as_rows() -> None:
    left = {"predictions": [[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]]}
    right = {"predictions": [[0.1, 0.9], [0.8, 0.3], [0.5, 0.6]]}
    found = of_json(left, right)
    assert (found.equal, found.rows, found.differing_rows) == (False, 3, 2)
    assert found.first == Difference(1, "predictions[1][1]", "0.2", "0.3")
    assert math.isclose(found.largest_absolute, 0.1)
    assert math.isclose(found.largest_relative, 0.1 / 0.3)


def test_a_difference_deep_within_is_named_by_its_way() -> None:
    left = {"predictions": [{"score": 0.5, "labels": ["a", "b"]}], "model": "x"}
    right = {"predictions": [{"score": 0.5, "labels": ["a", "c"]}], "model": "x"}
    assert of_json(left, right).first == Difference(0, "predictions[0].labels[1]", "b", "c")


def test_what_stands_beside_the_rows_counts_too() -> None:
    found = of_json({"predictions": [1.5], "model": "a"}, {"predictions": [1.5], "model": "b"})
    assert (found.equal, found.differing_rows) == (False, 0)
    assert found.first == Difference(0, "model", "a", "b")


def test_a_list_is_its_own_rows() -> None:
    assert of_json([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).first == Difference(2, "[2]", "3.0", "4.0")


def test_rows_that_only_one_side_has_differ() -> None:
    found = of_json({"predictions": [1, 2, 3, 4]}, {"predictions": [1, 2, 3, 4, 5]})
    assert (found.rows, found.differing_rows, found.note) == (5, 1, "4 rows against 5")
    assert found.first == Difference(4, "predictions[4]", "nothing", "5")


def test_a_member_that_only_one_side_has_is_named() -> None:
    assert of_json({"a": 1, "b c": 2}, {"a": 1}).first == Difference(0, '["b c"]', "2", "nothing")


def test_a_row_that_is_shorter_is_named() -> None:
    assert of_json([[1, 2], [3]], [[1, 2], [3, 4]]).first == Difference(1, "length of [1]", "1", "2")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 2),
        (1, "1"),
        (1, True),
        (0, False),
        (0, None),
        ("a", "b"),
        ("a", "A"),
        ([1], {"0": 1}),
        ([], {}),
        (1.0, "1.0"),
    ],
)
def test_all_but_floats_must_be_the_same(left: Any, right: Any) -> None:
    assert not of_json(left, right, Tolerance(1.0, 1.0)).equal
    assert not of_json([left], [right], Tolerance(1.0, 1.0)).equal


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert of_json([1, 2.0000001], [1.0, 2]).equal


def test_integers_beyond_the_precision_of_a_float_are_exact() -> None:
    assert not of(f"[{2**53}]", f"[{2**53 + 1}]", "application/json").equal
    assert not of(f"[{10**400}]", "[1.5]", "application/json").equal


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("NaN", "NaN", True),
        ("Infinity", "Infinity", True),
        ("Infinity", "-Infinity", False),
        ("Infinity", "1e308", False),
        ("1e308", "Infinity", False),
        ("NaN", "0", False),
        ("NaN", "Infinity", False),
        ("1e999", "Infinity", True),
        ("-0.0", "0", True),
    ],
)
def test_nan_and_infinities(left: str, right: str, equal: bool) -> None:
    found = of(f"[{left}]", f"[{right}]", "application/json", Tolerance(1.0, 1.0))
    assert found.equal is equal
    assert math.isfinite(found.largest_absolute)
    assert math.isfinite(found.largest_relative)


def test_one_that_cannot_be_read_is_named() -> None:
    found = of("[1]", "<html>", "application/json")
    assert (found.equal, found.form) == (False, "bytes")
    assert found.note.startswith("the right one is not json: ")


def test_two_that_cannot_be_read_are_compared_as_bytes() -> None:
    found = of("{oops", "{oops", "application/json")
    assert (found.equal, found.form) == (True, "bytes")
    assert found.note == "neither could be read as json, so bytes were compared"


@pytest.mark.parametrize("depth", [500, 100_000])
def test_depth_is_no_crash(depth: int) -> None:
    assert of("[" * depth + "]" * depth, "[" * depth + "]" * depth, "application/json").exact


def test_a_difference_is_shown_on_one_short_line_that_no_terminal_obeys() -> None:
    first = of_json(["\x1b[2J\ud800\n" + "x" * 500], [{"a": list(range(1000))}]).first
    assert first is not None
    assert first.left.isprintable()
    assert len(first.left) <= 120
    assert len(first.right) <= 120


# JSON Lines


def test_json_lines_are_rows() -> None:
    found = of('{"a": 1.0}\n{"a": 2.0}\n\n', '{"a":1.0}\r\n{"a":2.5}', "application/jsonlines")
    assert (found.rows, found.differing_rows, found.form) == (2, 1, "jsonlines")
    assert found.first == Difference(1, "a", "2.0", "2.5")


def test_a_line_separator_of_unicode_is_no_end_of_a_line() -> None:
    assert of('"a\u2028b"\n', '"a\u2028b"\n', "application/jsonlines").rows == 1


# CSV


def test_csv_is_compared_cell_by_cell() -> None:
    found = of("0.1,cat\n0.2,dog\n", "0.1000000001,cat\r\n0.2,cow", "text/csv")
    assert (found.equal, found.rows, found.differing_rows) == (False, 2, 1)
    assert found.first == Difference(1, "column 1", "dog", "cow")


def test_a_header_line_is_no_row() -> None:
    found = of("label,score\ncat,0.5\n", "label,score\ncat,0.6\n", "text/csv")
    assert found.rows == 1
    assert found.first == Difference(0, "column 1", "0.5", "0.6")


def test_headers_are_compared_by_name() -> None:
    found = of("label,score\ncat,0.5\n", "label,value\ncat,0.5\n", "text/csv")
    assert (found.equal, found.differing_rows) == (False, 0)
    assert found.first == Difference(0, "header, column 1", "score", "value")


def test_a_header_that_only_one_has_is_reported_and_the_rows_are_compared() -> None:
    found = of("score\n0.5\n0.6\n", "0.5\n0.7\n", "text/csv")
    assert (found.equal, found.rows, found.differing_rows) == (False, 2, 1)
    assert found.first == Difference(0, "header", "score", "nothing")
    assert found.note == "only the left one begins with a header line"


def test_labels_alone_are_rows_and_no_header() -> None:
    assert of("cat\ndog\n", "cat\ndog\n", "text/csv").rows == 2


def test_quotes_do_not_count_and_what_is_within_does() -> None:
    assert of('"a,b",1\n', '"a,b","1"\n', "text/csv").equal
    assert of('"a,b",1.5\n', "a,b,1.5\n", "text/csv").first == Difference(0, "column 0", "a,b", "a")


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("1", "1.0", True),
        ("1", "2", False),
        ("1e3", "1000.0", True),
        (" 0.5", "0.5", True),
        ("nan", "NaN", True),
        ("inf", "Infinity", True),
        ("1_000", "1000", False),
        ("٣", "3", False),
        ("a", "a ", False),
        ("", "0", False),
        ("9" * 5000, "9" * 5000, True),
    ],
)
def test_cells(left: str, right: str, equal: bool) -> None:
    assert of(f"{left},1.5\n", f"{right},1.5\n", "text/csv").equal is equal


def test_rows_of_csv_count() -> None:
    found = of("1\n2\n3", "1\n2\n", "text/csv")
    assert (found.rows, found.note, found.first) == (3, "3 rows against 2", Difference(2, "row", "3", "nothing"))


def test_a_cell_that_csv_does_not_take_is_no_crash() -> None:
    assert of(b"a" * 200_000, b"a" * 200_000, "text/csv").exact
    assert of(b"\0\xff", b"\0\xff", "text/csv").equal


# npy


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u8", "f2", "f4", "f8", ">f4", "c8", "c16", "S3", "U3", "M8[s]", "m8[D]", "V4"]
)
def test_arrays_of_every_type(dtype: str) -> None:
    array = np.zeros((2, 3), dtype)
    found = of_npy(array, array.copy())
    assert (found.equal, found.exact, found.form, found.rows) == (True, True, "npy", 2)


def test_the_first_element_that_differs_is_named() -> None:
    left, right = np.zeros((3, 4), "f4"), np.zeros((3, 4), "f4")
    right[1, 2] = right[2, 0] = 0.5
    found = of_npy(left, right)
    assert (found.rows, found.differing_rows) == (3, 2)
    assert found.first == Difference(1, "column 2", "0.0", "0.5")


def test_an_element_of_a_cube_is_named_by_its_place_in_its_row() -> None:
    left, right = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    right[1, 2, 3] = 1
    assert of_npy(left, right).first == Difference(1, "[2][3]", "0.0", "1.0")


def test_another_type_of_float_is_reported_and_compared() -> None:
    found = of_npy(np.array([0.1], "f4"), np.array([0.1], "f8"))
    assert (found.equal, found.note) == (True, "<f4 against <f8")
    assert of_npy(np.array([0.1], "<f4"), np.array([0.1], ">f4")).equal
    assert of_npy(np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))).equal


def test_another_shape_is_a_difference() -> None:
    assert of_npy(np.zeros(4), np.zeros((4, 1))).first == Difference(0, "shape", "(4,)", "(4, 1)")
    assert of_npy(np.zeros(1), np.float64(0)).first == Difference(0, "shape", "(1,)", "()")
    found = of_npy(np.zeros((4, 2)), np.zeros((5, 2)))
    assert (found.rows, found.differing_rows, found.note) == (5, 1, "4 rows against 5")


def test_arrays_that_hold_nothing_and_claim_much_cost_nothing() -> None:
    assert of_npy(np.zeros((10**12, 0)), np.zeros((10**12, 0))).equal
    assert not of_npy(np.zeros((10**12, 0)), np.zeros((10**11, 0))).equal


def test_nan_in_arrays() -> None:
    assert of_npy(np.array([math.nan, math.inf]), np.array([math.nan, math.inf])).equal
    assert of_npy(np.array([complex(math.nan, 1)]), np.array([complex(math.nan, 1)])).equal
    assert not of_npy(np.array([math.inf]), np.array([1e308])).equal


def test_times_in_another_unit_are_other_times() -> None:
    assert not of_npy(np.array([1], "M8[s]"), np.array([1], "M8[D]")).equal
    assert of_npy(np.array(["NaT"], "M8[s]"), np.array(["NaT"], "M8[s]")).equal


def test_records() -> None:
    dtype = [("label", "U3"), ("score", "f4")]
    left, right = np.array([("a", 1), ("b", 2)], dtype), np.array([("a", 1), ("b", 3)], dtype)
    assert of_npy(left, right).first == Difference(1, "score", "2.0", "3.0")
    assert not of_npy(left, np.array([("a", 1), ("b", 2)], [("label", "U3"), ("other", "f4")])).equal


def test_objects_are_compared_as_bytes() -> None:
    found = of_npy(np.array([{}], object), np.array([{}], object))
    assert (found.equal, found.form) == (True, "bytes")


# Text, bytes


def test_text_is_compared_line_by_line() -> None:
    assert of("0.50\n", "0.5", "text/plain").equal
    assert of("hello\nworld", "hello\nmoon", "text/plain").first == Difference(1, "line", "world", "moon")


def test_unknown_types_are_compared_byte_for_byte() -> None:
    found = of(b"\x89PNG\x00", b"\x89PNG\x01", "image/png")
    assert (found.equal, found.rows, found.first) == (False, 1, Difference(0, "byte 4", "00", "01"))
    assert of(b"0.50", b"0.5", "application/octet-stream").first == Difference(0, "byte 3", "0", "nothing")


def test_empty_answers_are_the_same() -> None:
    for content_type in TYPES:
        assert of(b"", b"", content_type).equal


# What holds for all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
CELLS = st.lists(st.lists(st.floats() | st.integers() | st.sampled_from(["a", "b,c", ""]), max_size=3), max_size=4)


@PATIENT
@given(body=st.binary(max_size=60), content_type=st.sampled_from(TYPES))
def test_whatever_it_is_it_is_the_same_as_itself(body: bytes, content_type: str) -> None:
    found = of(body, body, content_type, EXACT)
    assert (found.equal, found.exact, found.first, found.differing_rows) == (True, True, None, 0)
    assert found.largest_absolute == 0


@PATIENT
@given(value=JSON)
def test_json_is_the_same_as_itself_however_it_is_written(value: Any) -> None:
    text = json.dumps(value, indent=2)
    assert of(text, json.dumps(json.loads(text), sort_keys=True), "application/json", EXACT).equal


@PATIENT
@given(left=JSON, right=JSON, absolute=st.sampled_from([0.0, 0.5, 1e3]))
def test_which_side_is_left_does_not_matter_to_an_absolute_tolerance(left: Any, right: Any, absolute: float) -> None:
    tolerance = Tolerance(relative=0.0, absolute=absolute)
    one, other = of_json(left, right, tolerance), of_json(right, left, tolerance)
    assert (one.equal, one.rows, one.differing_rows) == (other.equal, other.rows, other.differing_rows)
    assert one.largest_absolute == other.largest_absolute


@PATIENT
@given(left=CELLS, right=CELLS, absolute=st.sampled_from([0.0, 0.5, 1e3]))
def test_nor_does_it_for_csv(left: list[list[Any]], right: list[list[Any]], absolute: float) -> None:
    one, other = ("\n".join(",".join(f"{cell}" for cell in row) for row in side) for side in (left, right))
    tolerance = Tolerance(relative=0.0, absolute=absolute)
    assert of(one, other, "text/csv", tolerance).equal == of(other, one, "text/csv", tolerance).equal


@PATIENT
@given(values=st.lists(st.floats(width=32), min_size=1, max_size=8), scale=st.floats(0, 2))
def test_what_agrees_differs_by_no_more_than_the_tolerance(values: list[float], scale: float) -> None:
    left, right = np.array(values, "f4"), np.array([value * scale for value in values], "f8")
    found = of_npy(left, right, Tolerance(relative=0.0, absolute=0.25))
    if found.equal:
        assert found.largest_absolute <= 0.25
    else:
        assert found.first is not None


@PATIENT
@given(data=st.data())
def test_a_comparison_that_is_equal_names_nothing_and_one_that_is_not_names_one(data: st.DataObject) -> None:
    content_type = data.draw(st.sampled_from(TYPES))
    left, right = data.draw(st.binary(max_size=20)), data.draw(st.binary(max_size=20))
    found = of(left, right, content_type)
    assert found.equal is (found.first is None)
    assert found.differing_rows <= found.rows


def test_what_a_stranger_wrote_steers_no_terminal() -> None:
    odd = np.zeros(2, dtype=[("\x1b[31m", "<f4")])
    files = []
    for array in (odd, np.ones(2, dtype=odd.dtype)):
        with io.BytesIO() as file:
            np.save(file, array)
            files.append(file.getvalue())
    named = compare(files[0], "application/x-npy", files[1], "application/x-npy", Tolerance())
    typed = compare(b"1", "text/\x1b[31m\ud800", b"1", "text/csv", Tolerance())
    for found in (named, typed):
        assert found.first is not None
        words = f"{found.note}{found.first.where}{found.first.left}{found.first.right}"
        assert "\x1b" not in words
        assert "\ud800" not in words


def test_a_charset_that_would_take_hours_is_not_read() -> None:
    found = compare(b"a-" * 500_000, "text/plain; charset=punycode", b"b", "text/plain", Tolerance())
    assert not found.equal
