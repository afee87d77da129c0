"""Notifications of S3: what happened to objects goes to the destinations that their buckets name."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError
from samebox.services.outbox import OutgoingMessage, Undeliverable
from samebox.services.s3 import notification_events
from samebox.services.s3.notification_events import SUBJECT, ObjectEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
OPERATIONS = frozenset({*_CREATED, "DeleteObject", "DeleteObjects"})
_UNVERSIONED = ("", "null")


class Notifications:
    """Puts messages into `outbox`. `deliver` is for the message by which a new destination is tried out."""

    def __init__(self, store: S3Store, outbox: Outbox, deliver: MessageDelivery, clock: Callable[[], float]) -> None:
        self._store = store
        self._outbox = outbox
        self._deliver = deliver
        self._clock = clock

    def after(self, request: S3Request, response: S3Response, request_id: str) -> None:
        """What an operation did, once it is on disk."""
        bucket, configuration = self._configuration(request.bucket_name)
        if bucket is None or configuration is None:
            return
        base = ObjectEvent(
            "", bucket.name, "", request.now, bucket.region, bucket.account,
            access_key=request.caller.access_key, request_id=request_id,
        )  # fmt: skip
        if request.operation in _CREATED:
            name = "ObjectCreated:Post" if request.is_signed_form else _CREATED[request.operation]
            events = self._created(replace(base, name=name, key=request.key), response)
        else:
            events = _removed(base, request, response, is_versioned=bucket.versioning == "Enabled")
        for event in events:
            self._send(configuration, event)

    def written(self, bucket_name: str, key: str) -> None:
        """An object that a job wrote."""
        bucket, configuration = self._configuration(bucket_name)
        if bucket is not None and configuration is not None:
            base = ObjectEvent("ObjectCreated:Put", bucket.name, key, self._clock(), bucket.region, bucket.account)
            for event in self._created(base, None):
                self._send(configuration, event)

    def check(self, request: S3Request, request_id: str) -> None:
        """Send the test event to each destination of a configuration that is to be put. Raises InvalidArgument."""
        if request.head.headers.get("x-amz-skip-destination-validation") == "true":
            return
        configuration = request.params.get("NotificationConfiguration") or {}
        body = notification_events.test_message(request.bucket_name, request.now, request_id)
        for arn in notification_events.arns(configuration):
            try:
                self._deliver(OutgoingMessage(arn, body, SUBJECT))
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

    def _send(self, configuration: Mapping[str, Any], event: ObjectEvent) -> None:
        for name, arn in notification_events.destinations(configuration, event):
            self._outbox.add(OutgoingMessage(arn, notification_events.message(event, name), SUBJECT))


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
            yield replace(base, name="ObjectRemoved:DeleteMarkerCreated", key=key, version=marker)
        else:
            yield replace(base, name="ObjectRemoved:Delete", key=key, version=version)
