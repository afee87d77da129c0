"""The evaluation of alarms, with a clock that the test moves: states, their reasons, and a restart in between."""

import json
from typing import Any

import pytest

from samebox.resources.metrics import MetricSeries
from samebox.services.cloudwatch import alarms
from samebox.services.cloudwatch.evaluation import AlarmEvaluation
from tests.conftest import ACCOUNT, CALLER, REGION, Aws
from tests.scenarios.emulator_process import until
from tests.services.cloudwatch.test_alarms import ALARM, ON_QUERIES

NOW = 1_700_000_080.0  # 40 s after a whole minute


class WatchedMetrics:
    """A store with alarms, metrics, and what evaluates them."""

    def __init__(self, aws: Aws) -> None:
        self.services = aws.services
        self.now = NOW
        self.evaluation = self.restarted()

    def restarted(self) -> AlarmEvaluation:
        self.evaluation = AlarmEvaluation(self.services.resources.store, self.services.metrics, lambda: self.now)
        return self.evaluation

    def put(self, **params: Any) -> None:
        alarms.put_metric_alarm(self.services, {**ALARM, **params}, CALLER)

    def value(self, minutes: int, value: float, name: str = "errors") -> None:
        """A value in the minute that is so many before the one under way."""
        series = MetricSeries.of(ACCOUNT, REGION, "Shop", name, {})
        self.services.metrics.put(series, self.now // 60 * 60 - 60 * minutes + 1, value)

    def state(self, name: str = "errors") -> tuple[str, str]:
        self.evaluation.evaluate_due()
        found = alarms.describe_alarms(self.services, {"AlarmNames": [name]}, CALLER)["MetricAlarms"][0]
        return found["StateValue"], found["StateReason"]


@pytest.fixture
def world(aws: Aws) -> WatchedMetrics:
    return WatchedMetrics(aws)


def test_an_alarm_goes_off_and_back(world: WatchedMetrics) -> None:
    world.put()
    world.value(1, 9.0)
    assert world.state() == (
        "ALARM",
        "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (14/11/23 22:13:00)] was greater than the threshold "
        "(5.0) (minimum 1 datapoint for INSUFFICIENT_DATA -> ALARM transition).",
    )
    (alarm,) = alarms.describe_alarms(world.services, {}, CALLER)["MetricAlarms"]
    assert json.loads(alarm["StateReasonData"])["evaluatedDatapoints"] == [
        {"timestamp": "2023-11-14T22:13:00.000+0000", "sampleCount": 1.0, "value": 9.0}
    ]
    world.now += 60
    world.value(1, 2.0)
    assert world.state()[0] == "OK"


def test_the_minute_under_way_does_not_count(world: WatchedMetrics) -> None:
    world.put()
    world.value(0, 9.0)
    assert world.state()[0] == "INSUFFICIENT_DATA"
    world.now += 60
    assert world.state()[0] == "ALARM"


def test_an_alarm_is_evaluated_once_a_minute_and_when_it_changes(world: WatchedMetrics) -> None:
    world.put()
    assert world.state()[0] == "INSUFFICIENT_DATA"
    world.value(1, 9.0)
    world.now += 10
    assert world.state()[0] == "INSUFFICIENT_DATA"
    world.put(Threshold=6.0)
    assert world.state()[0] == "ALARM"


def test_as_many_as_are_asked_for_have_to_breach(world: WatchedMetrics) -> None:
    world.put(EvaluationPeriods=3, DatapointsToAlarm=2)
    for minute, value in ((3, 9.0), (2, 1.0), (1, 1.0)):
        world.value(minute, value)
    assert world.state()[0] == "OK"
    world.now += 60
    world.value(1, 9.0)
    assert world.state()[0] == "OK"
    world.now += 60
    world.value(1, 9.0)
    assert world.state()[0] == "ALARM"


def test_without_data_the_treatment_decides(world: WatchedMetrics) -> None:
    for treatment in ("breaching", "notBreaching", "ignore", "missing"):
        world.put(AlarmName=treatment, TreatMissingData=treatment)
    assert [world.state(name)[0] for name in ("breaching", "notBreaching", "ignore", "missing")] == [
        "ALARM", "OK", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA",
    ]  # fmt: skip


def test_data_that_ends_is_insufficient(world: WatchedMetrics) -> None:
    world.put()
    world.value(1, 1.0)
    assert world.state()[0] == "OK"
    world.now += 600
    assert world.state() == ("INSUFFICIENT_DATA", "Insufficient Data: 1 datapoint was unknown.")


def test_an_expression_is_watched(world: WatchedMetrics) -> None:
    alarms.put_metric_alarm(world.services, {**ON_QUERIES, "Threshold": 150.0}, CALLER)
    world.value(1, 2.0)
    state, reason = world.state()
    assert (state, "[200.0 (" in reason) == ("ALARM", True)
    (alarm,) = alarms.describe_alarms(world.services, {}, CALLER)["MetricAlarms"]
    assert "statistic" not in json.loads(alarm["StateReasonData"])


def test_a_percentile_of_few_values_is_ignored_where_that_is_asked_for(world: WatchedMetrics) -> None:
    of = {"Statistic": None, "ExtendedStatistic": "p90"}
    params = {key: value for key, value in {**ALARM, **of}.items() if value is not None}
    for name, low in (("ignores", "ignore"), ("looks", "evaluate")):
        asked = {**params, "AlarmName": name, "EvaluateLowSampleCountPercentile": low}
        alarms.put_metric_alarm(world.services, asked, CALLER)
    world.value(1, 9.0)
    assert (world.state("ignores")[0], world.state("looks")[0]) == ("INSUFFICIENT_DATA", "ALARM")


def test_a_state_that_is_set_lasts_until_the_next_evaluation(world: WatchedMetrics) -> None:
    world.put()
    world.value(1, 1.0)
    assert world.state()[0] == "OK"
    asked = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "fire drill"}
    alarms.set_alarm_state(world.services, asked, CALLER)
    assert world.state() == ("ALARM", "fire drill")
    world.now += 60
    assert world.state()[0] == "OK"


