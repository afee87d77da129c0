"""What happened to an object, as notifications of S3 have it: name of the event, its record, and its destinations."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from samebox.wire.partitions import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUBJECT = "Amazon S3 Notification"
# The members of a configuration that name destinations outside of S3, and the member with the ARN.
DESTINATIONS = (
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
)


S3_ITSELF = "s3.amazonaws.com"
# The first parts of the names of events whose records have version 2.3, and not 2.1.
_LATER = ("LifecycleExpiration", "ObjectAcl", "ObjectTagging")


@dataclass(frozen=True)
class ObjectEvent:
    """`name` is without "s3:". `size` is None, and `etag` empty, of what was removed; `version` is empty where the
    bucket keeps none. `restored_until` is of a restore, `storage_class` the one that was restored from.

    `is_of_s3`: S3 did it by itself, and no request.
    """

    name: str
    bucket: str
    key: str
    time: float
    region: str
    account: str
    size: int | None = None
    etag: str = ""
    version: str = ""
    access_key: str = ""
    address: str = "127.0.0.1"
    request_id: str = ""
    is_of_s3: bool = False
    restored_until: float | None = None
    storage_class: str = ""


def text_of_time(time: float) -> str:
    """ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(time * 1000) % 1000:03d}Z"


def bucket_arn(event: ObjectEvent) -> str:
    """The ARN of the bucket."""
    return f"arn:{partition_of(event.region).name}:s3:::{event.bucket}"


def sequencer(event: ObjectEvent) -> str:
    """Later events of a key have larger ones, which is all that AWS promises."""
    return f"{int(event.time * 1_000_000_000):018X}"


def record(event: ObjectEvent, configuration: str) -> dict[str, Any]:
    """AWS's record (docs.aws.amazon.com, "Event message structure"). Keys are encoded as in a form."""
    found: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if event.size is not None:
        found["size"] = event.size
    if event.etag:
        found["eTag"] = event.etag
    if event.version:
        found["versionId"] = event.version
    found["sequencer"] = sequencer(event)
    return {
        "eventVersion": "2.3" if event.name.startswith(_LATER) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": event.region,
        "eventTime": text_of_time(event.time),
        "eventName": event.name,
        # Of S3 itself a choice: AWS documents these members, and no example of a lifecycle rule's.
        "userIdentity": {"principalId": S3_ITSELF if event.is_of_s3 else f"AWS:{event.access_key or event.account}"},
        "requestParameters": {"sourceIPAddress": S3_ITSELF if event.is_of_s3 else event.address},
        "responseElements": {"x-amz-request-id": event.request_id, "x-amz-id-2": event.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": event.bucket,
                "ownerIdentity": {"principalId": event.account},
                "arn": bucket_arn(event),
            },
            "object": found,
        },
        **_restored(event),
    }


def _restored(event: ObjectEvent) -> dict[str, Any]:
    if event.name != "ObjectRestore:Completed" or event.restored_until is None:
        return {}
    restore = {
        "lifecycleRestorationExpiryTime": text_of_time(event.restored_until),
        "lifecycleRestoreStorageClass": event.storage_class,
    }
    return {"glacierEventData": {"restoreEventData": restore}}


def message(event: ObjectEvent, configuration: str) -> str:
    """The body of the message to a queue, a topic or a function."""
    return json.dumps({"Records": [record(event, configuration)]}, separators=(",", ":"))


def test_message(bucket: str, time: float, request_id: str) -> str:
    """What S3 sends to each destination of a new configuration."""
    return json.dumps(
        {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": text_of_time(time),
            "Bucket": bucket,
            "RequestId": request_id,
            "HostId": request_id,
        },
        separators=(",", ":"),
    )


def destinations(configuration: Mapping[str, Any], event: ObjectEvent) -> Iterator[tuple[str, str]]:
    """(id, ARN) of each part of a bucket's configuration that the event fits."""
    for member, arn in DESTINATIONS:
        for one in configuration.get(member) or ():
            if _is_named(event.name, one.get("Events") or ()) and _fits(event.key, one.get("Filter") or {}):
                yield one.get("Id", ""), one[arn]


def arns(configuration: Mapping[str, Any]) -> list[str]:
    """The destinations of a configuration, each once."""
    found = [one[arn] for member, arn in DESTINATIONS for one in configuration.get(member) or ()]
    return list(dict.fromkeys(found))


def _is_named(name: str, wanted: list[str] | tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(f"s3:{name}", one) for one in wanted)


def _fits(key: str, given: Mapping[str, Any]) -> bool:
    for rule in (given.get("Key") or {}).get("FilterRules") or ():
        name, value = str(rule.get("Name", "")).lower(), rule.get("Value", "")
        if name == "prefix" and not key.startswith(value):
            return False
        if name == "suffix" and not key.endswith(value):
            return False
    return True
