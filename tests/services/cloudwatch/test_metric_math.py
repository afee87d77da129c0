"""What expressions come to: AWS's examples, and arithmetic against Python's own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from samebox.services.cloudwatch.expression import MalformedMath, parse
from samebox.services.cloudwatch.metric_math import Grid, MetricMath, Series, Value

GRID = Grid(0, 300, 60)
N = None


def series(*values: float | None, name: str = "m", period: int | None = 60) -> Series:
    return Series({60 * place: value for place, value in enumerate(values) if value is not None}, name, name, period)


def math_of(**metrics: Series) -> MetricMath:
    return MetricMath(GRID, tuple(metrics.values()), metrics.__getitem__)


def value(text: str, **metrics: Series) -> Value:
    return math_of(**metrics).value(parse(text))


def points(text: str, **metrics: Series) -> list[float | None]:
    found = value(text, **metrics)
    assert isinstance(found, Series)
    return [found.values.get(time) for time in GRID.times()]


numbers = some.floats(-1e3, 1e3).map(lambda number: f"{number:.3f}".lstrip("-"))
arithmetic = some.recursive(
    numbers,
    lambda inner: some.one_of(
        some.tuples(inner, some.sampled_from("+-*/"), inner).map(lambda parts: f"{parts[0]} {parts[1]} {parts[2]}"),
        some.tuples(inner, some.integers(0, 3)).map(lambda parts: f"({parts[0]})^{parts[1]}"),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"-{one}"),
    ),
    max_leaves=20,
)


@given(arithmetic)
def test_arithmetic_is_python_s(text: str) -> None:
    try:
        expected = float(eval(text.replace("^", "**")))  # of digits and operators alone
    except (ZeroDivisionError, OverflowError):
        return
    found = value(text)
    assert isinstance(found, float)
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


@given(some.lists(some.none() | some.floats(-1e6, 1e6), min_size=5, max_size=5), some.floats(-1e3, 1e3))
def test_a_series_and_a_number_are_each_point_and_the_number(values: list[float | None], number: float) -> None:
    of = series(*values)
    assert points("m * 2 + 1", m=of) == [None if one is None else one * 2 + 1 for one in values]
    assert points(f"m > {number:.6f}", m=of) == [
        None if one is None else float(one > float(f"{number:.6f}")) for one in values
    ]
    assert points("m / 0", m=of) == [None] * 5


def test_comparisons_and_logic_are_those_of_the_guide() -> None:
    metrics = {"metric1": series(30, 20, 0, 0), "metric2": series(20, N, 20, N)}
    assert points("(metric1 < metric2)", **metrics)[:4] == [0, 0, 1, 0]
    assert points("(metric1 >= 30)", **metrics)[:4] == [1, 0, 0, 0]
    assert points("(metric1 > 15 AND metric2 > 15)", **metrics)[:4] == [1, 0, 0, 0]
    assert value("1 < 2 OR 1 > 2") == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, N, N]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, N, N]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, N]),
        ("IF(metric1, metric2)", [30, 0, N, N, N]),
        ("IF(1, metric2, metric3)", [30, N, 0, 0, 30]),
        ("IF(0, metric2)", [N, N, N, N, N]),
    ],
)
def test_if_is_that_of_the_guide(text: str, expected: list[float | None]) -> None:
    metrics = {"metric1": series(1, 1, 0, 0, N), "metric2": series(30, N, 0, 0, 30), "metric3": series(0, 0, 20, N, 20)}
    assert points(text, **metrics) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FILL(a, 7)", [7, 1, 7, 3, 7]),
        ("FILL(a, REPEAT)", [N, 1, 1, 3, 3]),
        ("FILL(a, LINEAR)", [N, 1, 2, 3, N]),
        ("FILL(a, b)", [10, 1, 30, 3, 50]),
        ("FILL(a, MIN(b))", [10, 1, 10, 3, 10]),
    ],
)
def test_missing_points_are_filled(text: str, expected: list[float | None]) -> None:
    assert points(text, a=series(N, 1, N, 3, N), b=series(10, 20, 30, 40, 50)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b", [11, 22, 30, N, N]),  # what is missing is 0
        ("a / b", [0.1, 0.1, 0.0, N, N]),
        ("b / a", [10, 10, N, N, N]),  # a division by zero is dropped
        ("SUM([a, b])", [11, 22, 30, N, N]),
        ("AVG(METRICS())", [5.5, 11, 15, N, N]),
        ("MIN(METRICS())", [1, 2, 30, N, N]),
        ("MAX(METRICS())", [10, 20, 30, N, N]),
        ("STDDEV(METRICS())", [4.5, 9, 0, N, N]),
        ("DATAPOINT_COUNT(METRICS())", [2, 2, 1, N, N]),
        ('SUM(METRICS("b"))', [10, 20, 30, N, N]),
        ("a - AVG(a)", [-0.5, 0.5, N, N, N]),
        ("b / SUM(b) * 60", [10, 20, 30, N, N]),
        ("b / PERIOD(b)", [10 / 60, 20 / 60, 30 / 60, N, N]),
        ("b / METRIC_COUNT(METRICS())", [5, 10, 15, N, N]),
        ("DIFF(b)", [N, 10, 10, N, N]),
        ("RATE(b)", [N, 10 / 60, 10 / 60, N, N]),
        ("DIFF_TIME(b)", [N, 60, 60, N, N]),
        ("RUNNING_SUM(b)", [10, 30, 60, N, N]),
        ("ABS(-b)", [10, 20, 30, N, N]),
        ("CEIL(a / 3)", [1, 1, N, N, N]),
        ("FLOOR(a / 3)", [0, 0, N, N, N]),
        ("LOG10(b * 10)", [2, math.log10(200), math.log10(300), N, N]),
        ("LOG(a - a)", [N, N, N, N, N]),
        ("FIRST([a, b])", [1, 2, N, N, N]),
        ("LAST(METRICS() * 2)", [20, 40, 60, N, N]),
        ("TIME_SERIES(MAX(a) ^ 2)", [4, 4, 4, 4, 4]),
        ("b ^ 0.5 ^ 2", [10**0.25, 20**0.25, 30**0.25, N, N]),
    ],
)
def test_functions(text: str, expected: list[float | None]) -> None:
    found = points(text, a=series(1, 2, name="a"), b=series(10, 20, 30, name="b"))
    assert found == [None if one is None else pytest.approx(one) for one in expected]


def test_an_array_keeps_its_series_apart() -> None:
    found = value("REMOVE_EMPTY(METRICS() / 2)", a=series(2, name="a"), b=series(name="b"), c=series(6, name="c"))
    assert isinstance(found, tuple)
    assert [(one.label, one.values) for one in found] == [("a", {0: 1.0}), ("c", {0: 3.0})]
    both = value("[a, b] + [b, a]", a=series(1, name="a"), b=series(2, name="b"))
    assert isinstance(both, tuple)
    assert [one.values for one in both] == [{0: 3.0}, {0: 3.0}]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", "Undefined id 'x'"),
        ("REPEAT", "'REPEAT' is not a value"),
        ("'a'", "'a' is not a value"),
        ("SUM(1)", "SUM takes a time series"),
        ("ABS(1)", "ABS takes a time series"),
        ("RATE(1)", "RATE takes a time series"),
        ("RUNNING_SUM(1)", "RUNNING_SUM takes a time series"),
        ("PERIOD(a * 2)", "PERIOD takes a metric"),
        ("FIRST(a)", "FIRST takes an array of time series"),
        ("FILL(a)", "FILL takes two arguments"),
        ("FILL(1, 1)", "FILL takes a time series"),
        ("FILL(a, NEVER)", "FILL cannot fill with 'NEVER'"),
        ("FILL(a, [a])", "FILL takes no array of time series to fill with"),
        ("IF([a], 1, 2)", "IF takes no array of time series"),
        ("METRICS(1)", "METRICS takes one text at most"),
        ("TIME_SERIES(a)", "TIME_SERIES takes a scalar"),
        ("NONE(a)", "Unknown function 'NONE' with 1 arguments"),
        ("ABS(a, a)", "Unknown function 'ABS' with 2 arguments"),
        ("[a, 1]", "An array holds time series alone"),
        ("[a, a] + [a]", "Two arrays of time series of different lengths cannot be combined"),
    ],
)
def test_what_computes_nothing_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedMath) as refused:
        value(text, a=series(1))
    assert str(refused.value) == why


def test_numbers_beyond_all_bounds_are_dropped() -> None:
    huge = series(1e308, 1e308, 1)
    for text in ("a * 10", "a ^ 9", "RUNNING_SUM(a)", "STDDEV([a, a * 0])", "SUM([a, a])"):
        found = value(text, a=huge)
        assert isinstance(found, Series)
        assert all(math.isfinite(point) for point in found.values.values())


def test_a_long_sum_is_computed() -> None:
    assert value("+".join(["1"] * 1000)) == 1000.0
