"""CloudWatch Logs over the logbook: what jobs and endpoints wrote, read as AWS's clients read it.

Events come in the order in which they were written; a place in a stream is a byte offset, so following a log of any
length costs what is new.
"""

import base64
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from samebox.errors import AwsError
from samebox.resources import log_file
from samebox.resources.log_file import Block
from samebox.resources.logbook import Event, Logbook, Stream
from samebox.services import log_retention, log_search
from samebox.services.context import Operation, Services
from samebox.services.log_pattern import pattern
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of
from samebox.wire.shapes import Projected

# LOGS: GetLogEvents and FilterLogEvents give at most 10,000 events or 1 MB, lists 50 entries. An answer also looks at
# no more than that: where few events match, pages are short or empty and lead on by their tokens, as on AWS.
_EVENTS = 10_000
_BYTES = 1024 * 1024
_PAGE = 50
_TOO_NEW_MILLISECONDS = 2 * 3600 * 1000
_TOO_OLD_MILLISECONDS = 14 * 24 * 3600 * 1000

# CW Logs API, "PutRetentionPolicy"
_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

_TOKEN = re.compile(r"(?P<way>[fb])/(?P<offset>\d{56})/s")
_Params = dict[str, Any]
_InTime = Callable[[Event], bool]
_NO_TAGS: Mapping[str, str] = MappingProxyType({})


