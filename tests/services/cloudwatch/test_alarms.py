"""Alarms through boto3: what is stored, listed, set and tagged."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Aws

ARN = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm"
ALARM: dict[str, Any] = {
    "AlarmName": "errors",
    "Namespace": "Shop",
    "MetricName": "errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
METRIC = {"Metric": {"Namespace": "Shop", "MetricName": "errors"}, "Period": 60, "Stat": "Sum"}
QUERIES: list[dict[str, Any]] = [
    {"Id": "e", "Expression": "m * 100"},
    {"Id": "m", "MetricStat": METRIC, "ReturnData": False},
]
OF_METRIC = ("Namespace", "MetricName", "Statistic", "Period")
ON_QUERIES: dict[str, Any] = {key: value for key, value in ALARM.items() if key not in OF_METRIC} | {"Metrics": QUERIES}


@pytest.fixture
def cloudwatch(aws: Aws) -> Any:
    return aws.client("cloudwatch")


def names(cloudwatch: Any, **wanted: Any) -> list[str]:
    pages = cloudwatch.get_paginator("describe_alarms").paginate(**wanted)
    return [one["AlarmName"] for page in pages for one in page["MetricAlarms"]]


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_new_alarm_has_too_little_data(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=["arn:aws:sns:us-east-1:1:topic"])
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert {key: alarm[key] for key in ALARM} == ALARM
    assert alarm["AlarmArn"] == f"{ARN}:errors"
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert (alarm["ActionsEnabled"], alarm["OKActions"]) == (True, [])
    assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:1:topic"]


def test_an_update_replaces_all_but_the_state(aws: Aws, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM, AlarmDescription="first")
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="test")
    aws.clock.now += 100
    cloudwatch.put_metric_alarm(**{**ALARM, "Threshold": 7.0})
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"], alarm["Threshold"]) == ("OK", "test", 7.0)
    assert "AlarmDescription" not in alarm
    assert alarm["AlarmConfigurationUpdatedTimestamp"] > alarm["StateUpdatedTimestamp"]


def test_alarms_are_found_by_what_they_are(cloudwatch: Any) -> None:
    for name, action in (("a1", "arn:aws:sns:x"), ("a2", "arn:aws:lambda:x"), ("b", "arn:aws:sns:y")):
        cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": name}, OKActions=[action])
    cloudwatch.set_alarm_state(AlarmName="a2", StateValue="ALARM", StateReason="test")
    assert names(cloudwatch) == ["a1", "a2", "b"]
    assert names(cloudwatch, AlarmNamePrefix="a") == ["a1", "a2"]
    assert names(cloudwatch, AlarmNames=["b", "nowhere"]) == ["b"]
    assert names(cloudwatch, StateValue="ALARM") == ["a2"]
    assert names(cloudwatch, ActionPrefix="arn:aws:sns") == ["a1", "b"]
    assert names(cloudwatch, AlarmTypes=["CompositeAlarm"]) == []
    assert names(cloudwatch, PaginationConfig={"PageSize": 1}) == ["a1", "a2", "b"]
    assert error_of(cloudwatch.describe_alarms, AlarmNames=["a"], AlarmNamePrefix="a")[0] == "ValidationError"


def test_alarms_on_a_metric(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM)
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "big"}, Dimensions=[{"Name": "Size", "Value": "big"}])
    cloudwatch.put_metric_alarm(**{**ON_QUERIES, "AlarmName": "math"})

    def found(**wanted: Any) -> list[str]:
        asked = {"Namespace": "Shop", "MetricName": "errors", **wanted}
        return [one["AlarmName"] for one in cloudwatch.describe_alarms_for_metric(**asked)["MetricAlarms"]]

    assert found() == found(Statistic="Sum", Period=60) == ["errors"]
    assert found(Dimensions=[{"Name": "Size", "Value": "big"}]) == ["big"]
    assert found(Period=120) == found(MetricName="other") == []


def test_a_state_that_is_set_is_in_the_history(aws: Aws, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM)
    cloudwatch.set_alarm_state(
        AlarmName="errors", StateValue="ALARM", StateReason="fire drill", StateReasonData='{"drill":1}'
    )
    changed, created = cloudwatch.describe_alarm_history(AlarmName="errors")["AlarmHistoryItems"]
    assert (created["HistoryItemType"], created["HistorySummary"]) == (
        "ConfigurationUpdate", 'Alarm "errors" created',
    )  # fmt: skip
    assert json.loads(created["HistoryData"])["createdAlarm"]["threshold"] == 5.0
    assert changed["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    data = json.loads(changed["HistoryData"])
    assert data["oldState"] == {
        "stateValue": "INSUFFICIENT_DATA", "stateReason": "Unchecked: Initial alarm creation",
    }  # fmt: skip
    assert data["newState"] == {
        "stateValue": "ALARM", "stateReason": "fire drill", "stateReasonData": {"drill": 1},
    }  # fmt: skip
    only = cloudwatch.describe_alarm_history(HistoryItemType="StateUpdate", MaxRecords=1)["AlarmHistoryItems"]
    assert [one["HistorySummary"] for one in only] == [changed["HistorySummary"]]
    ascending = cloudwatch.describe_alarm_history(ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert ascending[0] == created
    late = aws.clock.now + 1000
    assert cloudwatch.describe_alarm_history(StartDate=late)["AlarmHistoryItems"] == []
    assert cloudwatch.describe_alarm_history(AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"] == []


def test_actions_are_disabled_and_enabled(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM)
    cloudwatch.disable_alarm_actions(AlarmNames=["errors", "nowhere"])
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=["errors"])
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is True


def test_all_alarms_are_deleted_or_none(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM)
    assert error_of(cloudwatch.delete_alarms, AlarmNames=["errors", "nowhere"])[0] == "ResourceNotFound"
    assert names(cloudwatch) == ["errors"]
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    assert names(cloudwatch) == []


def test_tags(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM, Tags=[{"Key": "team", "Value": "a"}])
    arn = f"{ARN}:errors"
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "cost", "Value": "b"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "cost", "Value": "b"}]
    assert error_of(cloudwatch.list_tags_for_resource, ResourceARN=f"{ARN}:nowhere")[0] == "ResourceNotFoundException"


def test_an_alarm_of_another_region_is_another(aws: Aws, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**ALARM)
    elsewhere = aws.client("cloudwatch", region="eu-west-1")
    assert names(elsewhere) == []
    assert error_of(elsewhere.list_tags_for_resource, ResourceARN=f"{ARN}:errors")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {**ALARM, "DatapointsToAlarm": 2},
            "DatapointsToAlarm (2) must be less than or equal to EvaluationPeriods (1).",
        ),
        (
            {**ALARM, "EvaluationPeriods": 1441},
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        ),
        ({**ALARM, "TreatMissingData": "maybe"}, "Invalid TreatMissingData: maybe."),
        ({**ALARM, "EvaluateLowSampleCountPercentile": "maybe"}, "Invalid EvaluateLowSampleCountPercentile: maybe."),
        ({**ALARM, "ExtendedStatistic": "p9"}, "Exactly one of Statistic and ExtendedStatistic must be specified."),
        ({key: ALARM[key] for key in ALARM if key != "Period"}, "Period must be specified."),
        ({key: ALARM[key] for key in ALARM if key != "Threshold"}, "Threshold must be specified."),
        ({**ON_QUERIES, "Namespace": "Shop"}, "The parameters Metrics and Namespace are mutually exclusive."),
        (
            {**ON_QUERIES, "Metrics": [QUERIES[0], {**QUERIES[1], "ReturnData": True}]},
            "Exactly one element of the metrics list should return data.",
        ),
        ({**ON_QUERIES, "Metrics": [QUERIES[0]]}, "Error in expression 'e': Undefined id 'm'."),
        (
            {**ON_QUERIES, "Metrics": [*QUERIES, {**QUERIES[1], "Id": "n", "MetricStat": {**METRIC, "Period": 120}}]},
            "All metrics of the metrics list must have the same period.",
        ),
        (
            {**ON_QUERIES, "Metrics": [QUERIES[0], *({**QUERIES[1], "Id": f"m{n or ''}"} for n in range(11))]},
            "The metrics list has more than 10 metrics.",
        ),
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(cloudwatch: Any, params: dict[str, Any], message: str) -> None:
    code, text = error_of(cloudwatch.put_metric_alarm, **params)
    assert code == "ValidationError"
    assert text.startswith(message)


def test_a_state_needs_an_alarm_and_json(cloudwatch: Any) -> None:
    asked = {"AlarmName": "errors", "StateValue": "OK", "StateReason": "test"}
    assert error_of(cloudwatch.set_alarm_state, **asked)[0] == "ResourceNotFound"
    cloudwatch.put_metric_alarm(**ALARM)
    assert error_of(cloudwatch.set_alarm_state, **asked, StateReasonData="{")[0] == "InvalidFormat"


def test_what_alarms_are_not_is_refused_by_name(cloudwatch: Any) -> None:
    band = {**ALARM, "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"}
    assert error_of(cloudwatch.put_metric_alarm, **band)[0] == "NotImplemented"
    assert error_of(cloudwatch.put_composite_alarm, AlarmName="all", AlarmRule='ALARM("errors")')[0] == "NotImplemented"
