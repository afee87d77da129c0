"""Rules, targets and buses through boto3, and PutEvents as far as its answer."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Aws

ARN = f"arn:aws:events:{REGION}:{ACCOUNT}"
PATTERN = json.dumps({"source": ["shop"]})
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/shop"


@pytest.fixture
def events(aws: Aws) -> Any:
    return aws.client("events")


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_rule_is_made_shown_and_changed(events: Any) -> None:
    assert events.put_rule(Name="r", EventPattern=PATTERN, Description="d")["RuleArn"] == f"{ARN}:rule/r"
    found = events.describe_rule(Name="r")
    found.pop("ResponseMetadata")
    assert found == {
        "Name": "r", "Arn": f"{ARN}:rule/r", "EventPattern": PATTERN, "State": "ENABLED", "Description": "d",
        "EventBusName": "default", "CreatedBy": ACCOUNT,
    }  # fmt: skip
    events.disable_rule(Name="r")
    assert events.describe_rule(Name="r")["State"] == "DISABLED"
    events.enable_rule(Name="r")
    assert events.describe_rule(Name="r")["State"] == "ENABLED"
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)", State="DISABLED")
    changed = events.describe_rule(Name="r")
    assert (changed["ScheduleExpression"], changed["State"]) == ("rate(5 minutes)", "DISABLED")
    assert "EventPattern" not in changed
    assert "Description" not in changed


def test_rules_are_those_of_their_bus(events: Any) -> None:
    assert events.create_event_bus(Name="b")["EventBusArn"] == f"{ARN}:event-bus/b"
    for bus in ("default", "b", f"{ARN}:event-bus/b"):
        events.put_rule(Name=f"on-{bus[-1]}", EventPattern=PATTERN, EventBusName=bus)
    assert [one["Name"] for one in events.list_rules()["Rules"]] == ["on-t"]
    (rule,) = events.list_rules(EventBusName="b")["Rules"]
    assert (rule["Arn"], rule["EventBusName"]) == (f"{ARN}:rule/b/on-b", "b")
    assert events.list_rules(NamePrefix="x")["Rules"] == []
    words = "ScheduleExpression is supported only on the default event bus."
    on_bus = {"Name": "x", "EventBusName": "b", "ScheduleExpression": "rate(1 day)"}
    assert error_of(events.put_rule, **on_bus) == ("ValidationException", words)


def test_lists_are_paged(events: Any) -> None:
    for number in range(5):
        events.put_rule(Name=f"r{number}", EventPattern=PATTERN)
    first = events.list_rules(Limit=2)
    second = events.list_rules(Limit=2, NextToken=first["NextToken"])
    assert [one["Name"] for one in (*first["Rules"], *second["Rules"])] == ["r0", "r1", "r2", "r3"]
    assert error_of(events.list_rules, NextToken="x")[0] == "ValidationException"


def test_targets_are_put_listed_and_removed(events: Any) -> None:
    events.put_rule(Name="r", EventPattern=PATTERN)
    given = [{"Id": "1", "Arn": GROUP, "InputPath": "$.detail"}, {"Id": "2", "Arn": "arn:aws:sqs:us-east-1:1:q"}]
    assert events.put_targets(Rule="r", Targets=given)["FailedEntryCount"] == 0
    assert events.list_targets_by_rule(Rule="r")["Targets"] == given
    events.put_targets(Rule="r", Targets=[{"Id": "2", "Arn": GROUP}])
    assert events.list_targets_by_rule(Rule="r")["Targets"][1] == {"Id": "2", "Arn": GROUP}
    assert events.list_rule_names_by_target(TargetArn=GROUP)["RuleNames"] == ["r"]
    assert events.list_rule_names_by_target(TargetArn="arn:aws:sqs:us-east-1:1:q")["RuleNames"] == []
    assert error_of(events.delete_rule, Name="r") == (
        "ValidationException", "Rule can't be deleted since it has targets.",
    )  # fmt: skip
    events.remove_targets(Rule="r", Ids=["1", "2", "none"])
    events.delete_rule(Name="r")
    assert events.list_rules()["Rules"] == []
    events.delete_rule(Name="r")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Input": "{}", "InputPath": "$"}, "Only one of Input, InputPath, or InputTransformer must be provided"),
        ({"Arn": "q"}, "Provided Arn is not in correct format: q."),
        ({"InputPath": "detail"}, "Invalid InputPath for target 1 : detail."),
        ({"InputTransformer": {"InputTemplate": "x", "InputPathsMap": {"a": "b"}}}, "Invalid InputPath for target 1"),
    ],
)
def test_a_target_that_is_wrong_is_refused(events: Any, target: dict[str, Any], message: str) -> None:
    events.put_rule(Name="r", EventPattern=PATTERN)
    code, text = error_of(events.put_targets, Rule="r", Targets=[{"Id": "1", "Arn": GROUP, **target}])
    assert (code, text.startswith(message)) == ("ValidationException", True)


def test_a_rule_has_five_targets(events: Any) -> None:
    events.put_rule(Name="r", EventPattern=PATTERN)
    six = [{"Id": str(number), "Arn": GROUP} for number in range(6)]
    assert "the maximum number allowed: 5" in error_of(events.put_targets, Rule="r", Targets=six)[1]


def test_buses(events: Any) -> None:
    events.create_event_bus(Name="b", Description="d", Tags=[{"Key": "a", "Value": "b"}])
    assert [one["Name"] for one in events.list_event_buses()["EventBuses"]] == ["b", "default"]
    assert [one["Name"] for one in events.list_event_buses(NamePrefix="d")["EventBuses"]] == ["default"]
    assert events.describe_event_bus(Name="b")["Description"] == "d"
    assert events.describe_event_bus()["Arn"] == f"{ARN}:event-bus/default"
    for name in ("b", "default"):
        assert error_of(events.create_event_bus, Name=name) == (
            "ResourceAlreadyExistsException", f"Event bus {name} already exists.",
        )  # fmt: skip
    events.put_rule(Name="r", EventPattern=PATTERN, EventBusName="b")
    assert error_of(events.delete_event_bus, Name="b")[0] == "ValidationException"
    events.delete_rule(Name="r", EventBusName="b")
    events.delete_event_bus(Name="b")
    missing = ("ResourceNotFoundException", "Event bus b does not exist.")
    assert error_of(events.describe_event_bus, Name="b") == missing
    assert error_of(events.list_rules, EventBusName="b") == missing
    assert error_of(events.delete_event_bus, Name="default")[1] == "Cannot delete event bus default."
    assert error_of(events.create_event_bus, Name="a/b")[0] == "ValidationException"


def test_tags(events: Any) -> None:
    rule = events.put_rule(Name="r", EventPattern=PATTERN, Tags=[{"Key": "a", "Value": "b"}])["RuleArn"]
    bus = events.create_event_bus(Name="b")["EventBusArn"]
    events.tag_resource(ResourceARN=bus, Tags=[{"Key": "c", "Value": "d"}])
    events.untag_resource(ResourceARN=rule, TagKeys=["a"])
    assert [events.list_tags_for_resource(ResourceARN=arn)["Tags"] for arn in (rule, bus)] == [
        [], [{"Key": "c", "Value": "d"}],
    ]  # fmt: skip
    assert error_of(events.list_tags_for_resource, ResourceARN=f"{ARN}:rule/x")[1] == "Rule x does not exist."


def test_events_are_taken_one_by_one(events: Any) -> None:
    good = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    answer = events.put_events(
        Entries=[good, {**good, "Source": ""}, {**good, "Detail": "[1]"}, {**good, "Source": "aws.s3"}]
    )
    assert answer["FailedEntryCount"] == 3
    assert [one.get("ErrorCode") for one in answer["Entries"]] == [
        None, "InvalidArgument", "MalformedDetail", "NotAuthorizedForSourceException",
    ]  # fmt: skip
    assert len(answer["Entries"][0]["EventId"]) == 36


def test_a_pattern_is_tried_out(events: Any) -> None:
    event = {"id": "1", "account": "1", "source": "shop", "time": "t", "region": "r", "detail-type": "x"}
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is True
    other = json.dumps({**event, "source": "other"})
    assert events.test_event_pattern(EventPattern=PATTERN, Event=other)["Result"] is False
    without = json.dumps({key: event[key] for key in event if key != "region"})
    assert error_of(events.test_event_pattern, EventPattern=PATTERN, Event=without) == (
        "ValidationException", "Parameter Event is not valid. Reason: region is a required field of an event",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({}, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."),
        ({"ScheduleExpression": "daily"}, "ValidationException", "Parameter ScheduleExpression is not valid."),
        (
            {"EventPattern": '{"a": "b"}'},
            "InvalidEventPatternException",
            'Event pattern is not valid. Reason: "a" must be an object or an array',
        ),
        ({"EventPattern": PATTERN, "EventBusName": "x"}, "ResourceNotFoundException", "Event bus x does not exist."),
    ],
)
def test_a_rule_that_is_wrong_is_refused(events: Any, params: dict[str, Any], code: str, message: str) -> None:
    assert error_of(events.put_rule, Name="r", **params) == (code, message)


def test_a_rule_that_is_missing_is_named(events: Any) -> None:
    missing = ("ResourceNotFoundException", "Rule r does not exist on EventBus default.")
    assert error_of(events.describe_rule, Name="r") == missing
    assert error_of(events.put_targets, Rule="r", Targets=[{"Id": "1", "Arn": GROUP}]) == missing
