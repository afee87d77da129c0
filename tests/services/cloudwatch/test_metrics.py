"""CloudWatch through boto3: what is published is read by period, statistic and unit, in each protocol that it has."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, Aws

SPACE = "Shop"
SIZE = [{"Name": "Size", "Value": "big"}]


@pytest.fixture
def cloudwatch(aws: Aws) -> Any:
    return aws.client("cloudwatch")


def start(aws: Aws) -> float:
    """A whole minute some time ago."""
    return aws.clock.now // 60 * 60 - 3600


def put(cloudwatch: Any, *data: dict[str, Any], name: str = "Orders") -> None:
    cloudwatch.put_metric_data(Namespace=SPACE, MetricData=[{"MetricName": name, **one} for one in data])


def statistics(cloudwatch: Any, begin: float, seconds: int, period: int = 60, **wanted: Any) -> list[dict[str, Any]]:
    asked = {"Namespace": SPACE, "MetricName": "Orders", "Statistics": ["Sum"], **wanted}
    found = cloudwatch.get_metric_statistics(StartTime=begin, EndTime=begin + seconds, Period=period, **asked)
    assert found["Label"] == "Orders"
    points: list[dict[str, Any]] = found["Datapoints"]
    return points


def query(identity: str = "m", stat: str = "Sum", period: int = 60, **wanted: Any) -> dict[str, Any]:
    metric = {"Namespace": SPACE, "MetricName": "Orders", **wanted}
    return {"Id": identity, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_statistics_are_those_of_the_values(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws)
    put(
        cloudwatch,
        {"Timestamp": begin + 1, "Value": 4.0},
        {"Timestamp": begin + 2, "Values": [1.0, 3.0], "Counts": [2, 1]},
        {"Timestamp": begin + 61, "Value": 10.0},
    )
    usual: Any = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]
    first, second = statistics(cloudwatch, begin, 120, Statistics=usual, ExtendedStatistics=["p50", "p100"])
    assert first.pop("ExtendedStatistics") == {"p50": pytest.approx(1.0, rel=0.01), "p100": 4.0}
    assert first == {
        "Timestamp": datetime.fromtimestamp(begin, UTC),
        "SampleCount": 4.0, "Average": 2.25, "Sum": 9.0, "Minimum": 1.0, "Maximum": 4.0, "Unit": "None",
    }  # fmt: skip
    assert (second["Timestamp"], second["Sum"]) == (datetime.fromtimestamp(begin + 60, UTC), 10.0)
    assert [point["Sum"] for point in statistics(cloudwatch, begin, 120, 120)] == [19.0]


def test_sums_are_added_and_have_no_percentiles(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws)
    sums = {"SampleCount": 3.0, "Sum": 6.0, "Minimum": 1.0, "Maximum": 3.0}
    put(cloudwatch, {"Timestamp": begin, "StatisticValues": sums}, {"Timestamp": begin, "Value": 4.0})
    (point,) = statistics(cloudwatch, begin, 60, Statistics=["Average"], ExtendedStatistics=["p90"])
    assert point == {"Timestamp": datetime.fromtimestamp(begin, UTC), "Average": 2.5, "Unit": "None"}


def test_dimensions_are_all_or_another_metric(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws)
    put(cloudwatch, {"Timestamp": begin, "Value": 1.0}, {"Timestamp": begin, "Value": 2.0, "Dimensions": SIZE})
    assert [point["Sum"] for point in statistics(cloudwatch, begin, 60)] == [1.0]
    assert [point["Sum"] for point in statistics(cloudwatch, begin, 60, Dimensions=SIZE)] == [2.0]


def test_units_are_apart_in_statistics_and_one_in_data(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws)
    put(cloudwatch, {"Timestamp": begin, "Value": 1.0, "Unit": "Bytes"}, {"Timestamp": begin, "Value": 2.0})
    assert {point["Unit"]: point["Sum"] for point in statistics(cloudwatch, begin, 60)} == {"Bytes": 1.0, "None": 2.0}
    assert [point["Sum"] for point in statistics(cloudwatch, begin, 60, Unit="Bytes")] == [1.0]
    found: Any = cloudwatch.get_metric_data(MetricDataQueries=[query()], StartTime=begin, EndTime=begin + 60)
    assert found["MetricDataResults"][0]["Values"] == [3.0]


def test_values_by_second_have_short_periods(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws)
    put(cloudwatch, *({"Timestamp": begin + at, "Value": 1.0, "StorageResolution": 1} for at in (0, 1, 7)))
    put(cloudwatch, {"Timestamp": begin, "Value": 5.0})
    assert [point["Sum"] for point in statistics(cloudwatch, begin, 60, 5)] == [2.0, 1.0]
    assert [point["Sum"] for point in statistics(cloudwatch, begin, 60)] == [8.0]


def test_data_comes_newest_first_and_in_pages(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws)
    put(cloudwatch, *({"Timestamp": begin + 60 * minute, "Value": float(minute)} for minute in range(5)))
    asked: Any = {
        "MetricDataQueries": [query("a"), query("b", "Maximum", 120), {**query("hidden"), "ReturnData": False}],
        "StartTime": begin,
        "EndTime": begin + 300,
    }
    whole: Any = cloudwatch.get_metric_data(**asked)
    assert [(one["Id"], one["Label"], one["Values"]) for one in whole["MetricDataResults"]] == [
        ("a", "Orders", [4.0, 3.0, 2.0, 1.0, 0.0]),
        ("b", "Orders", [4.0, 3.0, 1.0]),
    ]
    pages = list(
        cloudwatch.get_paginator("get_metric_data").paginate(**asked, MaxDatapoints=2, ScanBy="TimestampAscending")
    )
    found: dict[str, list[float]] = {"a": [], "b": []}
    for page in pages:
        assert sum(len(one["Values"]) for one in page["MetricDataResults"]) <= 2
        for one in page["MetricDataResults"]:
            assert len(one["Values"]) == len(one["Timestamps"])
            found[one["Id"]] += one["Values"]
    assert found == {"a": [0.0, 1.0, 2.0, 3.0, 4.0], "b": [1.0, 3.0, 4.0]}


def test_metrics_are_listed_by_what_they_are(aws: Aws, cloudwatch: Any) -> None:
    begin = start(aws) - 4 * 3600
    put(cloudwatch, {"Timestamp": begin, "Value": 1.0, "Dimensions": SIZE}, {"Timestamp": begin, "Value": 1.0})
    put(cloudwatch, {"Value": 1.0, "Unit": "Bytes"}, {"Value": 1.0}, name="New")

    def listed(**wanted: Any) -> list[tuple[str, int]]:
        return [(one["MetricName"], len(one["Dimensions"])) for one in cloudwatch.list_metrics(**wanted)["Metrics"]]

    assert listed() == [("New", 0), ("Orders", 0), ("Orders", 1)]
    assert listed(Dimensions=[{"Name": "Size"}]) == listed(Dimensions=SIZE) == [("Orders", 1)]
    assert listed(MetricName="New") == listed(RecentlyActive="PT3H") == [("New", 0)]
    assert listed(Namespace="Elsewhere") == []


def test_all_metrics_are_listed_in_pages(cloudwatch: Any) -> None:
    for first in range(0, 1200, 100):
        data: Any = [{"MetricName": f"m-{number:04}", "Value": 1.0} for number in range(first, first + 100)]
        cloudwatch.put_metric_data(Namespace=SPACE, MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate())
    assert [len(page["Metrics"]) for page in pages] == [500, 500, 200]
    assert len({one["MetricName"] for page in pages for one in page["Metrics"]}) == 1200


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": 1.0}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": 4e9}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 5}, "InvalidParameterValue"),
        ({"Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue"),
    ],
)
def test_a_datum_that_is_none_is_refused_with_all_others(cloudwatch: Any, datum: dict[str, Any], code: str) -> None:
    data = [{"MetricName": "Orders", "Value": 1.0}, {"MetricName": "Orders", **datum}]
    found = error_of(cloudwatch.put_metric_data, Namespace=SPACE, MetricData=data)
    assert (found[0], "MetricData.member.2" in found[1]) == (code, True)
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_a_namespace_of_aws_is_not_written_to(cloudwatch: Any) -> None:
    data: Any = [{"MetricName": "Invocations", "Value": 1.0}]
    assert error_of(cloudwatch.put_metric_data, Namespace="AWS/SageMaker", MetricData=data) == (
        "InvalidParameterValue",
        "The value AWS/SageMaker for parameter Namespace is invalid.",
    )


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"Statistics": []}, "MissingParameter"),
        ({"Period": 61}, "InvalidParameterValue"),
        ({"EndTime": 1_600_000_000}, "InvalidParameterValue"),
        ({"EndTime": 1_700_000_000, "Period": 60}, "InvalidParameterCombination"),
        ({"ExtendedStatistics": ["p101"]}, "InvalidParameterValue"),
        ({"ExtendedStatistics": ["tm99"]}, "NotImplemented"),
    ],
)
def test_what_cannot_be_read_is_refused(cloudwatch: Any, wanted: dict[str, Any], code: str) -> None:
    asked = {"Namespace": SPACE, "MetricName": "Orders", "Statistics": ["Sum"], "Period": 60, **wanted}
    asked = {"StartTime": 1_600_000_000, "EndTime": 1_600_000_060, **asked}
    asked = {name: value for name, value in asked.items() if value != []}
    assert error_of(cloudwatch.get_metric_statistics, **asked)[0] == code


@pytest.mark.parametrize(
    ("queries", "code"),
    [
        ([{**query(), "Id": "Upper"}], "InvalidParameterValue"),
        ([query(), query()], "InvalidParameterValue"),
        ([{"Id": "a"}], "ValidationError"),
        ([query(stat="IQM")], "NotImplemented"),
    ],
)
def test_a_query_that_cannot_be_run_is_refused(cloudwatch: Any, queries: list[dict[str, Any]], code: str) -> None:
    asked = {"MetricDataQueries": queries, "StartTime": 1_600_000_000, "EndTime": 1_600_000_060}
    assert error_of(cloudwatch.get_metric_data, **asked)[0] == code


@pytest.mark.parametrize("token", ["x", "e30=", "\u00fc"])
def test_a_token_that_is_none_is_refused(cloudwatch: Any, token: str) -> None:
    assert error_of(cloudwatch.list_metrics, NextToken=token)[0] == "InvalidNextToken"


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_clients_of_each_protocol_write_and_read(aws: Aws, monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    session: Any = botocore.session.get_session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def of_one_protocol(service: str, kind: str, api_version: str | None = None) -> Any:
        model = load(service, kind, api_version)
        spoken = {"protocol": protocol, "protocols": [protocol]}
        return {**model, "metadata": {**model["metadata"], **spoken}} if kind == "service-2" else model

    monkeypatch.setattr(loader, "load_service_model", of_one_protocol)
    client = session.create_client(
        "cloudwatch", "us-east-1", endpoint_url=aws.url, aws_access_key_id=ACCOUNT, aws_secret_access_key="x"
    )
    sent: list[str] = []
    client.meta.events.register("before-send", lambda request, **_: sent.append(request.url))
    begin = start(aws)
    put(client, {"Timestamp": begin, "Value": 0.1 + 0.2, "Dimensions": SIZE, "Unit": "Count/Second"})
    (point,) = statistics(client, begin, 60, Dimensions=SIZE, ExtendedStatistics=["p50"])
    assert point == {
        "Timestamp": point["Timestamp"],
        "Sum": 0.1 + 0.2,
        "Unit": "Count/Second",
        "ExtendedStatistics": {"p50": 0.1 + 0.2},
    }
    assert point["Timestamp"].timestamp() == begin
    assert error_of(client.list_metrics, NextToken="x")[0] == "InvalidNextToken"
    assert sent[0].endswith("/operation/PutMetricData") == (protocol == "smithy-rpc-v2-cbor")


def test_a_large_request_is_compressed_by_its_client(cloudwatch: Any) -> None:
    """boto3 packs bodies of more than 10 KB with gzip, and signs what it packed."""
    sent: list[Any] = []
    cloudwatch.meta.events.register("before-send", lambda request, **_: sent.append(request.headers))
    data: Any = [{"MetricName": f"m-{number:04}", "Value": 1.0} for number in range(500)]
    cloudwatch.put_metric_data(Namespace=SPACE, MetricData=data)
    assert sent[0]["Content-Encoding"] in ("gzip", b"gzip")
    assert len(cloudwatch.list_metrics()["Metrics"]) == 500
