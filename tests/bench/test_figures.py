"""Figures, bars and rows."""

import pytest

from bench.figures import Bar, Row, alternate, as_json, bar_shown, percentile, shown


def test_a_bar_may_be_for_ours_for_what_ours_adds_and_for_the_ratio() -> None:
    bars = [
        Bar("ours", 3.0), Bar("ours", 2.9),
        Bar("added", 1.0), Bar("added", 0.9),
        Bar("ratio", 1.5), Bar("ratio", 1.4),
    ]  # fmt: skip
    assert [Row("x", "x", "ms", 3.0, 2.0, bar=bar).is_met for bar in bars] == [True, False] * 3


def test_a_bar_may_be_a_least_value() -> None:
    assert Row("x", "x", "MB/s", 80.0, 100.0, bar=Bar("ratio", 0.8, at_least=True)).is_met
    assert not Row("x", "x", "MB/s", 79.0, 100.0, bar=Bar("ratio", 0.8, at_least=True)).is_met


def test_what_was_not_measured_neither_meets_nor_misses_its_bar() -> None:
    assert Row("x", "x", "s", None, 1.0, bar=Bar("ours", 1.0)).is_met is None
    assert Row("x", "x", "s", 1.0, None, bar=Bar("ratio", 1.0)).is_met is None
    assert Row("x", "x", "s", 1.0, 1.0).is_met is None


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_seen(part: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], part) == expected


def test_turns_alternate_and_their_order_is_turned_round_each_round() -> None:
    calls: list[str] = []

    def turn(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    assert alternate(3, lambda: turn("bare"), lambda: turn("ours")) == [[1.0, 4.0, 5.0], [2.0, 3.0, 6.0]]
    assert calls == ["bare", "ours", "ours", "bare", "bare", "ours"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "-"), (0.0314159, "0.031 s"), (3.14159, "3.14 s"), (31.4159, "31.4 s"), (31415.9, "31,416 s")],
)
def test_figures_are_shown_with_the_digits_that_mean_something(value: float | None, expected: str) -> None:
    assert shown(value, "s") == expected


def test_bars_have_a_label() -> None:
    assert bar_shown(None, "s") == "-"
    assert bar_shown(Bar("ours", 1.5), "s") == "≤ 1.5 s"
    assert bar_shown(Bar("added", 0.5), "ms") == "≤ 0.5 ms added"
    assert bar_shown(Bar("ratio", 0.8, at_least=True), "MB/s") == "≥ 0.8 x bare"


def test_json_holds_what_follows_from_the_figures_too() -> None:
    document = as_json(Row("x", "what", "s", 3.0, 2.0, bar=Bar("ratio", 1.25)))
    assert (document["ratio"], document["added"], document["is_met"]) == (1.5, 1.0, False)
    assert document["bar"] == {"of": "ratio", "limit": 1.25, "at_least": False}