def test_a_restart_goes_on_from_the_state_that_was_stored(world: WatchedMetrics) -> None:
    world.put(TreatMissingData="ignore")
    world.value(1, 9.0)
    assert world.state()[0] == "ALARM"
    world.now += 3600
    world.restarted()
    assert world.state()[0] == "ALARM"
    changes = [one for one in _history(world) if one["HistoryItemType"] == "StateUpdate"]
    assert len(changes) == 1


def _history(world: WatchedMetrics) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = alarms.describe_alarm_history(world.services, {}, CALLER)["AlarmHistoryItems"]
    return items


def test_the_history_of_an_alarm_is_bounded(world: WatchedMetrics) -> None:
    world.put()
    for number in range(120):
        asked = {"AlarmName": "errors", "StateValue": "OK", "StateReason": str(number)}
        alarms.set_alarm_state(world.services, asked, CALLER)
    assert len(_history(world)) == 100


def test_the_timer_evaluates_and_ends(world: WatchedMetrics) -> None:
    moved: list[str] = []
    world.services.resources.store.subscribe(lambda row: moved.append(row.status))
    world.put()
    world.value(1, 9.0)
    world.evaluation.start()
    try:
        until(lambda: "ALARM" in moved, 60, "the alarm went off")
    finally:
        world.evaluation.close()


def test_an_alarm_that_cannot_be_evaluated_holds_no_other_up_and_is_tried_again(
    world: WatchedMetrics, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("errors", "others"):
        world.put(AlarmName=name)
    world.value(1, 9.0)
    failures = iter([OSError("no disk")])
    read = world.services.metrics.read

    def fail_once(*given: Any, **named: Any) -> Any:
        for failure in failures:
            raise failure
        return read(*given, **named)

    monkeypatch.setattr(world.services.metrics, "read", fail_once)
    world.evaluation.evaluate_due()
    assert "alarm errors could not be evaluated" in caplog.text
    assert world.state("others")[0] == "ALARM"
    assert world.state("errors")[0] == "INSUFFICIENT_DATA"
    world.now += 60
    world.value(1, 9.0)
    assert world.state("errors")[0] == "ALARM"
