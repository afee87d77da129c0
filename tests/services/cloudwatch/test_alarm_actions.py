"""Actions of alarms: what topics and functions are sent, and what the history of the alarm has of it."""

import json
from typing import Any

import pytest

from samebox.resources.query import Query
from samebox.resources.store import Resource
from samebox.services.cloudwatch import alarm_actions, alarm_record
from samebox.services.cloudwatch.alarm_actions import AlarmActions
from samebox.services.events.delivery import DeliveryFailed, nowhere
from tests.conftest import ACCOUNT, REGION, Aws
from tests.services.cloudwatch.test_alarms import ALARM, ON_QUERIES, QUERIES

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:page"


def gone_off(aws: Aws, **members: Any) -> Resource:
    """An alarm that is in ALARM, as it is stored."""
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(**members)
    cloudwatch.set_alarm_state(AlarmName=members["AlarmName"], StateValue="ALARM", StateReason="fire drill")
    (row,) = aws.resources.store.find(Query(alarm_record.NOUN))
    return row


def history(aws: Aws) -> list[dict[str, Any]]:
    found = aws.client("cloudwatch").describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]
    return [dict(one) for one in found]


def test_a_topic_gets_what_aws_sends_it(aws: Aws) -> None:
    dimensions = [{"Name": "EndpointName", "Value": "digits"}]
    row = gone_off(aws, **ALARM, AlarmActions=[TOPIC], AlarmDescription="d", Dimensions=dimensions, DatapointsToAlarm=1)
    sent = alarm_actions.message(row, TOPIC, {})
    assert sent.subject == 'ALARM: "errors" in US East (N. Virginia)'
    document = json.loads(sent.body)
    times = [document.pop(name) for name in ("AlarmConfigurationUpdatedTimestamp", "StateChangeTime")]
    assert all(time.endswith("+0000") for time in times)
    # The members of a message of September 2025, in a public log.
    assert document == {
        "AlarmName": "errors",
        "AlarmDescription": "d",
        "AWSAccountId": ACCOUNT,
        "NewStateValue": "ALARM",
        "NewStateReason": "fire drill",
        "Region": "US East (N. Virginia)",
        "AlarmArn": row.arn,
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [],
        "AlarmActions": [TOPIC],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "errors",
            "Namespace": "Shop",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [{"value": "digits", "name": "EndpointName"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 5.0,
            "TreatMissingData": "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def test_the_trigger_of_an_expression_has_its_queries(aws: Aws) -> None:
    row = gone_off(aws, **ON_QUERIES, AlarmActions=[TOPIC])
    document = json.loads(alarm_actions.message(row, TOPIC, {}).body)
    assert document["AlarmDescription"] is None
    trigger = document["Trigger"]
    assert "MetricName" not in trigger
    assert [(one["Id"], one["ReturnData"]) for one in trigger["Metrics"]] == [("e", True), ("m", False)]
    assert trigger["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"] == []
    assert (trigger["Metrics"][0]["Expression"], trigger["Period"]) == (QUERIES[0]["Expression"], 60)


@pytest.mark.parametrize(
    ("members", "statistic"),
    [
        ({**ALARM, "Statistic": "SampleCount"}, {"StatisticType": "Statistic", "Statistic": "SAMPLE_COUNT"}),
        (
            {key: value for key, value in ALARM.items() if key != "Statistic"} | {"ExtendedStatistic": "p90"},
            {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": "p90"},
        ),
    ],
)
def test_the_trigger_names_its_statistic(aws: Aws, members: dict[str, Any], statistic: dict[str, str]) -> None:
    trigger = json.loads(alarm_actions.message(gone_off(aws, **members), TOPIC, {}).body)["Trigger"]
    assert {name: trigger[name] for name in statistic} == statistic


def test_a_function_gets_the_alarm_s_data(aws: Aws) -> None:
    row = gone_off(aws, **ALARM, AlarmActions=[FUNCTION])
    sent = alarm_actions.message(row, FUNCTION, {"alarmName": "errors"})
    document = json.loads(sent.body)
    assert document.pop("time").endswith("+0000")
    assert (sent.subject, document) == ("", {
        "source": "aws.cloudwatch", "alarmArn": row.arn, "accountId": ACCOUNT, "region": REGION,
        "alarmData": {"alarmName": "errors"},
    })  # fmt: skip


def test_a_subject_is_of_bounded_ascii(aws: Aws) -> None:
    subject = alarm_actions.message(gone_off(aws, **{**ALARM, "AlarmName": "Überwachung " * 12}), TOPIC, {}).subject
    assert (len(subject), subject.isascii(), subject[:20]) == (100, True, 'ALARM: "?berwachung ')
    assert subject.endswith('" in US East (N. Virginia)')


def test_what_was_carried_out_is_in_the_history(aws: Aws) -> None:
    row = gone_off(aws, **ALARM, AlarmActions=[TOPIC])
    sent: list[str] = []
    actions = AlarmActions(aws.resources.store, lambda arn, _payload, _subject="": sent.append(arn), lambda: 1.0)
    actions.carry_out(row, {})
    assert sent == [TOPIC]
    (item,) = history(aws)
    assert item["HistorySummary"] == f"Successfully executed action {TOPIC}"
    assert json.loads(item["HistoryData"])["actionState"] == "Succeeded"


def test_without_localstack_the_history_names_the_switch(aws: Aws) -> None:
    AlarmActions(aws.resources.store, nowhere, lambda: 1.0).carry_out(gone_off(aws, **ALARM, AlarmActions=[TOPIC]), {})
    (item,) = history(aws)
    error = "samebox has no sns; `samebox up --localstack` starts one that has"
    assert item["HistorySummary"] == f'Failed to execute action {TOPIC}. Received error: "{error}"'
    assert json.loads(item["HistoryData"]) == {
        **json.loads(item["HistoryData"]),
        "actionState": "Failed", "notificationResource": TOPIC, "error": error,
    }  # fmt: skip


def test_other_actions_are_not_carried_out(aws: Aws) -> None:
    stop = f"arn:aws:automate:{REGION}:ec2:stop"
    with pytest.raises(DeliveryFailed, match="none of automate"):
        alarm_actions.message(gone_off(aws, **ALARM, AlarmActions=[stop]), stop, {})
