"""Services that samebox does not run, answered by LocalStack in a container, through stock boto3 and one URL."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from samebox.containers.docker import DockerEngine
from tests.scenarios.emulator_process import ACCOUNT, WAIT_SECONDS, EmulatorProcess, docker, until

pytestmark = pytest.mark.docker

IMAGE = "samebox/localstack:latest"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One emulator, and one LocalStack, for this module."""
    if not docker("image", "ls", "--quiet", IMAGE):
        pytest.skip(f"{IMAGE} is not here: scripts/roots --localstack && docker buildx bake localstack")
    process = EmulatorProcess(tmp_path_factory.mktemp("samebox"), localstack="true")
    process.up()
    yield process
    process.remove()


def test_a_topic_sends_what_is_published_to_a_queue(emulator: EmulatorProcess) -> None:
    sqs, sns = emulator.client("sqs"), emulator.client("sns")
    queue = sqs.create_queue(QueueName="received")["QueueUrl"]
    assert queue.startswith(emulator.url)
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    assert arn == f"arn:aws:sqs:us-east-1:{ACCOUNT}:received"
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="trained")
    assert taken(sqs, queue) == "trained"


def taken(sqs: Any, queue: str) -> str:
    """The body of the next message, which is then gone."""

    def look() -> str | None:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return str(message["Body"])
        return None

    return until(look, WAIT_SECONDS, "a message")


def test_a_table_keeps_its_items(emulator: EmulatorProcess) -> None:
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="runs",
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="runs", Item={"name": {"S": "digits"}, "loss": {"N": "0.25"}})
    assert dynamodb.get_item(TableName="runs", Key={"name": {"S": "digits"}})["Item"]["loss"] == {"N": "0.25"}
    assert dynamodb.query(
        TableName="runs", KeyConditionExpression="#n = :n", ExpressionAttributeNames={"#n": "name"},
        ExpressionAttributeValues={":n": {"S": "digits"}},
    )["Count"] == 1  # fmt: skip


def test_a_state_machine_runs(emulator: EmulatorProcess) -> None:
    states = emulator.client("stepfunctions")
    definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "Result": {"loss": 1}, "End": True}}}
    machine = states.create_state_machine(
        name="pass", roleArn=f"arn:aws:iam::{ACCOUNT}:role/samebox", definition=json.dumps(definition)
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        return None if found["status"] == "RUNNING" else found

    result = until(ended, WAIT_SECONDS, "the end of the execution")
    assert (result["status"], json.loads(result["output"])) == ("SUCCEEDED", {"loss": 1})


def test_it_answers_the_emulator_alone(emulator: EmulatorProcess) -> None:
    emulator.client("sqs").list_queues()
    (container,) = emulator.containers("label=samebox.arn=localstack")
    with contextlib.closing(DockerEngine()) as engine:
        host, port = engine.address(container, 4566)
    for path in ("/", "/_localstack/health", "/_aws/sqs/messages"):
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
            connection.request("GET", path)
            assert connection.getresponse().status == 403


def test_it_outlives_a_restart_of_the_emulator_and_is_removed_with_its_containers(emulator: EmulatorProcess) -> None:
    sqs = emulator.client("sqs")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    emulator.down()
    emulator.up()
    assert taken(sqs, queue) == "kept"
    (container,) = emulator.containers("label=samebox.arn=localstack")
    docker("kill", container)
    until(
        lambda: container not in emulator.containers("label=samebox.arn=localstack"), WAIT_SECONDS, "another container"
    )
    assert sqs.list_queues().get("QueueUrls", []) == []  # it held them in memory alone


def test_what_happens_in_a_bucket_reaches_the_queue_that_it_names(emulator: EmulatorProcess) -> None:
    sqs, s3 = emulator.client("sqs"), emulator.client("s3")
    queue = sqs.create_queue(QueueName="bucket")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket="notifying")
    filters = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "models/"}]}}
    s3.put_bucket_notification_configuration(
        Bucket="notifying",
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": filters}]
        },
    )
    assert json.loads(taken(sqs, queue))["Event"] == "s3:TestEvent"
    s3.put_object(Bucket="notifying", Key="models/model.tar.gz", Body=b"x")
    (record,) = json.loads(taken(sqs, queue))["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "models/model.tar.gz")


def test_an_event_reaches_the_queue_that_its_rule_names(emulator: EmulatorProcess) -> None:
    sqs, events = emulator.client("sqs"), emulator.client("events")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="trained", EventPattern=json.dumps({"source": ["my.training"]}))
    events.put_targets(Rule="trained", Targets=[{"Id": "queue", "Arn": arn}])
    events.put_events(Entries=[{"Source": "my.training", "DetailType": "Trained", "Detail": '{"loss": 1}'}])
    message = json.loads(taken(sqs, queue))
    assert (message["detail-type"], message["detail"]) == ("Trained", {"loss": 1})


def test_an_alarm_publishes_to_the_topic_that_it_names(emulator: EmulatorProcess) -> None:
    sqs, sns, cloudwatch = emulator.client("sqs"), emulator.client("sns"), emulator.client("cloudwatch")
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloudwatch.put_metric_alarm(
        AlarmName="latency", Namespace="AWS/SageMaker", MetricName="ModelLatency", Statistic="Average", Period=60,
        EvaluationPeriods=1, Threshold=1e6, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic],
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="latency", StateValue="ALARM", StateReason="a drill")
    envelope = json.loads(taken(sqs, queue))
    message = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "latency" in US East (N. Virginia)'
    assert (message["NewStateValue"], message["NewStateReason"]) == ("ALARM", "a drill")
    assert message["Trigger"]["MetricName"] == "ModelLatency"
