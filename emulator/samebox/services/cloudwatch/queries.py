"""MetricDataQueries: metrics and expressions by their ids, checked and computed, for GetMetricData and alarms."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from samebox.errors import AwsError
from samebox.resources.metrics_store import MetricsStore
from samebox.services.cloudwatch import expression, periods
from samebox.services.cloudwatch.expression import MalformedMath, Node
from samebox.services.cloudwatch.metric_math import ABSENT, Grid, MetricMath, Series, SeriesArray, Value
from samebox.services.members.refusal import not_run
from samebox.wire.caller import Caller

# CW:GetMetricData
MOST_POINTS = 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_Query = Mapping[str, Any]


@dataclass(frozen=True)
class Queries:
    """The queries of one request, by their ids, and the trees of those that are expressions. Made by `checked`."""

    by_id: Mapping[str, _Query]
    trees: Mapping[str, Node]

    @property
    def period(self) -> int:
        """Seconds between the points of expressions: the longest of what they are made of."""
        asked = [query["Period"] for query in self.by_id.values() if "Period" in query]
        return max([query["MetricStat"]["Period"] for query in self._metrics()] + asked, default=60)

    def _metrics(self) -> list[_Query]:
        return [query for query in self.by_id.values() if "MetricStat" in query]


def checked(queries: Sequence[_Query], operation: str, place: str) -> Queries:
    """The queries of a request, whose member `place` they are. AwsError where one is wrong."""
    trees: dict[str, Node] = {}
    for number, query in enumerate(queries, 1):
        here = f"{place}.member.{number}"
        if not _ID.fullmatch(query["Id"]):
            raise periods.invalid(
                f"The value {query['Id']} for parameter {here}.Id is not matching the expected pattern "
                "^[a-z][a-zA-Z0-9_]*$."
            )
        if ("MetricStat" in query) == ("Expression" in query):
            raise AwsError("ValidationError", f"Exactly one of {here}.MetricStat and {here}.Expression is required.")
        if "Expression" in query:
            trees[query["Id"]] = _tree(query, operation, here)
        else:
            periods.check_period(query["MetricStat"]["Period"])
            periods.check_statistic(operation, "Stat", query["MetricStat"]["Stat"])
    by_id = {query["Id"]: query for query in queries}
    if len(by_id) < len(queries):
        raise periods.invalid(f"The values for parameter id in {place} are not unique.")
    for name, tree in trees.items():
        if unknown := expression.names(tree) - by_id.keys():
            raise _wrong(name, f"Undefined id '{min(unknown)}'")
        if _reaches(name, name, trees):
            raise _wrong(name, "The expression refers to itself")
    return Queries(by_id, trees)


def _tree(query: _Query, operation: str, place: str) -> Node:
    if re.match(r"(?i)\s*select\s", query["Expression"]):
        raise not_run("cloudwatch", operation, f"{place}.Expression", "SELECT")
    try:
        tree = expression.parse(query["Expression"])
    except MalformedMath as error:
        raise _wrong(query["Id"], str(error)) from None
    if absent := expression.functions(tree) & ABSENT:
        raise not_run("cloudwatch", operation, f"{place}.Expression", min(absent))
    return tree


def _reaches(name: str, target: str, trees: Mapping[str, Node]) -> bool:
    waiting, seen = [name], set[str]()
    while waiting:
        for one in expression.names(trees[waiting.pop()]) & trees.keys() - seen:
            if one == target:
                return True
            seen.add(one)
            waiting.append(one)
    return False


def compute(store: MetricsStore, queries: Queries, begin: float, end: float, caller: Caller) -> dict[str, SeriesArray]:
    """The series of each query that returns data, by its id; `begin` and `end` are epoch seconds. AwsError."""
    computed = _Computation(store, queries, begin, end, caller)
    return {
        name: computed.result(name) for name, query in queries.by_id.items() if query.get("ReturnData", True)
    }  # fmt: skip


class _Computation:
    def __init__(self, store: MetricsStore, queries: Queries, begin: float, end: float, caller: Caller) -> None:
        self._queries = queries
        self._known: dict[str, Value] = {}
        for name, query in queries.by_id.items():
            if "MetricStat" in query:
                self._known[name] = _metric(store, query, begin, end, caller)
        metrics = tuple(one for one in self._known.values() if isinstance(one, Series))
        whole = periods.span(begin, end, queries.period)
        if queries.trees and whole.points > MOST_POINTS:
            raise AwsError("ValidationError", f"An expression has at most {MOST_POINTS:,} datapoints.")
        self._math = MetricMath(Grid(int(whole.begin), int(whole.end), whole.period), metrics, self._value)
        for name in _in_order(queries.trees):
            try:
                self._known[name] = self._math.value(queries.trees[name])
            except MalformedMath as error:
                raise _wrong(name, str(error)) from None

    def _value(self, name: str) -> Value:
        return self._known[name]

    def result(self, name: str) -> SeriesArray:
        value, label = self._known[name], self._queries.by_id[name].get("Label", name)
        if isinstance(value, float):
            raise _wrong(name, "The expression returns a scalar, and must return a time series")
        if isinstance(value, tuple):
            return tuple(replace(one, id=name, label=f"{label} {one.label}".strip()) for one in value)
        return (value if "MetricStat" in self._queries.by_id[name] else replace(value, id=name, label=label),)


def _in_order(trees: Mapping[str, Node]) -> list[str]:
    """The ids of expressions, each behind those that it names; there is no circle among them."""
    waiting, ordered = dict(trees), list[str]()
    while waiting:
        ready = [name for name, tree in waiting.items() if not expression.names(tree) & waiting.keys()]
        ordered += ready
        for name in ready:
            del waiting[name]
    return ordered


def _metric(store: MetricsStore, query: _Query, begin: float, end: float, caller: Caller) -> Series:
    wanted = query["MetricStat"]
    span = periods.span(begin, end, wanted["Period"])
    found = periods.statistics_of(store, wanted, span, caller).values()
    label = query.get("Label", wanted["Metric"].get("MetricName", ""))
    return Series(periods.points_of(found, wanted["Stat"]), query["Id"], label, wanted["Period"])


def _wrong(name: str, why: str) -> AwsError:
    # Choice: of CloudWatch's words only the beginning is known.
    return AwsError("ValidationError", f"Error in expression '{name}': {why}.")
