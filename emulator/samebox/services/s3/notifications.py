"""Notifications of S3: what happened to objects goes to the destinations that their buckets name."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.services.outbox import OutgoingMessage, Undeliverable
from samebox.services.s3 import event_bridge, notification_events
from samebox.services.s3.notification_events import SUBJECT, ObjectEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from samebox.s3.expiry import ExpiredVersion
    from samebox.s3.records import Bucket
    from samebox.s3.store import S3Store
    from samebox.services.outbox import MessageDelivery, Outbox
    from samebox.services.s3.requests import S3Request, S3Response

log = logging.getLogger(__name__)

SETTING = "notification"
_CREATED: Mapping[str, str] = {
    "PutObject": "ObjectCreated:Put",
    "CopyObject": "ObjectCreated:Copy",
    "CompleteMultipartUpload": "ObjectCreated:CompleteMultipartUpload",
    "PutObjectTagging": "ObjectTagging:Put",
    "DeleteObjectTagging": "ObjectTagging:Delete",
    "PutObjectAcl": "ObjectAcl:Put",
}
# The operations after which there may be an event.
OPERATIONS = frozenset({*_CREATED, "DeleteObject", "DeleteObjects", "RestoreObject"})
_UNVERSIONED = ("", "null")
_EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"  # the ETag of a delete marker in events


@dataclass(frozen=True)
class Messages:
    """The way to queues, topics and functions. `deliver` is for the message by which a destination is tried out."""

    outbox: Outbox
    deliver: MessageDelivery


class Notifications:
    """`announce` posts an event to EventBridge. Without `messages` there are no queues, topics and functions."""

    def __init__(
        self,
        store: S3Store,
        clock: Callable[[], float],
        announce: Callable[[Mapping[str, Any]], None],
        messages: Messages | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._announce = announce
        self._messages = messages

    def is_due(self, request: S3Request) -> bool:
        """Whether the operation is one that its bucket may want events of. Reads nothing that is not at hand."""
        return request.operation in OPERATIONS and self._configuration(request.bucket_name)[1] is not None

    def after(self, request: S3Request, response: S3Response, request_id: str) -> None:
        """What an operation did, once it is on disk."""
        bucket, configuration = self._configuration(request.bucket_name)
        if bucket is None or configuration is None:
            return
        base = replace(
            _event(bucket, request.now), access_key=request.caller.access_key, request_id=request_id, key=request.key
        )
        if request.operation == "RestoreObject":
            events = self._restored(base, request)
        elif request.operation in _CREATED:
            name = "ObjectCreated:Post" if request.is_signed_form else _CREATED[request.operation]
            events = self._created(replace(base, name=name), response)
        else:
            events = _removed(base, request, response, is_versioned=bucket.versioning == "Enabled")
        for event in events:
            self._send(configuration, event)

    def written(self, bucket_name: str, key: str) -> None:
        """An object that a job wrote."""
        bucket, configuration = self._configuration(bucket_name)
        if bucket is not None and configuration is not None:
            base = replace(_event(bucket, self._clock()), name="ObjectCreated:Put", key=key)
            for event in self._created(base, None):
                self._send(configuration, event)

    def expired(self, bucket_name: str, removed: Sequence[ExpiredVersion]) -> None:
        """What lifecycle rules removed from a bucket, once it is on disk."""
        bucket, configuration = self._configuration(bucket_name)
        if bucket is None or configuration is None:
            return
        base = replace(_event(bucket, self._clock()), is_of_s3=True)
        for one in removed:
            name = "DeleteMarkerCreated" if one.marker else "Delete"
            version = one.marker or one.version
            event = replace(
                base,
                name=f"LifecycleExpiration:{name}",
                key=one.key,
                etag=_EMPTY_MD5 if one.marker else one.etag,
                version="" if version in _UNVERSIONED else version,
            )
            self._send(configuration, event)

    def check(self, request: S3Request, request_id: str) -> None:
        """Send the test event to each destination of a configuration that is to be put. Raises InvalidArgument."""
        if self._messages is None or request.head.headers.get("x-amz-skip-destination-validation") == "true":
            return
        configuration = request.params.get("NotificationConfiguration") or {}
        body = notification_events.test_message(request.bucket_name, request.now, request_id)
        for arn in notification_events.arns(configuration):
            try:
                self._messages.deliver(OutgoingMessage(arn, body, SUBJECT))
            except Undeliverable as error:
                log.info("notifications of %s to %s are refused: %s", request.bucket_name, arn, error.message)
                # As AWS words it; the value of the second field is its own.
                fields = {"ArgumentName": arn, "ArgumentValue": "The destination does not exist"}
                text = "Unable to validate the following destination configurations"
                raise AwsError("InvalidArgument", text, 400, fields) from None

    def _configuration(self, bucket: str) -> tuple[Bucket | None, Mapping[str, Any] | None]:
        try:
            text = self._store.buckets.setting(bucket, SETTING)
            return (None, None) if text is None else (self._store.buckets.get(bucket), json.loads(text))
        except AwsError:  # it was deleted meanwhile
            return None, None

    def _created(self, event: ObjectEvent, response: S3Response | None) -> Iterator[ObjectEvent]:
        wanted = None if response is None else response.result.get("VersionId")
        try:
            found = self._store.objects.head(event.bucket, event.key, wanted)
        except AwsError:  # it was deleted meanwhile
            return
        version = "" if found.version in _UNVERSIONED else found.version
        yield replace(event, size=found.size, etag=found.etag, version=version)

    def _restored(self, base: ObjectEvent, request: S3Request) -> Iterator[ObjectEvent]:
        """A restore is finished at once: it begins by a request, and S3 ends it."""
        found = self._store.objects.head(request.bucket_name, request.key, request.version)
        begun = replace(
            base, name="ObjectRestore:Post", size=found.size, etag=found.etag,
            version="" if found.version in _UNVERSIONED else found.version,
            restored_until=found.attributes.restored_until, storage_class=found.attributes.storage_class,
        )  # fmt: skip
        yield begun
        yield replace(begun, name="ObjectRestore:Completed", is_of_s3=True)

    def _send(self, configuration: Mapping[str, Any], event: ObjectEvent) -> None:
        if event_bridge.MEMBER in configuration:
            self._announce(event_bridge.posted(event))
        if self._messages is not None:
            for name, arn in notification_events.destinations(configuration, event):
                self._messages.outbox.add(OutgoingMessage(arn, notification_events.message(event, name), SUBJECT))


def _event(bucket: Bucket, time: float) -> ObjectEvent:
    """Of an object of this bucket, without a name and a key."""
    return ObjectEvent("", bucket.name, "", time, bucket.region, bucket.account)


def _removed(
    base: ObjectEvent, request: S3Request, response: S3Response, *, is_versioned: bool
) -> Iterator[ObjectEvent]:
    if request.operation == "DeleteObject":
        named: list[dict[str, Any]] = [{"Key": request.key, "VersionId": request.params.get("VersionId")}]
    else:
        named = request.params["Delete"].get("Objects") or []
    refused = {(one.get("Key"), one.get("VersionId")) for one in response.result.get("Errors") or ()}
    markers = {one["Key"]: one.get("DeleteMarkerVersionId", "") for one in response.result.get("Deleted") or ()}
    for one in named:
        key, version = one["Key"], one.get("VersionId") or ""
        if (key, one.get("VersionId")) in refused:
            continue
        if is_versioned and not version:
            marker = response.result.get("VersionId") or markers.get(key, "")
            yield replace(base, name="ObjectRemoved:DeleteMarkerCreated", key=key, version=marker, etag=_EMPTY_MD5)
        else:
            yield replace(base, name="ObjectRemoved:Delete", key=key, version=version)
