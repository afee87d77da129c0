"""What an expression of metric math comes to: numbers, time series and arrays of them.

CloudWatch User Guide, "Using metric math", has the rules. A point that cannot be computed, by a division by zero, is
dropped.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from samebox.services.cloudwatch.expression import (
    ArrayNode,
    BinaryNode,
    CallNode,
    MalformedMath,
    NameNode,
    NegativeNode,
    Node,
    NumberNode,
    TextNode,
    WordNode,
)


@dataclass(frozen=True)
class Grid:
    """The times of a request: from `begin` until before `end`, every `period` seconds."""

    begin: int
    end: int
    period: int

    def times(self) -> range:
        """Each of them."""
        return range(self.begin, self.end, self.period)


@dataclass(frozen=True)
class Series:
    """Values by time, epoch seconds. `period` is that of a metric; of what was computed there is none."""

    values: Mapping[int, float]
    id: str = ""
    label: str = ""
    period: int | None = field(default=None)


SeriesArray = tuple[Series, ...]
Value = float | Series | SeriesArray

# Functions of AWS that nothing here computes.
ABSENT = frozenset(
    {
        *("ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SEARCH", "SERVICE_QUOTA", "LAMBDA", "DB_PERF_INSIGHTS"),
        *("SORT", "SLICE", "MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH"),
    }
)


class MetricMath:
    """Computes expressions over metrics. `known` gives the value of an id, and raises KeyError where there is none."""

    def __init__(self, grid: Grid, metrics: SeriesArray, known: Callable[[str], Value]) -> None:
        self._grid = grid
        self._metrics = metrics
        self._known = known

    def result(self, node: Node) -> Series | SeriesArray:
        """What an expression comes to in the end: a series or several. Raises MalformedMath, of a number too."""
        value = self.value(node)
        if isinstance(value, float):
            raise MalformedMath("The expression returns a scalar, and must return a time series")
        return value

    def value(self, node: Node) -> Value:
        """What an expression comes to. Raises MalformedMath."""
        match node:
            case NumberNode(number):
                return number
            case NameNode(name):
                try:
                    return self._known(name)
                except KeyError:
                    raise MalformedMath(f"Undefined id '{name}'") from None
            case NegativeNode(of):
                return _map(self.value(of), lambda one: -one)
            case BinaryNode():
                return self._operated(node)
            case ArrayNode(items):
                return tuple(one for item in items for one in _several(self.value(item)))
            case CallNode(function, arguments):
                return self._call(function, arguments)
            case WordNode(word) | TextNode(word):
                raise MalformedMath(f"'{word}' is not a value")

    def _operated(self, node: BinaryNode) -> Value:
        # A long sum is a deep tree, to the left: that way it is walked, and not recursed into.
        rest: list[tuple[str, Node]] = []
        left: Node = node
        while isinstance(left, BinaryNode):
            rest.append((left.operator, left.right))
            left = left.left
        value = self.value(left)
        for operator, right in reversed(rest):
            value = _combine(_OPERATORS[operator], value, self.value(right))
        return value

    def _call(self, function: str, arguments: Sequence[Node]) -> Value:
        if function == "METRICS":
            return self._metrics_of(arguments)
        if function == "FILL":
            return self._fill(arguments)
        values = [self.value(one) for one in arguments]
        if function == "IF" and len(values) in (2, 3):
            return self._if(*values)
        if len(values) != 1 or function not in _FUNCTIONS:
            raise MalformedMath(f"Unknown function '{function}' with {len(arguments)} arguments")
        if function == "TIME_SERIES":
            return _computed((time, _number(function, values[0])) for time in self._grid.times())
        return _FUNCTIONS[function](function, values[0])

    def _metrics_of(self, arguments: Sequence[Node]) -> SeriesArray:
        match tuple(arguments):
            case ():
                return self._metrics
            case (TextNode(part),):
                return tuple(one for one in self._metrics if part in one.id)
        raise MalformedMath("METRICS takes one text at most")

    def _fill(self, arguments: Sequence[Node]) -> Value:
        if len(arguments) != 2:
            raise MalformedMath("FILL takes two arguments")
        value, filler = self.value(arguments[0]), arguments[1]
        if isinstance(value, float):
            raise MalformedMath("FILL takes a time series")
        if isinstance(filler, WordNode):
            fill = {"REPEAT": _repeated, "LINEAR": _interpolated}.get(filler.word)
            if fill is None:
                raise MalformedMath(f"FILL cannot fill with '{filler.word}'")
            return _each(value, lambda one: replace(one, values=fill(one.values, self._grid.times())))
        other = self.value(filler)
        if isinstance(other, tuple):
            raise MalformedMath("FILL takes no array of time series to fill with")

        def filled(one: Series) -> Series:
            spare = dict.fromkeys(self._grid.times(), other) if isinstance(other, float) else other.values
            return replace(one, values=dict(sorted({**spare, **one.values}.items())))

        return _each(value, filled)

    def _if(self, condition: Value, then: Value, otherwise: Value | None = None) -> Value:
        if isinstance(condition, tuple) or isinstance(then, tuple) or isinstance(otherwise, tuple):
            raise MalformedMath("IF takes no array of time series")
        if isinstance(condition, float):
            chosen = then if condition else otherwise
            return Series({}) if chosen is None else chosen
        points: list[tuple[int, float]] = []
        for time, value in condition.values.items():
            chosen = then if value else otherwise
            if isinstance(chosen, float):
                points.append((time, chosen))
            elif chosen is not None and (time in chosen.values or value):
                points.append((time, chosen.values.get(time, 0.0)))
        return _computed(points)


def _several(value: Value) -> SeriesArray:
    if isinstance(value, float):
        raise MalformedMath("An array holds time series alone")
    return value if isinstance(value, tuple) else (value,)


def _computed(points: Iterable[tuple[int, float]]) -> Series:
    return Series({time: value for time, value in sorted(points) if math.isfinite(value)})


def _each(value: Series | SeriesArray, change: Callable[[Series], Series]) -> Series | SeriesArray:
    return tuple(change(one) for one in value) if isinstance(value, tuple) else change(value)


def _map(value: Value, function: Callable[[float], float]) -> Value:
    if isinstance(value, float):
        return function(value)

    def changed(one: Series) -> Series:
        computed = _computed((time, function(point)) for time, point in one.values.items())
        return replace(one, values=computed.values, period=None)

    return _each(value, changed)


def _combine(operator: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """An operator over two values: each series of an array alone, a missing point of one of two series being 0."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            raise MalformedMath("Two arrays of time series of different lengths cannot be combined")
        return tuple(_labelled(_combine(operator, one, other), one) for one, other in zip(left, right, strict=True))
    if isinstance(left, tuple):
        return tuple(_labelled(_combine(operator, one, right), one) for one in left)
    if isinstance(right, tuple):
        return tuple(_labelled(_combine(operator, left, one), one) for one in right)
    if isinstance(left, float) and isinstance(right, float):
        return operator(left, right)
    if isinstance(left, float):
        return _map(right, lambda point: operator(left, point))
    if isinstance(right, float):
        return _map(left, lambda point: operator(point, right))
    times = left.values.keys() | right.values.keys()
    return _computed((time, operator(left.values.get(time, 0.0), right.values.get(time, 0.0))) for time in times)


