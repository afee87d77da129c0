"""Events of changes: what SageMaker and CloudWatch tell EventBridge of a resource, in AWS's JSON.

SageMaker Developer Guide, "Automating SageMaker with EventBridge"; CloudWatch User Guide, "Alarm events and
EventBridge".
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from samebox.resources.resources import Resources
from samebox.resources.store import Announcement, Resource
from samebox.services.cloudwatch import alarm_record, state_reason
from samebox.services.cloudwatch.alarm_record import StateFacts
from samebox.wire.schema import Shape

_DETAIL_TYPES = {
    "TrainingJob": "SageMaker Training Job State Change",
    "ProcessingJob": "SageMaker Processing Job State Change",
    "TransformJob": "SageMaker Transform Job State Change",
    "Endpoint": "SageMaker Endpoint State Change",
    "Model": "SageMaker Model State Change",
    "ModelPackage": "SageMaker Model Package State Change",
    "Image": "SageMaker Image State Change",
    "ImageVersion": "SageMaker Image Version State Change",
}
# The guide's example of a model package has times as texts and no tags, all others have milliseconds.
_TEXT_TIMES = frozenset({"ModelPackage"})


def event_of(announcement: Announcement, resources: Resources) -> dict[str, Any]:
    """The event of a change. Its id is the same each time: a consumer recognises one that comes twice."""
    row = announcement.change
    assert row is not None
    is_alarm = row.kind == alarm_record.NOUN
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row.arn} {row.version} {announcement.id}")),
        "detail-type": "CloudWatch Alarm State Change" if is_alarm else _DETAIL_TYPES[row.kind],
        "source": "aws.cloudwatch" if is_alarm else "aws.sagemaker",
        "account": row.account,
        "time": datetime.fromtimestamp(row.modified, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": row.region,
        "resources": [row.arn],
        "detail": _of_alarm(row) if is_alarm else _of_resource(row, resources),
    }


def _of_resource(row: Resource, resources: Resources) -> dict[str, Any]:
    shape, shown = resources.described(row)
    detail: dict[str, Any] = _with_times(shape, shown, row.kind in _TEXT_TIMES)
    if row.kind == "Endpoint":
        # IN_SERVICE, as the guide's example has it.
        detail["EndpointStatus"] = re.sub("(?<=[a-z])(?=[A-Z])", "_", detail["EndpointStatus"]).upper()
    return detail if row.kind in _TEXT_TIMES else {**detail, "Tags": dict(row.tags)}


def _with_times(shape: Shape, value: Any, as_text: bool) -> Any:
    match shape.type:
        case "structure":
            members = shape.members
            return {name: _with_times(members[name].shape, item, as_text) for name, item in value.items()}
        case "list":
            return [_with_times(shape.element.shape, item, as_text) for item in value]
        case "map":
            return {name: _with_times(shape.value.shape, item, as_text) for name, item in value.items()}
        case "timestamp":
            if as_text:
                return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return round(value * 1000)
        case _:
            return value


def _of_alarm(row: Resource) -> dict[str, Any]:
    previous = alarm_record.facts_of(row).previous
    description = {"description": row.spec["AlarmDescription"]} if "AlarmDescription" in row.spec else {}
    return {
        "alarmName": row.name,
        "configuration": {**description, "metrics": [_query(one) for one in alarm_record.queries_of(row.spec)]},
        "previousState": {} if previous is None else _state(previous),
        "state": _state(alarm_record.state_facts(row)),
    }


def _state(of: StateFacts) -> dict[str, str]:
    data = {"reasonData": of.data} if of.data else {}
    return {"reason": of.reason, **data, "timestamp": state_reason.date(of.at), "value": of.value}


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    for member in ("Expression", "Label", "Period"):
        if member in query:
            found[member.lower()] = query[member]
    if "MetricStat" in query:
        wanted = query["MetricStat"]
        metric = wanted["Metric"]
        found["metricStat"] = {
            "metric": {
                "dimensions": {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())},
                "name": metric.get("MetricName"),
                "namespace": metric.get("Namespace"),
            },
            "period": wanted["Period"],
            "stat": wanted["Stat"],
        }
    return found
