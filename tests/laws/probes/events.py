"""Probes of EventBridge."""

import json
from collections.abc import Mapping

from tests.conftest import ACCOUNT, REGION
from tests.laws.probing import Either, Params, Probe, ProbedEmulator
from tests.laws.whole_emulator import LIMIT_SECONDS
from tests.scenarios.emulator_process import until

_TESTS = "tests/services/events/test_dispatch.py"
_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}"
_GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:$"
_PATTERN = json.dumps({"source": ["$"]})
_RULE: Params = {"Name": "$", "EventPattern": _PATTERN}
_MADE = ("events", "PutRule", _RULE)
_DESCRIBED = ("events", "DescribeRule", {"Name": "$"})
_TARGET: Params = {"Id": "1", "Arn": _GROUP_ARN}
_TRANSFORMER = {"InputPathsMap": {"a": "$.detail.a"}, "InputTemplate": '"<a>"'}
_TARGETS = ("events", "PutTargets", {"Rule": "$", "Targets": [_TARGET, {**_TARGET, "Id": "2"}]})
_LISTED = ("events", "ListTargetsByRule", {"Rule": "$"})
_GROUP = ("logs", "CreateLogGroup", {"logGroupName": "$"})
_ENTRY: Params = {"Source": "$", "DetailType": "order", "Detail": "{}"}
_TAGS_OF_RULE = ("events", "ListTagsForResource", {"ResourceARN": f"{_ARN}:rule/$"})
_BUS = ("events", "CreateEventBus", {"Name": "$"})
_ON_BUS = {"EventBusName": "nowhere"}
_EVENT = json.dumps(
    {"id": "1", "account": "1", "source": "$", "time": "t", "region": "r", "detail-type": "x", "resources": []}
)
_TAGGED: Params = {**_RULE, "Tags": [{"Key": "a", "Value": "b"}]}


def _delivered(world: ProbedEmulator, name: str) -> list[str]:
    """What the log group of the rule was sent; ids and the time of now aside."""
    found: list[str] = []

    def is_there() -> bool:
        answer = world.ask("logs", "FilterLogEvents", {"logGroupName": name})
        found[:] = [event["message"] for event in answer.parsed["events"]]
        return bool(found)

    world.ask("events", "PutEvents", {"Entries": [{**_ENTRY, "Source": name, "Detail": '{"a": "b"}'}]})
    until(is_there, LIMIT_SECONDS, "the event is delivered")
    return [_steady(text) for text in found]


def _steady(text: str) -> str:
    try:
        event = json.loads(text)
    except ValueError:
        return text
    if isinstance(event, dict) and "detail-type" in event:
        event.pop("id")
        event["time"] = event["time"][:4] if event["time"] > "2020" else event["time"]
    return json.dumps(event)


def _received(world: ProbedEmulator, name: str) -> list[str]:
    found: list[str] = []

    def is_there() -> bool:
        answer = world.ask("logs", "FilterLogEvents", {"logGroupName": name})
        found[:] = [event["message"] for event in answer.parsed["events"]]
        return bool(found)

    until(is_there, LIMIT_SECONDS, "the event is delivered")
    return [_steady(text) for text in found]