def describe_log_groups(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeLogGroups, by name."""
    book = _book(services, caller)
    prefix, part = params.get("logGroupNamePrefix", ""), params.get("logGroupNamePattern", "").lower()
    asked = {_group_name(one) for one in params.get("logGroupIdentifiers", [])}
    names = [
        name
        for name in book.groups()
        if name.startswith(prefix) and part in name.lower() and (not asked or name in asked)
    ]
    if params.get("logGroupClass"):
        names = [name for name in names if _class(book.attributes(name)) == params["logGroupClass"]]
    page, token = _page(names, params)
    return {"logGroups": [_group(book, name, caller) for name in page], **token}


def describe_log_streams(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeLogStreams, by name or by last event."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    prefix, by_time = params.get("logStreamNamePrefix", ""), params.get("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    names = book.names(group, prefix)
    if by_time:
        names = [one.name for one in sorted(book.streams(group), key=lambda one: (one.last_event or 0, one.name))]
    if params.get("descending"):
        names.reverse()
    page, token = _page(names, params)
    return {"logStreams": [_stream(book.stream(group, name), group, caller) for name in page], **token}


def get_log_events(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetLogEvents. The tokens of a page lead on from its two ends; at the end of a stream a token leads to itself."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    stream = _stream_of(book, group, params["logStreamName"])
    size = book.size(group, stream)
    token, forward, place = params.get("nextToken"), bool(params.get("startFromHead")), None
    if token is not None:
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise _invalid("The specified nextToken is invalid.")
        forward, place = found["way"] == "f", int(found["offset"])
    start = place if place is not None else (0 if forward else size)
    look = book.after if forward else book.before
    limit = params.get("limit", _EVENTS)
    events, first, last = _page_of(look(group, stream, start, _BYTES), forward, limit, _in_time(params))
    return {
        "events": Projected(_shown(event) for event in events),
        "nextForwardToken": f"f/{last:056d}/s",
        "nextBackwardToken": f"b/{first:056d}/s",
    }


def filter_log_events(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """FilterLogEvents: the streams of a group as one, by time."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    wanted = pattern(params.get("filterPattern", ""))
    if params.get("logStreamNames") and params.get("logStreamNamePrefix"):
        raise _invalid("Cannot specify both logStreamNames and logStreamNamePrefix.")
    refuse("logs", "FilterLogEvents", params)
    names = params.get("logStreamNames")
    if names:
        streams = [book.stream(group, _stream_of(book, group, name)) for name in dict.fromkeys(names)]
    else:
        streams = book.streams(group, params.get("logStreamNamePrefix", ""))
    try:
        place = log_search.SearchPosition.read(params["nextToken"]) if params.get("nextToken") else None
    except ValueError:
        raise _invalid("The specified nextToken is invalid.") from None
    limit = params.get("limit", _EVENTS)
    found, more = log_search.search(book, group, streams, wanted, _in_time(params), limit, place)
    answer: dict[str, Any] = {"events": Projected(_filtered(one) for one in found), "searchedLogStreams": []}
    return {**answer, "nextToken": more.token()} if more else answer


def create_log_group(services: Services, params: _Params, caller: Caller) -> None:
    """CreateLogGroup. What else is given with the name is shown again; nothing is encrypted."""
    name = params["logGroupName"]
    refuse("logs", "CreateLogGroup", params)
    given = {member: params[member] for member in ("kmsKeyId", "logGroupClass", "tags") if params.get(member)}
    try:
        _book(services, caller).create_group(name, given)
    except FileExistsError:
        raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists") from None


def create_log_stream(services: Services, params: _Params, caller: Caller) -> None:
    """CreateLogStream."""
    group = _group_of(services, params, caller)
    try:
        _book(services, caller).create_stream(group, params["logStreamName"])
    except FileExistsError:
        raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists") from None


def put_log_events(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutLogEvents. Sequence tokens are no longer looked at, as on AWS."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    stream = _stream_of(book, group, params["logStreamName"])
    times = [event["timestamp"] for event in params["logEvents"]]
    if times != sorted(times):
        raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
    now = int(services.clock() * 1000)
    rejected: dict[str, int] = {}
    too_old = sum(time < now - _TOO_OLD_MILLISECONDS for time in times)
    too_new = sum(time > now + _TOO_NEW_MILLISECONDS for time in times)
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if too_new:
        rejected["tooNewLogEventStartIndex"] = len(times) - too_new
    kept = params["logEvents"][too_old : len(times) - too_new]
    book.append(group, stream, [Event(event["timestamp"], event["message"]) for event in kept])
    answer: dict[str, Any] = {"nextSequenceToken": f"{book.size(group, stream):056d}"}
    return {**answer, "rejectedLogEventsInfo": rejected} if rejected else answer


def delete_log_group(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteLogGroup, with its streams."""
    _book(services, caller).delete_group(_group_of(services, params, caller))


def list_tags_for_resource(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTagsForResource, of a log group."""
    group = _group_of(services, {"logGroupIdentifier": params["resourceArn"]}, caller)
    return {"tags": _book(services, caller).attributes(group).get("tags", {})}


def tag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """TagResource, of a log group."""
    _retag(services, params["resourceArn"], caller, add=params["tags"])


def untag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """UntagResource, of a log group."""
    _retag(services, params["resourceArn"], caller, remove=params["tagKeys"])


def put_retention_policy(services: Services, params: _Params, caller: Caller) -> None:
    """PutRetentionPolicy. `log_retention` removes what is older."""
    days = params["retentionInDays"]
    if days not in _RETENTIONS:
        raise _invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member "
            f"must satisfy enum value set: {list(_RETENTIONS)}"
        )
    _retain(services, params, caller, {log_retention.DAYS: days})


def delete_retention_policy(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteRetentionPolicy: events are kept until their group or stream is deleted."""
    _retain(services, params, caller, {})


def delete_log_stream(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteLogStream."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    book.delete_stream(group, _stream_of(book, group, params["logStreamName"]))


def _book(services: Services, caller: Caller) -> Logbook:
    return services.logbook.of(caller.account, caller.region)


def _group_of(services: Services, params: _Params, caller: Caller) -> str:
    name, identifier = params.get("logGroupName"), params.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise _invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
    group = _group_name(name or identifier or "")
    if not _book(services, caller).has_group(group):
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _retag(
    services: Services, arn: str, caller: Caller, add: Mapping[str, str] = _NO_TAGS, remove: Sequence[str] = ()
) -> None:
    book, group = _book(services, caller), _group_of(services, {"logGroupIdentifier": arn}, caller)
    attributes = book.attributes(group)
    kept = {key: value for key, value in attributes.get("tags", {}).items() if key not in remove}
    book.set_attributes(group, {**attributes, "tags": {**kept, **add}})


def _retain(services: Services, params: _Params, caller: Caller, retained: Mapping[str, int]) -> None:
    book, group = _book(services, caller), _group_of(services, params, caller)
    others = {name: value for name, value in book.attributes(group).items() if name != log_retention.DAYS}
    book.set_attributes(group, {**others, **retained})


def _group_name(identifier: str) -> str:
    """A group's name, out of an ARN where it is one."""
    return identifier.split(":")[6] if identifier.startswith("arn:") and identifier.count(":") >= 6 else identifier


def _stream_of(book: Logbook, group: str, stream: str) -> str:
    if not book.has_stream(group, stream):
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return stream


def _page_of(block: Block, forward: bool, limit: int, in_time: _InTime | None) -> tuple[list[Event], int, int]:
    """Up to `limit` events of a block, from the end that is read first; start and end of what was looked at."""
    if in_time is None:
        block = _cut(block, forward, limit)
    start, end = block.start, block.end
    offsets = block.offsets()
    rows = list(zip(offsets, offsets[1:], log_file.decode(block.lines), strict=False))
    events: list[Event] = []
    for begins, ends, event in rows if forward else reversed(rows):
        if event is None or not event.message or (in_time and not in_time(event)):
            continue
        events.append(event)
        if len(events) == limit:
            start, end = (start, ends) if forward else (begins, end)
            break
    return events if forward else events[::-1], start, end


def _cut(block: Block, forward: bool, count: int) -> Block:
    if forward:
        return Block(block.start, block.lines[:count])
    lines = block.lines[-count:]
    return Block(block.end - sum(map(len, lines)) - len(lines), lines)


def _in_time(params: _Params) -> _InTime | None:
    """The test of a request's time bounds; None when it has none."""
    start, end = params.get("startTime"), params.get("endTime")
    if start is None and end is None:
        return None
    return lambda event: (start is None or event.timestamp >= start) and (end is None or event.timestamp < end)


def _page(names: list[str], params: _Params) -> tuple[list[str], dict[str, str]]:
    """One page of names that are in order; the token is the last name seen."""
    if params.get("nextToken"):
        try:
            last = base64.urlsafe_b64decode(params["nextToken"].encode()).decode()
            names = names[names.index(last) + 1 :]
        except ValueError:
            raise _invalid("The specified nextToken is invalid.") from None
    limit = params.get("limit", _PAGE)
    if len(names) <= limit:
        return names, {}
    return names[:limit], {"nextToken": base64.urlsafe_b64encode(names[limit - 1].encode()).decode()}


def _group(book: Logbook, name: str, caller: Caller) -> dict[str, Any]:
    arn = _group_arn(name, caller)
    attributes = book.attributes(name)
    return {
        "logGroupName": name,
        "creationTime": book.created(name),
        "retentionInDays": attributes.get(log_retention.DAYS),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": _class(attributes),
        "kmsKeyId": attributes.get("kmsKeyId"),
        "storedBytes": book.stored_bytes(name),
    }


def _group_arn(name: str, caller: Caller) -> str:
    return f"arn:{partition_of(caller.region).name}:logs:{caller.region}:{caller.account}:log-group:{name}"


def _class(attributes: dict[str, Any]) -> str:
    return str(attributes.get("logGroupClass", "STANDARD"))


def _stream(stream: Stream, group: str, caller: Caller) -> dict[str, Any]:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "firstEventTimestamp": stream.first_event,
        "lastEventTimestamp": stream.last_event,
        "lastIngestionTime": stream.last_event,
        "arn": f"{_group_arn(group, caller)}:log-stream:{stream.name}",
        "storedBytes": stream.bytes,
    }


def _shown(event: Event) -> dict[str, Any]:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _filtered(found: log_search.Found) -> dict[str, Any]:
    # Two streams may have a line at the same offset and time; clients distinguish events by this alone.
    identity = f"{found.event.timestamp:020d}{zlib.crc32(found.stream.encode()):016d}{found.start:020d}"
    return {**_shown(found.event), "logStreamName": found.stream, "eventId": identity}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


OPERATIONS: dict[str, Operation] = {
    "DescribeLogGroups": describe_log_groups,
    "DescribeLogStreams": describe_log_streams,
    "GetLogEvents": get_log_events,
    "FilterLogEvents": filter_log_events,
    "CreateLogGroup": create_log_group,
    "CreateLogStream": create_log_stream,
    "PutLogEvents": put_log_events,
    "DeleteLogGroup": delete_log_group,
    "PutRetentionPolicy": put_retention_policy,
    "DeleteRetentionPolicy": delete_retention_policy,
    "DeleteLogStream": delete_log_stream,
    "ListTagsForResource": list_tags_for_resource,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
