"""Probes of CloudWatch's alarms."""

from collections.abc import Mapping

from tests.conftest import ACCOUNT, REGION
from tests.laws.probes.values import LATE
from tests.laws.probing import Params, Probe

_DIMENSIONS = [{"Name": "a", "Value": "b"}]
_METRIC = {"Namespace": "$", "MetricName": "orders", "Dimensions": _DIMENSIONS}
_OTHER_METRIC = {"Namespace": "nowhere", "MetricName": "nowhere", "Dimensions[].Name": "n", "Dimensions[].Value": "v"}
_ALARM: Params = {
    "AlarmName": "$",
    "Namespace": "$",
    "MetricName": "orders",
    "Dimensions": _DIMENSIONS,
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
_OF_ALARM = ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["$"]})
_ALARM_ARN = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:$"
_TAGS_OF_ALARM = ("cloudwatch", "ListTagsForResource", {"ResourceARN": _ALARM_ARN})
_CONFIGURED = ("cloudwatch", "DescribeAlarmHistory", {"AlarmName": "$", "HistoryItemType": "ConfigurationUpdate"})
_ON_QUERIES = {
    **dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period")),
    "Metrics": [{"Id": "a", "MetricStat": {"Metric": _METRIC, "Period": 60, "Stat": "Sum"}}],
}
_ON_EXPRESSION = {"Metrics": [{"Id": "e", "Expression": "TIME_SERIES(1)"}]}
_WATCHED = ("cloudwatch", "PutMetricAlarm", _ALARM)
_STATED = (
    "cloudwatch",
    "SetAlarmState",
    {"AlarmName": "$", "StateValue": "ALARM", "StateReason": "test", "StateReasonData": "{}"},
)

ALARMS: Mapping[str, Probe] = {
    "PutMetricAlarm": Probe(
        {**_ALARM, "DatapointsToAlarm": 2},
        after=(_OF_ALARM, _CONFIGURED, _TAGS_OF_ALARM),
        besides={
            "Tags": {"Tags": [{"Key": "a", "Value": "b"}]},
            "Metrics": _ON_QUERIES,
            "Metrics[].Expression": {**_ON_QUERIES, **_ON_EXPRESSION},
            "Metrics[].Period": {**_ON_QUERIES, **_ON_EXPRESSION},
            "ExtendedStatistic": {"Statistic": None, "ExtendedStatistic": "p50"},
        },
        values={
            **_OTHER_METRIC,
            **{f"Metrics[].MetricStat.Metric.{name}": value for name, value in _OTHER_METRIC.items()},
            "Metrics[].MetricStat.Period": 120,
            "Metrics[].MetricStat.Stat": "Maximum",
            "Metrics[].Id": "b",
            "Metrics[].Expression": "TIME_SERIES(3)",
            "Metrics[].Period": 120,
            "Metrics[].ReturnData": False,
            "ExtendedStatistic": "p90",
            "Period": 120,
            "DatapointsToAlarm": 1,
            "TreatMissingData": "breaching",
            "EvaluateLowSampleCountPercentile": "ignore",
            "ActionsEnabled": False,
            "EvaluationWindow": {"SlidingWindow": {}},
        },
    ),
    "DescribeAlarms": Probe(
        {"AlarmNamePrefix": "$"},
        (_WATCHED, ("cloudwatch", "PutMetricAlarm", {**_ALARM, "AlarmName": "$-2", "AlarmActions": ["arn:aws:sns:x"]})),
        makes=False,
        values={
            "AlarmNames[]": "$",
            "AlarmNamePrefix": "$-2",
            "AlarmTypes": ["CompositeAlarm"],
            "AlarmTypes[]": "CompositeAlarm",
            "StateValue": "OK",
            "ActionPrefix": "arn:aws:sns",
            "MaxRecords": 1,
            "NextToken": "MQ==",
        },
        besides={"AlarmNames": {"AlarmNamePrefix": None}},
    ),
    "DescribeAlarmsForMetric": Probe(
        {name: _ALARM[name] for name in ("Namespace", "MetricName", "Dimensions")},
        (_WATCHED,),
        makes=False,
        values={**_OTHER_METRIC, "ExtendedStatistic": "p90", "Statistic": "Maximum", "Period": 120, "Unit": "Bytes"},
    ),
    "DeleteAlarms": Probe({"AlarmNames": ["$"]}, (_WATCHED,), after=(_OF_ALARM,), values={"AlarmNames[]": "nowhere"}),
    "SetAlarmState": Probe(
        {"AlarmName": "$", "StateValue": "ALARM", "StateReason": "test"},
        (_WATCHED,),
        after=(
            ("cloudwatch", "DescribeAlarmHistory", {"AlarmName": "$", "ScanBy": "TimestampAscending", "MaxRecords": 2}),
        ),
        values={"AlarmName": "nowhere", "StateReasonData": "{}"},
    ),
    "EnableAlarmActions": Probe(
        {"AlarmNames": ["$"]},
        (("cloudwatch", "PutMetricAlarm", {**_ALARM, "ActionsEnabled": False}),),
        after=(_OF_ALARM,),
        values={"AlarmNames[]": "nowhere"},
    ),
    "DisableAlarmActions": Probe(
        {"AlarmNames": ["$"]}, (_WATCHED,), after=(_OF_ALARM,), values={"AlarmNames[]": "nowhere"}
    ),
    "DescribeAlarmHistory": Probe(
        {"AlarmName": "$"},
        (_WATCHED, _STATED),
        makes=False,
        values={
            "AlarmName": "nowhere",
            "AlarmTypes": ["CompositeAlarm"],
            "AlarmTypes[]": "CompositeAlarm",
            "HistoryItemType": "ConfigurationUpdate",
            "StartDate": LATE,
            "EndDate": 1.0,
            "MaxRecords": 1,
            "NextToken": "MQ==",
            "ScanBy": "TimestampAscending",
        },
    ),
    "TagResource": Probe(
        {"ResourceARN": _ALARM_ARN, "Tags": [{"Key": "a", "Value": "b"}]},
        (_WATCHED,),
        after=(_TAGS_OF_ALARM,),
        values={"ResourceARN": "arn:aws:cloudwatch:nowhere"},
    ),
    "UntagResource": Probe(
        {"ResourceARN": _ALARM_ARN, "TagKeys": ["a"]},
        (("cloudwatch", "PutMetricAlarm", {**_ALARM, "Tags": [{"Key": "a", "Value": "b"}]}),),
        after=(_TAGS_OF_ALARM,),
        values={"ResourceARN": "arn:aws:cloudwatch:nowhere"},
    ),
    "ListTagsForResource": Probe(
        {"ResourceARN": _ALARM_ARN}, (_WATCHED,), makes=False, values={"ResourceARN": "arn:aws:cloudwatch:nowhere"}
    ),
}
