"""Notifications of buckets through boto3, with a LocalStack that keeps the messages which it is sent."""

import json
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.exceptions import ClientError

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeRequest, FakeResponse, Process
from samebox.settings import Settings
from tests.conftest import ACCOUNT
from tests.ports import free_port

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
GONE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone"
WAIT_SECONDS = 60.0  # bounds a failure
CREATED = ["s3:ObjectCreated:*"]


class DeliveredMessages:
    """(destination, message) in the order in which LocalStack took them."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()

    def program(self, process: Process) -> int:
        return process.serve(self._answer, port=4566)

    def _answer(self, request: FakeRequest) -> FakeResponse:
        named = {name.lower(): value for name, value in request.headers.items()}
        if named.get("x-amz-target") == "AmazonSQS.SendMessage":
            document = json.loads(request.body)
            name = document["QueueUrl"].rpartition("/")[2]
            if name == "gone":
                return FakeResponse(400, b'{"__type": "QueueDoesNotExist"}')
            self._queue.put((name, json.loads(document["MessageBody"])))
        elif request.body.startswith(b"Action=Publish"):
            form = parse_qs(request.body.decode())
            assert form["Subject"] == ["Amazon S3 Notification"]
            self._queue.put((form["TopicArn"][0].rpartition(":")[2], json.loads(form["Message"][0])))
        return FakeResponse(200, b"{}")

    def next(self) -> tuple[str, dict[str, Any]]:
        return self._queue.get(timeout=WAIT_SECONDS)

    def event(self) -> tuple[str, str, dict[str, Any]]:
        """Destination, name of the event, and the object of the next record."""
        destination, message = self.next()
        (record,) = message["Records"]
        return destination, record["eventName"], record["s3"]["object"]


@pytest.fixture(scope="module")
def received() -> DeliveredMessages:
    return DeliveredMessages()


@pytest.fixture(scope="module")
def s3(received: DeliveredMessages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    engine = FakeEngine(tmp_path_factory.mktemp("engine"))
    settings = Settings(
        port=free_port(), data_dir=tmp_path_factory.mktemp("data"), localstack=True, container_credentials=False
    )
    engine.add_image(settings.localstack_image, {"localstack": received.program}, entrypoint=("localstack",))
    with server.running(settings, engine):
        yield client(settings.url)


def client(url: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=ACCOUNT, aws_secret_access_key="any"
    )


def put(s3: Any, bucket: str, configuration: dict[str, Any], **more: Any) -> None:
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration, **more)


def test_a_new_destination_gets_a_test_event(s3: Any, received: DeliveredMessages) -> None:
    s3.create_bucket(Bucket="tested")
    put(s3, "tested", {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": CREATED}]})
    destination, message = received.next()
    assert (destination, message["Event"], message["Bucket"]) == ("q", "s3:TestEvent", "tested")
    (kept,) = s3.get_bucket_notification_configuration(Bucket="tested")["QueueConfigurations"]
    assert (kept["QueueArn"], len(kept["Id"])) == (QUEUE, 48)


def test_a_destination_that_is_not_there_is_refused_and_nothing_is_kept(s3: Any) -> None:
    s3.create_bucket(Bucket="refused")
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations") as caught:
        put(s3, "refused", {"QueueConfigurations": [{"QueueArn": GONE, "Events": CREATED}]})
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="refused")
    put(s3, "refused", {"QueueConfigurations": [{"QueueArn": GONE, "Events": CREATED}]},
        SkipDestinationValidation=True)  # fmt: skip


def test_each_way_to_make_and_remove_an_object_is_an_event(s3: Any, received: DeliveredMessages) -> None:
    s3.create_bucket(Bucket="events")
    topic = {"TopicArn": TOPIC, "Events": ["s3:ObjectRemoved:*"]}
    filters = {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".csv"}]}}
    queued = {"Id": "csv", "QueueArn": QUEUE, "Events": CREATED, "Filter": filters}
    put(s3, "events", {"QueueConfigurations": [queued], "TopicConfigurations": [topic]})
    assert {received.next()[0], received.next()[0]} == {"q", "t"}

    etag = s3.put_object(Bucket="events", Key="a b.csv", Body=b"1,2")["ETag"].strip('"')
    s3.put_object(Bucket="events", Key="a.json", Body=b"{}")  # no filter has it
    destination, name, seen = received.event()
    assert (destination, name, seen["key"], seen["size"], seen["eTag"]) == (
        "q", "ObjectCreated:Put", "a+b.csv", 3, etag,
    )  # fmt: skip
    s3.copy_object(Bucket="events", Key="b.csv", CopySource={"Bucket": "events", "Key": "a b.csv"})
    assert received.event()[1:2] == ("ObjectCreated:Copy",)
    upload = s3.create_multipart_upload(Bucket="events", Key="c.csv")["UploadId"]
    part = s3.upload_part(Bucket="events", Key="c.csv", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(
        Bucket="events", Key="c.csv", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}
    )
    assert received.event()[1:2] == ("ObjectCreated:CompleteMultipartUpload",)
    s3.delete_object(Bucket="events", Key="c.csv")
    destination, name, seen = received.event()
    assert (destination, name, seen["key"], "size" in seen) == ("t", "ObjectRemoved:Delete", "c.csv", False)
    s3.delete_objects(Bucket="events", Delete={"Objects": [{"Key": "a.json"}, {"Key": "b.csv"}], "Quiet": True})
    assert {received.event()[2]["key"], received.event()[2]["key"]} == {"a.json", "b.csv"}


def test_versions_are_named_and_a_delete_marker_is_an_event_of_its_own(s3: Any, received: DeliveredMessages) -> None:
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    every = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    put(s3, "versions", {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": every}]})
    received.next()
    version = s3.put_object(Bucket="versions", Key="a", Body=b"x")["VersionId"]
    assert received.event()[2]["versionId"] == version
    marker = s3.delete_object(Bucket="versions", Key="a")["VersionId"]
    _, name, seen = received.event()
    assert (name, seen["versionId"]) == ("ObjectRemoved:DeleteMarkerCreated", marker)
    s3.delete_object(Bucket="versions", Key="a", VersionId=version)
    _, name, seen = received.event()
    assert (name, seen["versionId"]) == ("ObjectRemoved:Delete", version)


def test_without_localstack_a_configuration_is_only_kept(tmp_path: Path) -> None:
    settings = Settings(port=free_port(), data_dir=tmp_path / "data", container_credentials=False)
    with server.running(settings, FakeEngine(tmp_path / "engine")):
        s3 = client(settings.url)
        s3.create_bucket(Bucket="kept")
        put(s3, "kept", {"QueueConfigurations": [{"Id": "one", "QueueArn": GONE, "Events": CREATED}]})
        (kept,) = s3.get_bucket_notification_configuration(Bucket="kept")["QueueConfigurations"]
    assert (kept["Id"], kept["QueueArn"], kept["Events"]) == ("one", GONE, CREATED)
