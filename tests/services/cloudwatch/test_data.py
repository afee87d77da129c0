"""GetMetricData with expressions, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws

SPACE = "Shop"


@pytest.fixture
def cloudwatch(aws: Aws) -> Any:
    return aws.client("cloudwatch")


@pytest.fixture
def begin(aws: Aws, cloudwatch: Any) -> float:
    """A whole minute; from there on, four minutes have 1, 2, 3, 4 errors of 10 requests each."""
    first = aws.clock.now // 60 * 60 - 3600
    for minute in range(4):
        for name, value in (("errors", minute + 1.0), ("requests", 10.0)):
            data: Any = [{"MetricName": name, "Value": value, "Timestamp": first + 60 * minute}]
            cloudwatch.put_metric_data(Namespace=SPACE, MetricData=data)
    return first


def metric(name: str, period: int = 60, **more: Any) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": SPACE, "MetricName": name}, "Period": period, "Stat": "Sum"}
    return {"Id": name, "MetricStat": stat, "ReturnData": False, **more}


def ask(cloudwatch: Any, begin: float, *queries: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    asked = {"StartTime": begin, "EndTime": begin + 240, "ScanBy": "TimestampAscending", **more}
    results: list[dict[str, Any]] = cloudwatch.get_metric_data(MetricDataQueries=queries, **asked)["MetricDataResults"]
    return results


def test_an_expression_over_metrics_and_one_over_it(cloudwatch: Any, begin: float) -> None:
    first, second = ask(
        cloudwatch,
        begin,
        {"Id": "twice", "Expression": "rate * 2", "Label": "Twice"},
        metric("errors"),
        {"Id": "rate", "Expression": "100 * errors / requests"},
        metric("requests"),
    )
    assert (first["Id"], first["Label"], first["Values"]) == ("twice", "Twice", [20.0, 40.0, 60.0, 80.0])
    assert (second["Id"], second["Label"], second["StatusCode"]) == ("rate", "rate", "Complete")
    assert second["Values"] == [10.0, 20.0, 30.0, 40.0]
    assert len(second["Timestamps"]) == 4


def test_an_expression_with_several_results(cloudwatch: Any, begin: float) -> None:
    queries = [
        metric("errors"),
        metric("requests", Label="Requests"),
        {"Id": "e", "Expression": "METRICS() / 2", "Label": "Half"},
    ]
    found = ask(cloudwatch, begin, *queries)
    assert [(one["Id"], one["Label"], one["Values"][0]) for one in found] == [
        ("e", "Half errors", 0.5),
        ("e", "Half Requests", 5.0),
    ]


def test_an_expression_without_metrics_has_a_period_of_its_own(cloudwatch: Any, begin: float) -> None:
    (found,) = ask(cloudwatch, begin, {"Id": "e", "Expression": "TIME_SERIES(3)", "Period": 120})
    assert found["Values"] == [3.0, 3.0]


def test_expressions_are_paged_with_metrics(cloudwatch: Any, begin: float) -> None:
    queries = [metric("errors", ReturnData=True), {"Id": "e", "Expression": "errors + 1"}]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=begin, EndTime=begin + 240, MaxDatapoints=3, ScanBy="TimestampAscending"
    )
    found: dict[str, list[float]] = {"errors": [], "e": []}
    for page in pages:
        for one in page["MetricDataResults"]:
            found[one["Id"]] += one["Values"]
    assert found == {"errors": [1.0, 2.0, 3.0, 4.0], "e": [2.0, 3.0, 4.0, 5.0]}


@pytest.mark.parametrize(
    ("expression", "code", "message"),
    [
        ("errors +", "ValidationError", "Error in expression 'e': Expected a value, found the end."),
        ("nowhere", "ValidationError", "Error in expression 'e': Undefined id 'nowhere'."),
        ("e + 1", "ValidationError", "Error in expression 'e': The expression refers to itself."),
        ("other * 2", "ValidationError", "Error in expression 'e': The expression refers to itself."),
        ("SUM(errors)", "ValidationError", "Error in expression 'e': The expression returns a scalar"),
        ("ABS(1)", "ValidationError", "Error in expression 'e': ABS takes a time series."),
        ("ANOMALY_DETECTION_BAND(errors)", "NotImplemented", "ANOMALY_DETECTION_BAND"),
        ('SELECT SUM(errors) FROM "Shop"', "NotImplemented", "SELECT"),
    ],
)
def test_an_expression_that_is_wrong_is_named(
    cloudwatch: Any, begin: float, expression: str, code: str, message: str
) -> None:
    other = {"Id": "other", "Expression": "e * 2", "ReturnData": False}
    with pytest.raises(ClientError) as refused:
        ask(cloudwatch, begin, {"Id": "e", "Expression": expression}, metric("errors"), other)
    error = refused.value.response["Error"]
    assert (error["Code"], message in error["Message"]) == (code, True)


def test_an_expression_over_all_time_is_refused(cloudwatch: Any, begin: float) -> None:
    with pytest.raises(ClientError, match="at most 100,800 datapoints"):
        ask(cloudwatch, begin, {"Id": "e", "Expression": "TIME_SERIES(3)"}, StartTime=0)
