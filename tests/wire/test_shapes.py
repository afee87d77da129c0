"""Types are refused before constraints are looked at; what the model does not know is let pass."""

from datetime import UTC, datetime
from typing import Any

import pytest

from samebox.errors import SerializationException
from samebox.wire.models import Models
from samebox.wire.schema import Shape
from samebox.wire.shapes import accept, parse, project, read_timestamp, to_json, write_timestamp

SERVICE = Models().service("sagemaker")
CREATE = SERVICE.shapes["CreateTrainingJobRequest"]


def test_unknown_and_null_members_are_absent() -> None:
    assert parse(CREATE, {"TrainingJobName": "a", "Nonsense": [1], "RoleArn": None}) == {"TrainingJobName": "a"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"TrainingJobName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"TrainingJobName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"TrainingJobName": {}}, "Start of structure or map found where not expected"),
        ({"TrainingJobName": []}, "Start of list found where not expected"),
        ({"HyperParameters": {"epochs": 5}}, "NUMBER_VALUE can not be converted to a String"),
        ({"HyperParameters": "epochs"}, "Expected map or null"),
        ({"Tags": "a"}, "Expected list or null"),
        ({"ResourceConfig": "a"}, "Unexpected value type in payload"),
        ({"ResourceConfig": {"InstanceCount": "1"}}, "STRING_VALUE can not be converted to an Integer"),
        ({"ResourceConfig": {"InstanceCount": 1.5}}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"ResourceConfig": {"InstanceCount": 2**31}}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"EnableNetworkIsolation": "true"}, "STRING_VALUE can not be converted to a Boolean"),
        ({"TrainingJobName": "\ud800"}, "Invalid UTF-16 surrogate in a string"),
        ([], "Start of list found where not expected"),
    ],
)
def test_a_wrong_type_is_a_serialization_exception(body: Any, words: str) -> None:
    with pytest.raises(SerializationException, match=words):
        parse(CREATE, body)


def test_an_integer_may_be_written_with_a_point() -> None:
    assert parse(CREATE, {"ResourceConfig": {"InstanceCount": 1.0}}) == {"ResourceConfig": {"InstanceCount": 1}}


def timestamp_of(shape: Shape) -> Shape:
    return next(member.shape for member in shape.members.values() if member.shape.type == "timestamp")


@pytest.mark.parametrize("value", ["2026-11-22T00:00:00Z", 1e300, True, float("1e16")])
def test_a_timestamp_is_a_number_within_the_calendar(value: Any) -> None:
    shape = timestamp_of(SERVICE.shapes["ListTrainingJobsRequest"])
    with pytest.raises(SerializationException, match="can not be converted to"):
        parse(shape, value)


def test_in_process_a_datetime_will_do() -> None:
    listing = SERVICE.shapes["ListTrainingJobsRequest"]
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    assert accept(listing, {"CreationTimeAfter": moment}) == {"CreationTimeAfter": moment.timestamp()}


def test_a_projection_keeps_what_the_shape_knows() -> None:
    describe = SERVICE.shapes["DescribeTrainingJobResponse"]
    row = {
        "TrainingJobName": "a",
        "Tags": [{"Key": "k", "Value": "v"}],
        "FailureReason": None,
        "CreationTime": datetime(2026, 11, 22, tzinfo=UTC),
        "ResourceConfig": {"InstanceType": "ml.m5.large", "ours": 1},
    }
    assert project(describe, row) == {
        "TrainingJobName": "a",
        "CreationTime": 1795305600.0,
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
    }


def test_a_timestamp_goes_out_in_milliseconds() -> None:
    describe = SERVICE.shapes["DescribeTrainingJobResponse"]
    assert to_json(describe, {"CreationTime": 1700000000.123456}) == {"CreationTime": 1700000000.123}


@pytest.mark.parametrize("form", ["iso8601", "rfc822", "unixTimestamp"])
def test_a_timestamp_is_read_as_it_was_written(form: str) -> None:
    assert read_timestamp(write_timestamp(1700000000.0, form)) == 1700000000.0


def test_the_first_years_have_four_digits_too() -> None:
    assert write_timestamp(-62135596800.0, "iso8601") == "0001-01-01T00:00:00Z"
