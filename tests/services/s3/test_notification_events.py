"""Events of objects: which destinations one has, and its record as AWS documents it."""

import json
from dataclasses import replace

import pytest

from samebox.services.s3 import notification_events
from samebox.services.s3.notification_events import ObjectEvent

EVENT = ObjectEvent(
    "ObjectCreated:Put", "mybucket", "a b/ä+c.csv", 1.25, "us-west-2", "123456789012", size=1024,
    etag="d41d8cd98f00b204e9800998ecf8427e", version="v1", access_key="AKIAIOSFODNN7EXAMPLE",
    request_id="C3D13FE58DE4C810",
)  # fmt: skip
QUEUE, TOPIC = "arn:aws:sqs:us-west-2:123456789012:q", "arn:aws:sns:us-west-2:123456789012:t"


def test_a_record_has_the_members_of_version_2_1() -> None:
    (record,) = json.loads(notification_events.message(EVENT, "rule"))["Records"]
    assert record == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-west-2",
        "eventTime": "1970-01-01T00:00:01.250Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AKIAIOSFODNN7EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "rule",
            "bucket": {
                "name": "mybucket",
                "ownerIdentity": {"principalId": "123456789012"},
                "arn": "arn:aws:s3:::mybucket",
            },
            "object": {
                "key": "a+b/%C3%A4%2Bc.csv",
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "v1",
                "sequencer": "00000000004A817C80",
            },
        },
    }


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("ObjectRemoved:Delete", "2.1"),
        ("LifecycleExpiration:Delete", "2.3"),
        ("ObjectTagging:Put", "2.3"),
        ("ObjectAcl:Put", "2.3"),
    ],
)
def test_some_events_have_a_later_version(name: str, version: str) -> None:
    (record,) = json.loads(notification_events.message(replace(EVENT, name=name), "rule"))["Records"]
    assert record["eventVersion"] == version


def test_a_restore_that_is_finished_has_its_end_and_class() -> None:
    restored = replace(EVENT, name="ObjectRestore:Completed", restored_until=86_400.0, storage_class="GLACIER")
    (record,) = json.loads(notification_events.message(restored, "rule"))["Records"]
    assert record["glacierEventData"] == {
        "restoreEventData": {
            "lifecycleRestorationExpiryTime": "1970-01-02T00:00:00.000Z",
            "lifecycleRestoreStorageClass": "GLACIER",
        }
    }


@pytest.mark.parametrize(
    ("events", "rules", "fits"),
    [
        (["s3:ObjectCreated:*"], {}, True),
        (["s3:ObjectCreated:Put"], {}, True),
        (["s3:ObjectCreated:Copy", "s3:ObjectRemoved:*"], {}, False),
        (["s3:ObjectCreated:*"], {"prefix": "a b/", "suffix": ".csv"}, True),
        (["s3:ObjectCreated:*"], {"Prefix": "b/"}, False),
        (["s3:ObjectCreated:*"], {"Suffix": ".parquet"}, False),
    ],
)
def test_an_event_has_the_destinations_that_name_it_and_whose_filter_it_fits(
    events: list[str], rules: dict[str, str], fits: bool
) -> None:
    filters = {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in rules.items()]}}
    configuration = {
        "QueueConfigurations": [{"Id": "one", "QueueArn": QUEUE, "Events": events, "Filter": filters}],
        "TopicConfigurations": [{"Id": "two", "TopicArn": TOPIC, "Events": ["s3:ObjectRemoved:Delete"]}],
    }
    assert list(notification_events.destinations(configuration, EVENT)) == ([("one", QUEUE)] if fits else [])
    assert notification_events.arns(configuration) == [QUEUE, TOPIC]