def _labelled(value: Value, like: Series) -> Series:
    assert isinstance(value, Series)
    return replace(value, id=like.id, label=like.label)


def _divide(one: float, other: float) -> float:
    return one / other if other else math.nan


def _power(one: float, other: float) -> float:
    try:
        return math.pow(one, other)
    except (OverflowError, ValueError):
        return math.nan


_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _divide,
    "^": _power,
    "==": lambda one, other: float(one == other),
    "!=": lambda one, other: float(one != other),
    "<": lambda one, other: float(one < other),
    ">": lambda one, other: float(one > other),
    "<=": lambda one, other: float(one <= other),
    ">=": lambda one, other: float(one >= other),
    "AND": lambda one, other: float(bool(one) and bool(other)),
    "OR": lambda one, other: float(bool(one) or bool(other)),
}


def _repeated(values: Mapping[int, float], times: range) -> dict[int, float]:
    last: float | None = None
    found = {}
    for time in sorted({*times, *values}):
        last = values.get(time, last)
        if last is not None:
            found[time] = last
    return found


def _interpolated(values: Mapping[int, float], times: range) -> dict[int, float]:
    known = sorted(values)
    found = dict(values)
    for begin, end in pairwise(known):
        slope = (values[end] - values[begin]) / (end - begin)
        within = times[bisect_right(times, begin) : bisect_left(times, end)]
        found.update({time: values[begin] + slope * (time - begin) for time in within})
    return dict(_computed(found.items()).values)


