"""The evaluation of alarms: a timer reads what each watches, and moves it to the state that follows."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from samebox.errors import AwsError
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.store import Changed, Resource, Store
from samebox.services.cloudwatch import alarm_record, judgement, periods, queries, state_reason
from samebox.services.cloudwatch.alarm_record import NOUN, StateFacts
from samebox.services.cloudwatch.judgement import Judgement
from samebox.services.cloudwatch.state_reason import Evaluated
from samebox.wire.caller import Caller

log = logging.getLogger(__name__)

# How often the timer looks whether an alarm is due.
_LOOK_SECONDS = 1.0


class AlarmEvaluation:
    """Evaluates each alarm once in its period, at most once a minute; a new one, or a changed one, at once.

    `clock` is epoch seconds. `evaluate_due` is the work, `start` has a thread of its own do it.
    """

    def __init__(self, store: Store, metrics: MetricsStore, clock: Callable[[], float]) -> None:
        self._shelf = alarm_record.alarms(store, clock)
        self._metrics = metrics
        self._clock = clock
        self._due: dict[str, float] = {}  # ARN -> when to evaluate it next
        self._configured: dict[str, Any] = {}  # ARN -> what was evaluated last
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
        self._any = threading.Event()
        self._any.set()
        store.subscribe(self._hear)

    def start(self) -> None:
        """Evaluate from now on."""
        self._thread.start()

    def close(self) -> None:
        """End, after an evaluation that is under way."""
        self._closing.set()
        self._any.set()
        if self._thread.is_alive():
            self._thread.join()

    def evaluate_due(self) -> None:
        """Evaluate every alarm whose time has come."""
        now = self._clock()
        self._any.clear()  # before the look: an alarm that comes meanwhile sets it again
        rows = self._shelf.all()
        if rows:
            self._any.set()
        known = {row.arn for row in rows}
        self._due = {arn: due for arn, due in self._due.items() if arn in known}
        for row in rows:
            if self._configured.get(row.arn) != row.spec or now >= self._due.get(row.arn, now):
                self._configured[row.arn] = row.spec
                self._due[row.arn] = now + min(_period(row), 60)
                try:
                    self._evaluate(row, now)
                except Exception:
                    # Of ours, or of the disk: the other alarms go on, and this one in its next period.
                    log.exception("alarm %s could not be evaluated", row.name)
        self._configured = {arn: spec for arn, spec in self._configured.items() if arn in known}

    def _hear(self, row: Resource) -> None:
        if row.kind == NOUN:
            self._any.set()

    def _run(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            self._any.wait()  # without alarms, nothing is read
            if self._closing.is_set():
                return
            try:
                self.evaluate_due()
            except Exception:
                log.exception("alarms could not be read")
                self._any.set()  # the next look may go well

    def _evaluate(self, row: Resource, now: float) -> None:
        rule = alarm_record.rule_of(row)
        try:
            points = self._points(row, now)
        except AwsError as error:
            # An expression that computes nothing with these values: AWS's alarms have no data then.
            log.warning("alarm %s: %s", row.name, error)
            points = [None] * rule.periods
        values = [None if one is None else one.value for one in points]
        found = judgement.judge(values, rule, alarm_record.state_of(row))
        evaluated = [one for place in found.places if (one := points[place]) is not None]
        if found.state != row.status and not _has_too_few(row, evaluated):
            self._move(row, found, evaluated, now)

    def _move(self, row: Resource, found: Judgement, points: list[Evaluated], now: float) -> None:
        rule = alarm_record.rule_of(row)
        reason = state_reason.sentence(found, rule, points, row.status)
        of_metric = {} if "Metrics" in row.spec else row.spec
        data = state_reason.data(rule, points, now, of_metric, _period(row))
        after = StateFacts(found.state, reason, data, now)
        item = state_reason.state_update(alarm_record.state_facts(row), after)
        log.info("alarm %s: %s -> %s", row.name, row.status, found.state)

        def move(newest: Resource) -> dict[str, Any]:
            if (newest.status, newest.spec) != (row.status, row.spec):
                raise Changed(row.arn)  # it was set, or is another alarm now: the next look is at that
            return alarm_record.moved(newest, found.state, reason, data, now, item)

        try:
            self._shelf.change(row, move)
        except Changed:
            self._due.pop(row.arn, None)

    def _points(self, row: Resource, now: float) -> list[Evaluated | None]:
        """The data points of the evaluation range, the oldest first; the period that is under way is not one."""
        period, rule = _period(row), alarm_record.rule_of(row)
        step = 60 if period % 60 == 0 else period
        end = int(now // step * step)
        begin = end - (rule.periods + judgement.MORE_PERIODS) * period
        caller = Caller(row.account, row.region)
        asked = queries.checked(alarm_record.queries_of(row.spec), "PutMetricAlarm", "Metrics")
        (several,) = queries.compute(self._metrics, asked, begin, end, caller).values()
        values = several[0].values if several else {}
        samples = {} if "Metrics" in row.spec else self._samples(row, begin, end, caller)
        return [
            Evaluated(time, values[time], samples.get(time)) if time in values else None
            for time in range(begin, end, period)
        ]

    def _samples(self, row: Resource, begin: int, end: int, caller: Caller) -> dict[int, float]:
        (query,) = alarm_record.queries_of(row.spec)
        span = periods.span(begin, end, _period(row))
        counted = {**query["MetricStat"], "Stat": "SampleCount"}
        return {one.start: one.count for one in periods.statistics_of(self._metrics, counted, span, caller).values()}


def _has_too_few(row: Resource, points: list[Evaluated]) -> bool:
    """Whether a percentile is of so few values that it says nothing, and the alarm ignores it then.

    CloudWatch User Guide, "Percentile-based alarms and low data samples".
    """
    if row.spec.get("EvaluateLowSampleCountPercentile") != "ignore" or "ExtendedStatistic" not in row.spec:
        return False
    part = periods.percent(row.spec["ExtendedStatistic"]) / 100
    rarer = min(part, 1 - part)
    return rarer > 0 and sum(one.samples or 0 for one in points) < 10 / rarer


def _period(row: Resource) -> int:
    spec = row.spec
    if "Period" in spec:
        return int(spec["Period"])
    lengths = [one["MetricStat"]["Period"] if "MetricStat" in one else one.get("Period", 0) for one in spec["Metrics"]]
    return max(lengths, default=0) or 60
