"""What happened to an object, as S3 tells EventBridge of it (S3 User Guide, "EventBridge event message structure")."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from samebox.services.s3.notification_events import S3_ITSELF, bucket_arn, sequencer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.services.s3.notification_events import ObjectEvent

MEMBER = "EventBridgeConfiguration"  # of a bucket's configuration: there is nothing in it, it is there or not
BUS = "default"
_CREATED, _DELETED = "Object Created", "Object Deleted"


@dataclass(frozen=True)
class _Form:
    """The type of an event, and the members of its detail that not every event has."""

    type: str
    reason: str = ""
    deletion: str = ""
    has_size: bool = False
    has_sequencer: bool = False


def _created(reason: str) -> _Form:
    return _Form(_CREATED, reason, has_size=True, has_sequencer=True)


def _deleted(reason: str, deletion: str) -> _Form:
    return _Form(_DELETED, reason, deletion, has_sequencer=True)


_FORMS: Mapping[str, _Form] = {
    "ObjectCreated:Put": _created("PutObject"),
    "ObjectCreated:Post": _created("POST Object"),
    "ObjectCreated:Copy": _created("CopyObject"),
    "ObjectCreated:CompleteMultipartUpload": _created("CompleteMultipartUpload"),
    "ObjectRemoved:Delete": _deleted("DeleteObject", "Permanently Deleted"),
    "ObjectRemoved:DeleteMarkerCreated": _deleted("DeleteObject", "Delete Marker Created"),
    "LifecycleExpiration:Delete": _deleted("Lifecycle Expiration", "Permanently Deleted"),
    "LifecycleExpiration:DeleteMarkerCreated": _deleted("Lifecycle Expiration", "Delete Marker Created"),
    "ObjectRestore:Post": _Form("Object Restore Initiated", has_size=True),
    "ObjectRestore:Completed": _Form("Object Restore Completed", has_size=True),
    "ObjectTagging:Put": _Form("Object Tags Added"),
    "ObjectTagging:Delete": _Form("Object Tags Deleted"),
    "ObjectAcl:Put": _Form("Object ACL Updated"),
}


def posted(event: ObjectEvent) -> dict[str, Any]:
    """The event with its bus, as the outbox of EventBridge keeps it. Its id stays when it is delivered twice."""
    return {
        "EventBusName": BUS,
        "Event": {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": _FORMS[event.name].type,
            "source": "aws.s3",
            "account": event.account,
            "time": _time(event.time),
            "region": event.region,
            "resources": [bucket_arn(event)],
            "detail": _detail(event, _FORMS[event.name]),
        },
    }


def _detail(event: ObjectEvent, form: _Form) -> dict[str, Any]:
    found: dict[str, Any] = {"key": event.key}  # as it is: records of notifications have it encoded
    if form.has_size and event.size is not None:
        found["size"] = event.size
    if event.etag:
        found["etag"] = event.etag
    if event.version:
        found["version-id"] = event.version
    if form.has_sequencer:
        found["sequencer"] = sequencer(event)
    detail = {
        "version": "0",
        "bucket": {"name": event.bucket},
        "object": found,
        "request-id": event.request_id,
        "requester": S3_ITSELF if event.is_of_s3 else event.account,
    }
    if not event.is_of_s3:
        detail["source-ip-address"] = event.address
    if form.reason:
        detail["reason"] = form.reason
    if form.deletion:
        detail["deletion-type"] = form.deletion
    if event.restored_until is not None:
        if event.is_of_s3:
            detail["restore-expiry-time"] = _time(event.restored_until)
        detail["source-storage-class"] = event.storage_class
    return detail


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
