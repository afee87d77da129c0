"""Metrics of a training job: the last value of each definition, read out of its log lines (contract.md §1.9)."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from samebox.resources.expression import Expression, MalformedExpression, TooSlow

log = logging.getLogger(__name__)


class Metrics:
    """The last value per MetricDefinition. Group 1 of the regex is the value; one that is not a number is passed over.

    `publish(name, value, at)` hears of each value of a new line. Not thread-safe: one thread sees the lines, others ask
    when it is done.
    """

    def __init__(
        self,
        definitions: Sequence[Mapping[str, Any]],
        publish: Callable[[str, float, float], None] = lambda _name, _value, _at: None,
    ) -> None:
        self._publish = publish
        self._patterns: list[tuple[str, Expression]] = []
        self._last: dict[str, dict[str, Any]] = {}
        for definition in definitions:
            try:
                pattern = Expression(definition["Regex"])
            except MalformedExpression as error:
                log.warning("metric %s: %s", definition["Name"], error)
                continue
            if pattern.groups:
                self._patterns.append((definition["Name"], pattern))

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to look for."""
        return not self._patterns

    def see(self, text: str, at: float, is_new: bool = True) -> None:
        """One line, written at `at` (epoch seconds); `is_new`: no earlier emulator has published its values."""
        for name, pattern in self._patterns:
            try:
                # A line may hold the same metric several times; the last one counts.
                for value in pattern.first_groups(text):
                    self._note(name, value, at, is_new)
            except TooSlow:
                log.warning("metric %s: its expression takes too long; it is not looked for any more", name)
                self._patterns = [one for one in self._patterns if one[1] is not pattern]

    def _note(self, name: str, text: str | None, at: float, is_new: bool) -> None:
        try:
            value = float(text or "")
        except ValueError:
            return
        # JSON has no NaN and no infinity; neither has CloudWatch.
        if math.isfinite(value):
            self._last[name] = {"MetricName": name, "Value": value, "Timestamp": at}
            if is_new:
                self._publish(name, value, at)

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList."""
        return list(self._last.values())