def _number(function: str, value: Value) -> float:
    if not isinstance(value, float):
        raise MalformedMath(f"{function} takes a scalar")
    return value


def _logarithm(of: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: of(value) if value > 0 else math.nan


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _deviation(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(_mean([(value - mean) * (value - mean) for value in values]))


_POINTS: Mapping[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
    "LOG": _logarithm(math.log),
    "LOG10": _logarithm(math.log10),
}
_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": _mean,
    "SUM": lambda values: float(sum(values)),
    "MIN": lambda values: min(values, default=math.nan),
    "MAX": lambda values: max(values, default=math.nan),
    "STDDEV": _deviation,
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}


def _pointwise(function: str, value: Value) -> Value:
    if isinstance(value, float):
        raise MalformedMath(f"{function} takes a time series")
    return _map(value, _POINTS[function])


def _aggregate(function: str, value: Value) -> Value:
    of = _AGGREGATES[function]
    if isinstance(value, float):
        raise MalformedMath(f"{function} takes a time series")
    if isinstance(value, Series):
        return float(of(list(value.values.values())))
    times = sorted({time for one in value for time in one.values})
    # Of an average, the guide says that what is missing is 0.
    spare = (0.0,) if function == "AVG" else ()
    return _computed(
        (time, of([point for one in value for point in ((one.values[time],) if time in one.values else spare)]))
        for time in times
    )


_STEPS: Mapping[str, Callable[[float, float], float]] = {
    "DIFF": lambda by, _: by,
    "DIFF_TIME": lambda _, seconds: seconds,
    "RATE": _divide,
}


def _steps(function: str, value: Value) -> Value:
    """DIFF, DIFF_TIME and RATE: of each point against the one before."""
    if isinstance(value, float):
        raise MalformedMath(f"{function} takes a time series")

    def of(one: Series) -> Series:
        steps = [
            (end, one.values[end] - one.values[begin], float(end - begin))
            for begin, end in pairwise(sorted(one.values))
        ]
        shown = _STEPS[function]
        changes = _computed((time, shown(by, seconds)) for time, by, seconds in steps)
        return replace(one, values=changes.values, period=None)

    return _each(value, of)


def _running_sum(function: str, value: Value) -> Value:
    if isinstance(value, float):
        raise MalformedMath(f"{function} takes a time series")

    def of(one: Series) -> Series:
        total, sums = 0.0, {}
        for time in sorted(one.values):
            total += one.values[time]
            sums[time] = total
        return replace(one, values=_computed(sums.items()).values, period=None)

    return _each(value, of)


def _period(function: str, value: Value) -> Value:
    if not isinstance(value, Series) or value.period is None:
        raise MalformedMath(f"{function} takes a metric")
    return float(value.period)


def _of_array(function: str, value: Value) -> Value:
    if not isinstance(value, tuple) or not value:
        raise MalformedMath(f"{function} takes an array of time series")
    match function:
        case "FIRST":
            return value[0]
        case "LAST":
            return value[-1]
        case "METRIC_COUNT":
            return float(len(value))
    return tuple(one for one in value if one.values)


_FUNCTIONS: Mapping[str, Callable[[str, Value], Value]] = {
    **dict.fromkeys(_POINTS, _pointwise),
    **dict.fromkeys(_AGGREGATES, _aggregate),
    **dict.fromkeys(_STEPS, _steps),
    **dict.fromkeys(("FIRST", "LAST", "METRIC_COUNT", "REMOVE_EMPTY"), _of_array),
    "RUNNING_SUM": _running_sum,
    "PERIOD": _period,
    "TIME_SERIES": lambda _, value: value,
}
