"""The operations on buses, on tags, and PutEvents."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from samebox.errors import AwsError, ValidationException
from samebox.resources.derived import tags_of
from samebox.resources.shelf import Shelf
from samebox.resources.store import AlreadyThere, Resource
from samebox.services.context import Operation, Services
from samebox.services.events import records, requests
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

_Params = Mapping[str, Any]


def create_event_bus(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreateEventBus."""
    refuse("events", "CreateEventBus", params)
    name = params["Name"]
    if "/" in name:
        raise ValidationException("EventBus name should not contain '/'.")
    spec = {key: value for key, value in params.items() if key != "Tags"}
    taken = AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
    if name == records.DEFAULT:
        raise taken
    try:
        row = requests.buses(services).add(
            records.scope(caller), name, records.bus_arn(caller, name), spec, tags=tags_of(params)
        )
    except AlreadyThere:
        raise taken from None
    return {**spec, "EventBusArn": row.arn}


def describe_event_bus(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeEventBus."""
    name = requests.bus(services, {"EventBusName": params.get("Name")}, caller)
    found = requests.buses(services).find(records.scope(caller), name)
    return _shown(found) if found is not None else _default(caller)


def list_event_buses(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListEventBuses, by name."""
    rows = [_default(caller), *map(_shown, requests.buses(services).all(records.scope(caller)))]
    prefix = params.get("NamePrefix", "")
    found = sorted((one for one in rows if one["Name"].startswith(prefix)), key=lambda one: str(one["Name"]))
    page, more = requests.page(found, params)
    return {"EventBuses": page, **more}


def delete_event_bus(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteEventBus; one that is not there is no error, one that has rules is."""
    name = params["Name"]
    if name == records.DEFAULT:
        raise ValidationException("Cannot delete event bus default.")
    if records.of_bus(services.resources.store, services.clock, records.scope(caller), name):
        raise ValidationException(f"Cannot delete event bus {name} as it contains rules.")  # choice of words
    row = requests.buses(services).find(records.scope(caller), name)
    if row is not None:
        requests.buses(services).remove(row)


def put_events(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutEvents: each entry is taken or refused; what is taken is on disk before the answer."""
    refuse("events", "PutEvents", params)
    answers = [_put(services, entry, caller) for entry in params["Entries"]]
    return {"FailedEntryCount": sum("ErrorCode" in one for one in answers), "Entries": answers}


def _put(services: Services, entry: _Params, caller: Caller) -> dict[str, str]:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            words = f"Parameter {member} is not valid. Reason: {member} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": words}
    if entry["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    bus = records.bus_of(entry)
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": caller.account,
        "time": time_of(entry.get("Time", services.clock())),
        "region": caller.region,
        "resources": entry.get("Resources", []),
        "detail": detail,
    }
    services.resources.store.post({"EventBusName": bus, "Event": event})
    return {"EventId": event["id"]}


def time_of(at: float) -> str:
    """A time as events have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """TagResource, of a rule or a bus."""
    shelf, row = _by_arn(services, params, caller)
    shelf.tag(row, tags_of(params))


def untag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """UntagResource, of a rule or a bus."""
    shelf, row = _by_arn(services, params, caller)
    shelf.tag(row, remove=tuple(params["TagKeys"]))


def list_tags_for_resource(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTagsForResource, of a rule or a bus."""
    _, row = _by_arn(services, params, caller)
    return {"Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()]}


def _by_arn(services: Services, params: _Params, caller: Caller) -> tuple[Shelf, Resource]:
    arn = params["ResourceARN"]
    for shelf in (requests.rules(services), requests.buses(services)):
        row = shelf.by_arn(arn)
        if row is not None and (row.account, row.region) == (caller.account, caller.region):
            return shelf, row
    noun, _, name = arn.rpartition(":")[2].partition("/")
    words = f"Event bus {name}" if noun == "event-bus" else f"Rule {name.rpartition('/')[2]}"
    raise AwsError("ResourceNotFoundException", f"{words} does not exist.")


def _default(caller: Caller) -> dict[str, Any]:
    return {"Name": records.DEFAULT, "Arn": records.bus_arn(caller, records.DEFAULT)}


def _shown(row: Resource) -> dict[str, Any]:
    return {**row.spec, "Arn": row.arn, "CreationTime": row.created, "LastModifiedTime": row.modified}


OPERATIONS: dict[str, Operation] = {
    "CreateEventBus": create_event_bus,
    "DescribeEventBus": describe_event_bus,
    "ListEventBuses": list_event_buses,
    "DeleteEventBus": delete_event_bus,
    "PutEvents": put_events,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
