"""CloudWatch Logs over the logbook: what jobs and endpoints wrote, read as AWS's clients read it.

Events come in the order in which they were written; a place in a stream is a byte offset, so following a log of any
length costs what is new.
"""

import base64
import heapq
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from emulator.errors import AwsError
from emulator.resources.logbook import Event, Logbook, Stream
from emulator.services.context import Operation, Services
from emulator.services.log_pattern import matcher
from emulator.wire.caller import Caller

# LOGS: GetLogEvents and FilterLogEvents give at most 10,000 events or 1 MB, lists 50 entries.
_EVENTS = 10_000
_BYTES = 1024 * 1024
_EVENT_OVERHEAD = 26
_PAGE = 50
_TOO_NEW_MILLISECONDS = 2 * 3600 * 1000
_TOO_OLD_MILLISECONDS = 14 * 24 * 3600 * 1000
# The longest file name there is; a name's slashes take three bytes each.
_LONGEST_NAME = 255

_TOKEN = re.compile(r"(?P<way>[fb])/(?P<offset>\d{56})/s")
_Params = dict[str, Any]


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
    page, token = _page(names, params)
    return {"logGroups": [_group(book, name, caller) for name in page], **token}


def describe_log_streams(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeLogStreams, by name or by last event."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    prefix, by_time = params.get("logStreamNamePrefix", ""), params.get("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    names = [name for name in book.names(group) if name.startswith(prefix)]
    if by_time:
        last = {name: (book.stream(group, name).last_event or 0, name) for name in names}
        names.sort(key=last.__getitem__)
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
    rows = _forwards(book, group, stream, start) if forward else book.backwards(group, stream, start)
    taken = list(_fill((row for row in rows if _in_time(row[2], params)), params.get("limit", _EVENTS)))
    if not forward:
        taken.reverse()
    first, last = (taken[0][0], taken[-1][1]) if taken else (start, start)
    return {
        "events": [{**_shown(event), "ingestionTime": event.timestamp} for _, _, event in taken],
        "nextForwardToken": f"f/{last:056d}/s",
        "nextBackwardToken": f"b/{first:056d}/s",
    }


def filter_log_events(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """FilterLogEvents: the streams of a group as one, by time."""
    book, group = _book(services, caller), _group_of(services, params, caller)
    matches = matcher(params.get("filterPattern", ""))
    if params.get("logStreamNames") and params.get("logStreamNamePrefix"):
        raise _invalid("Cannot specify both logStreamNames and logStreamNamePrefix.")
    prefix = params.get("logStreamNamePrefix", "")
    names = params.get("logStreamNames") or [name for name in book.names(group) if name.startswith(prefix)]
    seen = _filter_place(params.get("nextToken"))
    streams = [_matching(book, group, _stream_of(book, group, name), params) for name in names]
    rows = heapq.merge(*streams, key=lambda row: row[2].timestamp)
    # Reading a stream again gives the same order, so the number of rows passed is a place.
    passed = seen
    events: list[dict[str, Any]] = []
    for start, stream, event in islice(rows, seen, None):
        if len(events) == params.get("limit", _EVENTS):
            return {"events": events, "nextToken": base64.urlsafe_b64encode(json.dumps(passed).encode()).decode()}
        passed += 1
        if matches(event.message):
            identity = f"{event.timestamp:020d}{start:036d}"
            shown = {**_shown(event), "ingestionTime": event.timestamp}
            events.append({**shown, "logStreamName": stream, "eventId": identity})
    return {"events": events, "searchedLogStreams": []}


def create_log_group(services: Services, params: _Params, caller: Caller) -> None:
    """CreateLogGroup."""
    try:
        _book(services, caller).create_group(_storable(params["logGroupName"]))
    except FileExistsError:
        raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists") from None


def create_log_stream(services: Services, params: _Params, caller: Caller) -> None:
    """CreateLogStream."""
    group = _group_of(services, params, caller)
    try:
        _book(services, caller).create_stream(group, _storable(params["logStreamName"]))
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


def _group_name(identifier: str) -> str:
    """A group's name, out of an ARN where it is one."""
    return identifier.split(":")[6] if identifier.startswith("arn:") and identifier.count(":") >= 6 else identifier


def _stream_of(book: Logbook, group: str, stream: str) -> str:
    if not book.has_stream(group, stream):
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return stream


def _storable(name: str) -> str:
    if len(name.encode()) + 2 * name.count("/") + 2 * name.count(".") > _LONGEST_NAME:
        raise _invalid(f"samebox keeps no log group or stream with a name as long as {name[:40]}…")
    return name


def _forwards(book: Logbook, group: str, stream: str, start: int) -> Iterator[tuple[int, int, Event]]:
    for end, event in book.read(group, stream, start):
        yield start, end, event
        start = end


def _fill(rows: Iterable[tuple[int, int, Event]], limit: int) -> Iterator[tuple[int, int, Event]]:
    """As many rows as fit one answer."""
    room = _BYTES
    for count, row in enumerate(rows):
        room -= len(row[2].message.encode()) + _EVENT_OVERHEAD
        if count == limit or (room < 0 and count):
            return
        yield row


def _matching(book: Logbook, group: str, stream: str, params: _Params) -> Iterator[tuple[int, str, Event]]:
    for start, _, event in _forwards(book, group, stream, 0):
        if _in_time(event, params):
            yield start, stream, event


def _in_time(event: Event, params: _Params) -> bool:
    start, end = params.get("startTime"), params.get("endTime")
    return (start is None or event.timestamp >= start) and (end is None or event.timestamp < end)


def _filter_place(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token.encode())))
    except (ValueError, TypeError):
        raise _invalid("The specified nextToken is invalid.") from None


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
    arn = f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{name}"
    return {
        "logGroupName": name,
        "creationTime": book.created(name),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "storedBytes": sum(stream.bytes for stream in book.streams(name)),
    }


def _stream(stream: Stream, group: str, caller: Caller) -> dict[str, Any]:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "firstEventTimestamp": stream.first_event,
        "lastEventTimestamp": stream.last_event,
        "lastIngestionTime": stream.last_event,
        "arn": f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{group}:log-stream:{stream.name}",
        "storedBytes": stream.bytes,
    }


def _shown(event: Event) -> dict[str, Any]:
    return {"timestamp": event.timestamp, "message": event.message}


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
    "DeleteLogStream": delete_log_stream,
}
