"""Events of a bucket on the default bus of EventBridge: their form, and their way to the target of a rule."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.s3.store import S3Store
from samebox.services.s3 import event_bridge
from samebox.services.s3.housekeeping import Housekeeping
from samebox.services.s3.notification_events import ObjectEvent
from samebox.services.s3.notifications import Notifications
from samebox.settings import Settings
from tests.conftest import ACCOUNT
from tests.ports import free_port
from tests.scenarios.emulator_process import until

GROUP = "/aws/events/s3"
WAIT_SECONDS = 60.0  # bounds a failure
# S3 User Guide, "EventBridge event message structure", but for ids and letters of the sequencer.
CREATED = ObjectEvent(
    "ObjectCreated:Put", "bucket1", "a b", 1_636_675_200.0, "ca-central-1", "111122223333", size=5,
    etag="b1946ac92492d2347c6235b4d2611184", version="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", access_key="AKIA",
    address="1.2.3.4", request_id="N4N7GDK58NMKJ12R",
)  # fmt: skip


def test_an_object_that_was_created_is_the_event_of_the_guide() -> None:
    posted = event_bridge.posted(CREATED)
    assert posted["EventBusName"] == "default"
    assert len(posted["Event"].pop("id")) == 36
    assert posted["Event"] == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "ca-central-1",
        "resources": ["arn:aws:s3:::bucket1"],
        "detail": {
            "version": "0",
            "bucket": {"name": "bucket1"},
            "object": {
                "key": "a b",
                "size": 5,
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                "sequencer": "0016B6A36C44B10000",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "111122223333",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


class EventBridgeBucket:
    """A bucket whose events reach a log group by a rule."""

    def __init__(self, url: str, name: str) -> None:
        session = boto3.Session(ACCOUNT, "any", region_name="us-east-1")
        self.name = name
        self.s3, self.logs = session.client("s3", endpoint_url=url), session.client("logs", endpoint_url=url)
        events = session.client("events", endpoint_url=url)
        self.logs.create_log_group(logGroupName=GROUP)
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        events.put_rule(Name="s3", EventPattern=json.dumps({"source": ["aws.s3"]}))
        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}"
        events.put_targets(Rule="s3", Targets=[{"Id": "1", "Arn": arn}])

    def events(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """Type and detail of all events, in their order, once there are so many."""
        until(lambda: len(self._events()) >= count, WAIT_SECONDS, f"{count} events")
        found = self._events()
        assert len(found) == count
        return [(one["detail-type"], one["detail"]) for one in found]

    def _events(self) -> list[dict[str, Any]]:
        return [json.loads(one["message"]) for one in self.logs.filter_log_events(logGroupName=GROUP)["events"]]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventBridgeBucket]:
    settings = Settings(port=free_port(), data_dir=tmp_path_factory.mktemp("data"), container_credentials=False)
    with server.running(settings, FakeEngine(tmp_path_factory.mktemp("engine"))):
        yield EventBridgeBucket(settings.url, "announced")


def test_the_setting_is_shown(bucket: EventBridgeBucket) -> None:
    shown = bucket.s3.get_bucket_notification_configuration(Bucket=bucket.name)
    assert shown["EventBridgeConfiguration"] == {}


def test_what_is_done_to_objects_reaches_the_targets_of_rules(bucket: EventBridgeBucket) -> None:
    s3, name = bucket.s3, bucket.name
    s3.create_bucket(Bucket="silent")
    s3.put_object(Bucket="silent", Key="a", Body=b"1")
    etag = s3.put_object(Bucket=name, Key="a", Body=b"1,2")["ETag"].strip('"')
    s3.copy_object(Bucket=name, Key="b", CopySource={"Bucket": name, "Key": "a"}, StorageClass="GLACIER")
    s3.put_object_tagging(Bucket=name, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.restore_object(Bucket=name, Key="b", RestoreRequest={"Days": 1})
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a"}]})
    created, copied, tagged, begun, ended, deleted = bucket.events(6)
    assert created[0] == copied[0] == "Object Created"
    assert (created[1]["reason"], copied[1]["reason"]) == ("PutObject", "CopyObject")
    assert (created[1]["object"]["size"], created[1]["object"]["etag"]) == (3, etag)
    assert tagged == ("Object Tags Added", {**tagged[1], "object": {"key": "a", "etag": etag}})
    assert (begun[0], begun[1]["source-storage-class"]) == ("Object Restore Initiated", "GLACIER")
    assert (ended[0], ended[1]["requester"]) == ("Object Restore Completed", "s3.amazonaws.com")
    assert ended[1]["restore-expiry-time"].endswith("T00:00:00Z")
    assert (deleted[0], deleted[1]["deletion-type"]) == ("Object Deleted", "Permanently Deleted")


def test_what_lifecycle_rules_remove_is_announced_as_s3_s_own_doing(tmp_path: Path) -> None:
    now, posted = [1_700_000_000.0], list[dict[str, Any]]()
    store = S3Store(tmp_path, clock=lambda: now[0])
    notifications = Notifications(store, lambda: now[0], lambda one: posted.append(one["Event"]))
    for name, versioning in (("plain", False), ("versioned", True), ("silent", False)):
        store.buckets.create(name, ACCOUNT, "us-east-1")
        rules = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}]}
        store.buckets.set_setting(name, "lifecycle", json.dumps(rules))
        if versioning:
            store.buckets.set_versioning(name, "Enabled")
        with store.receive() as body:
            body.write(b"1")
            store.objects.put(name, "key", body)
    for name in ("plain", "versioned"):
        store.buckets.set_setting(name, "notification", json.dumps({event_bridge.MEMBER: {}}))
    now[0] += 3 * 86_400
    assert Housekeeping(store, notifications.expired).look() == 3
    store.close()
    details = {one["detail"]["bucket"]["name"]: one["detail"] for one in posted}
    assert {name: one["deletion-type"] for name, one in details.items()} == {
        "plain": "Permanently Deleted",
        "versioned": "Delete Marker Created",
    }
    for one in details.values():
        assert (one["requester"], one["reason"], one["object"]["key"]) == (
            "s3.amazonaws.com", "Lifecycle Expiration", "key",
        )  # fmt: skip
        assert "source-ip-address" not in one