EVENTS: Mapping[str, Probe] = {
    "PutRule": Probe(
        _RULE,
        (_GROUP,),
        after=(_DESCRIBED, ("events", "TestEventPattern", {"EventPattern": _PATTERN, "Event": _EVENT}), _TAGS_OF_RULE),
        besides={"Tags": {"Tags": [{"Key": "a", "Value": "b"}]}},
        values={
            "EventPattern": Either('{"source": ["a"]}', '{"source": "a"}'),
            "ScheduleExpression": Either("rate(5 minutes)", "rate(5 minute)"),
            "EventBusName": "nowhere",
            "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        },
        proven={
            "Description": "tests/services/events/test_rules.py::test_a_rule_is_made_shown_and_changed",
        },
    ),
    "DescribeRule": Probe({"Name": "$"}, (_MADE,), makes=False, values={"Name": "nowhere", **_ON_BUS}),
    "ListRules": Probe(
        {"NamePrefix": "$"},
        (_MADE, ("events", "PutRule", {**_RULE, "Name": "$-2"})),
        makes=False,
        values={"NamePrefix": "nowhere", "NextToken": "MQ==", "Limit": 1, **_ON_BUS},
    ),
    "EnableRule": Probe(
        {"Name": "$"},
        (("events", "PutRule", {**_RULE, "State": "DISABLED"}),),
        after=(_DESCRIBED,),
        values={"Name": "nowhere", **_ON_BUS},
    ),
    "DisableRule": Probe({"Name": "$"}, (_MADE,), after=(_DESCRIBED,), values={"Name": "nowhere", **_ON_BUS}),
    "DeleteRule": Probe(
        {"Name": "$"}, (_MADE,), after=(("events", "ListRules", {"NamePrefix": "$"}),), values={"Name": "x", **_ON_BUS}
    ),
    "TestEventPattern": Probe(
        {"EventPattern": _PATTERN, "Event": _EVENT},
        makes=False,
        values={"EventPattern": '{"source": ["nowhere"]}', "Event": _EVENT.replace("$", "other")},
    ),
    "PutTargets": Probe(
        {"Rule": "$", "Targets": [_TARGET]},
        (_GROUP, _MADE),
        after=(_LISTED, _delivered),
        values={
            "Rule": "nowhere",
            **_ON_BUS,
            "Targets[].Input": '{"fixed": 1}',
            "Targets[].InputPath": "$.detail",
            "Targets[].InputTransformer.InputPathsMap": Either({"a": "$.source"}, {"a": "$.detail.a"}),
        },
        proven={
            "Targets[].Arn": f"{_TESTS}::test_a_log_group_is_written_to",
            "Targets[].Id": "tests/services/events/test_rules.py::test_targets_are_put_listed_and_removed",
            "Targets[].InputTransformer.InputTemplate": "tests/services/events/test_transform.py::test_templates",
        },
        besides={
            "Targets[].InputTransformer": {
                "Targets": [
                    {**_TARGET, "InputTransformer": {"InputPathsMap": {"a": "$.detail.a"}, "InputTemplate": '"<a>"'}}
                ]
            }
        },
    ),
    "RemoveTargets": Probe(
        {"Rule": "$", "Ids": ["1"]},
        (_MADE, _TARGETS),
        after=(_LISTED,),
        values={"Rule": "nowhere", **_ON_BUS, "Ids[]": "2"},
    ),
    "ListTargetsByRule": Probe(
        {"Rule": "$"},
        (_MADE, _TARGETS),
        makes=False,
        values={"Rule": "nowhere", **_ON_BUS, "NextToken": "MQ==", "Limit": 1},
    ),
    "ListRuleNamesByTarget": Probe(
        {"TargetArn": _GROUP_ARN},
        (
            _MADE,
            _TARGETS,
            ("events", "PutRule", {**_RULE, "Name": "$-2"}),
            ("events", "PutTargets", {"Rule": "$-2", "Targets": [_TARGET]}),
        ),
        makes=False,
        values={"TargetArn": "nowhere", **_ON_BUS, "NextToken": "MQ==", "Limit": 1},
    ),
    "PutEvents": Probe(
        {"Entries": [_ENTRY]},
        (_GROUP, _MADE, ("events", "PutTargets", {"Rule": "$", "Targets": [_TARGET]})),
        after=(_received,),
        values={
            "Entries[].Source": Either("$", ""),
            "Entries[].Time": 1_600_000_000.0,
            "Entries[].Detail": '{"other": 1}',
            "Entries[].EventBusName": Either("default", "x" * 300),
        },
        proven={
            "Entries[].Source": f"{_TESTS}::test_an_event_reaches_the_targets_of_the_rules_that_match",
            "Entries[].EventBusName": f"{_TESTS}::test_buses_are_apart_and_pass_events_on",
        },
    ),
    "CreateEventBus": Probe(
        {"Name": "$"},
        after=(
            ("events", "DescribeEventBus", {"Name": "$"}),
            ("events", "ListTagsForResource", {"ResourceARN": f"{_ARN}:event-bus/$"}),
        ),
        besides={"Tags": {"Tags": [{"Key": "a", "Value": "b"}]}},
        values={"Name": "default"},
        proven={"Description": "tests/services/events/test_rules.py::test_buses"},
    ),
    "DescribeEventBus": Probe({"Name": "$"}, (_BUS,), makes=False, values={"Name": "default"}),
    "ListEventBuses": Probe(
        {"NamePrefix": "$"},
        (_BUS, ("events", "CreateEventBus", {"Name": "$-2"})),
        makes=False,
        values={"NamePrefix": "nowhere", "NextToken": "MQ==", "Limit": 1},
    ),
    "DeleteEventBus": Probe(
        {"Name": "$"}, (_BUS,), after=(("events", "ListEventBuses", {"NamePrefix": "$"}),), values={"Name": "nowhere"}
    ),
    "TagResource": Probe(
        {"ResourceARN": f"{_ARN}:rule/$", "Tags": [{"Key": "a", "Value": "b"}]},
        (_MADE,),
        after=(_TAGS_OF_RULE,),
        values={"ResourceARN": "arn:aws:events:nowhere"},
    ),
    "UntagResource": Probe(
        {"ResourceARN": f"{_ARN}:rule/$", "TagKeys": ["a"]},
        (("events", "PutRule", _TAGGED),),
        after=(_TAGS_OF_RULE,),
        values={"ResourceARN": "arn:aws:events:nowhere"},
    ),
    "ListTagsForResource": Probe(
        {"ResourceARN": f"{_ARN}:rule/$"}, (_MADE,), makes=False, values={"ResourceARN": "arn:aws:events:nowhere"}
    ),
}
