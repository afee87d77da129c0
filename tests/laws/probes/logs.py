"""Probes of CloudWatch Logs."""

from collections.abc import Mapping
from typing import Any

from tests.laws.probes.values import GROUP, GROUP_ARN, NOW
from tests.laws.probing import Call, Either, Params, Probe

_NO_GROUP = {
    "logGroupName": "nowhere",
    "logGroupIdentifier": "nowhere",
    "logStreamName": "nowhere",
    "resourceArn": GROUP_ARN.replace("$", "nowhere"),
}
_STREAMS: Call = ("logs", "DescribeLogStreams", {"logGroupName": "$"})
_FOUND: Call = ("logs", "FilterLogEvents", {"logGroupName": "$"})
_GROUPS: Call = ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "$"})
_GROUP_TAGS: Call = ("logs", "ListTagsForResource", {"resourceArn": GROUP_ARN})
_OF_GROUP: Mapping[str, Params] = {
    "logGroupIdentifier": {"logGroupName": None, "logGroupIdentifier": "$"},
    "startFromHead": {"limit": 1},
}


def _of_group(request: Params, *after: Call, **values: Any) -> Probe:
    return Probe(request, GROUP, after, bool(after), _OF_GROUP, {**_NO_GROUP, **values})


LOGS: Mapping[str, Probe] = {
    "DescribeLogGroups": _of_group(
        {"logGroupNamePrefix": "probe-"},
        logGroupNamePrefix="nowhere",
        logGroupNamePattern="nowhere",
        logGroupIdentifiers=["$"],
        nextToken="ZGlnaXRz",
        logGroupClass=Either("STANDARD", "INFREQUENT_ACCESS"),
    ),
    "DescribeLogStreams": _of_group(
        {"logGroupName": "$"},
        logStreamNamePrefix="tw",
        nextToken="b25l",
        orderBy=Either("LogStreamName", "LastEventTime"),
    ),
    "GetLogEvents": _of_group(
        {"logGroupName": "$", "logStreamName": "one"},
        startTime=NOW + 2,
        endTime=NOW + 2,
        nextToken=f"b/{'0' * 56}/s",
        limit=1,
        startFromHead=Either(False, True),
    ),
    "FilterLogEvents": _of_group(
        {"logGroupName": "$"},
        logStreamNamePrefix="tw",
        filterPattern="one",
        startTime=NOW + 2,
        endTime=NOW + 2,
        limit=1,
        startFromHead=Either(True, False),
        **{"logStreamNames[]": "two"},
    ),
    "CreateLogGroup": Probe(
        {"logGroupName": "$"},
        after=(
            _GROUP_TAGS,
            ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "$", "logGroupClass": "STANDARD"}),
        ),
        values={"logGroupName": "digits", "logGroupClass": "INFREQUENT_ACCESS"},
    ),
    "CreateLogStream": _of_group({"logGroupName": "$", "logStreamName": "new"}, _STREAMS, logStreamName="one"),
    "PutLogEvents": _of_group(
        {"logGroupName": "$", "logStreamName": "one", "logEvents": [{"timestamp": NOW + 5, "message": "new"}]},
        _FOUND,
        **{"logEvents[].timestamp": NOW + 6},
    ),
    "DeleteLogGroup": _of_group({"logGroupName": "$"}, _STREAMS),
    "PutRetentionPolicy": Probe(
        {"logGroupName": "$", "retentionInDays": 7},
        GROUP,
        (_GROUPS,),
        values=_NO_GROUP,
        proven={
            "retentionInDays": "tests/services/test_log_retention.py::test_what_is_older_goes_and_tokens_stay_good"
        },
    ),
    "DeleteRetentionPolicy": Probe(
        {"logGroupName": "$"},
        (*GROUP, ("logs", "PutRetentionPolicy", {"logGroupName": "$", "retentionInDays": 7})),
        (_GROUPS,),
        values=_NO_GROUP,
    ),
    "DeleteLogStream": _of_group({"logGroupName": "$", "logStreamName": "one"}, _STREAMS),
    "ListTagsForResource": _of_group({"resourceArn": GROUP_ARN}),
    "TagResource": _of_group({"resourceArn": GROUP_ARN, "tags": {"c": "d"}}, _GROUP_TAGS),
    "UntagResource": _of_group({"resourceArn": GROUP_ARN, "tagKeys": ["a"]}, _GROUP_TAGS, **{"tagKeys[]": "other"}),
}
