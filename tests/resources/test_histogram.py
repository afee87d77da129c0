"""Histograms: a percentile is the value of its rank, to one percent."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from samebox.resources import histogram

VALUES = st.lists(st.floats(min_value=0, max_value=1e15), min_size=1, max_size=60)
PERCENTS = st.floats(min_value=0.1, max_value=100)


def counted(values: list[float]) -> dict[int, float]:
    return dict(Counter(histogram.bucket_of(value) for value in values))


@given(VALUES, PERCENTS)
def test_a_percentile_is_near_the_value_of_its_rank(values: list[float], percent: float) -> None:
    found = histogram.percentile(counted(values), percent)
    # Of two ranks that the arithmetic cannot tell apart, either will do.
    places = {math.ceil(percent / 100 * len(values) + by) for by in (-1e-9, 1e-9)}
    exact = {sorted(values)[min(max(place, 1), len(values)) - 1] for place in places}
    assert any(math.isclose(found, value, rel_tol=1.001 * histogram.ACCURACY, abs_tol=1e-299) for value in exact)


@given(VALUES, VALUES)
def test_the_histogram_of_parts_is_that_of_the_whole(one: list[float], other: list[float]) -> None:
    total = counted(one)
    histogram.add(total, counted(other))
    assert total == counted(one + other)


@given(VALUES)
def test_it_is_kept_as_it_was(values: list[float]) -> None:
    assert histogram.unpack(histogram.pack(counted(values))) == counted(values)
