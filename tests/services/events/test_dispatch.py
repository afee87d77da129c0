"""Events on their way to the targets of rules, at least once: those of clients, of changes, alarms and schedules."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from samebox.resources.query import Query
from samebox.services.cloudwatch import alarms
from samebox.services.events import dispatch
from samebox.services.events.delivery import DeliveryFailed, Targets, arn_parts, nowhere
from samebox.services.events.dispatch import EventDispatch
from tests.conftest import ACCOUNT, CALLER, REGION, Aws
from tests.scenarios.emulator_process import until
from tests.services.cloudwatch.test_alarms import ALARM

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
GROUP = "/aws/events/all"
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"


class Bus:
    """EventBridge of an emulator, whose queue keeps what it is sent."""

    def __init__(self, aws: Aws, destinations: dict[str, str] | None = None) -> None:
        self.aws = aws
        self.client = aws.client("events")
        self.now = 1_700_000_000.0
        self.sent: list[tuple[str, Any]] = []
        self.subjects: list[str] = []
        self.fails = False
        self.breaks: str | None = None  # the n of an event at which the delivery has an error of its own
        services = aws.services
        targets = Targets(services.logbook, lambda: self.now, destinations or {}, self._deliver)
        self.dispatch = EventDispatch(services.resources, services.metrics, targets, lambda: self.now)

    def _deliver(self, arn: str, payload: str, subject: str = "") -> None:
        if self.fails:
            raise DeliveryFailed("the queue is gone")
        if self.breaks is not None and json.loads(payload)["detail"]["n"] == self.breaks:
            raise RuntimeError("unforeseen")
        self.sent.append((arn, json.loads(payload)))
        self.subjects.append(subject)

    def rule(self, name: str = "r", pattern: Any = None, arn: str = QUEUE, **params: Any) -> None:
        given = {"EventPattern": json.dumps(pattern)} if pattern is not None else {}
        self.client.put_rule(Name=name, **given, **params)
        bus = {"EventBusName": params["EventBusName"]} if "EventBusName" in params else {}
        self.client.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}], **bus)

    def put(self, **entry: Any) -> None:
        given = {"Source": "shop", "DetailType": "order", "Detail": '{"n": 1}', **entry}
        assert self.client.put_events(Entries=[given])["FailedEntryCount"] == 0

    def events(self) -> list[dict[str, Any]]:
        """What the queue was sent since this was last asked."""
        self.dispatch.dispatch()
        found = [payload for _, payload in self.sent]
        self.sent.clear()
        return found

    def counted(self, name: str, rule: str = "r") -> float:
        metrics = self.aws.services.metrics
        (series,) = metrics.series(ACCOUNT, REGION, "AWS/Events", name, {"RuleName": rule})
        return sum(one.total for one in metrics.read(series, 0, 2e9, 60))


@pytest.fixture
def bus(aws: Aws) -> Bus:
    return Bus(aws)


def test_an_event_reaches_the_targets_of_the_rules_that_match(bus: Bus) -> None:
    bus.rule("r", {"source": ["shop"], "detail": {"n": [1]}})
    bus.rule("other", {"source": ["else"]})
    bus.rule("off", {"source": ["shop"]}, State="DISABLED")
    bus.put(Resources=["arn:x"], Time=1_600_000_000)
    (event,) = bus.events()
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0", "detail-type": "order", "source": "shop", "account": ACCOUNT, "region": REGION,
        "time": "2020-09-13T12:26:40Z", "resources": ["arn:x"], "detail": {"n": 1},
    }  # fmt: skip
    assert bus.events() == []
    assert (bus.counted("Invocations"), bus.counted("TriggeredRules")) == (1.0, 1.0)


def test_a_log_group_is_written_to(bus: Bus) -> None:
    bus.aws.logs.create_log_group(logGroupName=GROUP)
    bus.rule("r", {"source": ["shop"]}, GROUP_ARN)
    bus.put()
    bus.dispatch.dispatch()
    (event,) = bus.aws.logs.filter_log_events(logGroupName=GROUP)["events"]
    assert json.loads(event["message"])["detail"] == {"n": 1}


def test_a_delivery_that_fails_is_counted_and_holds_nothing_up(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    bus.rule("r", {"source": ["shop"]}, GROUP_ARN)
    bus.rule("s", {"source": ["shop"]})
    bus.put()
    assert len(bus.events()) == 1
    assert bus.counted("FailedInvocations") == 1.0
    assert f"rule r of bus default: target {GROUP_ARN} failed: there is no log group {GROUP}" in caplog.text


def test_without_another_emulator_a_queue_is_named(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    services = bus.aws.services
    alone = EventDispatch(services.resources, services.metrics, Targets(services.logbook, lambda: 1.0, {}), lambda: 1.0)
    bus.rule("r", {"source": ["shop"]})
    bus.put()
    alone.dispatch()
    assert "samebox has no sqs; `samebox up --localstack` starts one that has" in caplog.text


def test_an_event_is_delivered_again_where_a_crash_came_in_between(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    bus.rule("r", {"source": ["shop"]})
    bus.put()

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bus.aws.resources.store, "announced", crash)
        with pytest.raises(KeyboardInterrupt):
            bus.dispatch.dispatch()
    first, second = bus.events()
    assert first == second
    assert bus.events() == []


def test_buses_are_apart_and_pass_events_on(bus: Bus) -> None:
    bus.client.create_event_bus(Name="b")
    bus.rule("r", {"source": ["shop"]}, EventBusName="b")
    bus.put()
    assert bus.events() == []
    bus.put(EventBusName="b")
    assert len(bus.events()) == 1
    bus.rule("on", {"source": ["shop"]}, f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/b")
    bus.put()
    assert [one["source"] for one in bus.events()] == ["shop"]


def test_a_circle_of_buses_ends(bus: Bus) -> None:
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus"
    bus.client.create_event_bus(Name="b")
    bus.rule("there", {"source": ["shop"]}, f"{arn}/b")
    bus.rule("back", {"source": ["shop"]}, f"{arn}/default", EventBusName="b")
    bus.put()
    assert bus.events() == []
    assert bus.counted("FailedInvocations", "back") + 0 == 1.0


def test_a_change_of_a_training_job_is_an_event(bus: Bus) -> None:
    bus.rule("r", {"source": ["aws.sagemaker"]})
    arn = bus.aws.create("TrainingJob")
    job = bus.aws.resources.by_arn(arn)
    assert job is not None
    bus.aws.resources.advance(job, "Downloading", "Downloading input data")
    first, second = bus.events()
    assert (first["detail-type"], first["resources"]) == ("SageMaker Training Job State Change", [arn])
    assert (first["account"], first["region"], first["source"]) == (ACCOUNT, REGION, "aws.sagemaker")
    assert [one["detail"]["SecondaryStatus"] for one in (first, second)] == ["Starting", "Downloading"]
    detail = second["detail"]
    assert (detail["TrainingJobStatus"], detail["TrainingJobArn"], detail["Tags"]) == ("InProgress", arn, {})
    assert detail["CreationTime"] == round(job.created * 1000)
    assert detail["SecondaryStatusTransitions"][0]["Status"] == "Starting"
    assert detail["ResourceConfig"]["InstanceType"] == "ml.m5.large"


def test_what_does_not_change_the_status_is_no_event(bus: Bus) -> None:
    bus.rule("r", {"source": ["aws.sagemaker"]})
    job = bus.aws.resources.by_arn(bus.aws.create("TrainingJob"))
    assert job is not None
    bus.events()
    bus.aws.resources.annotate(job, "Still starting")
    bus.aws.sagemaker.add_tags(ResourceArn=job.arn, Tags=[{"Key": "a", "Value": "b"}])
    assert bus.events() == []


def test_without_a_rule_nothing_waits(bus: Bus) -> None:
    bus.aws.create("TrainingJob")
    assert bus.aws.resources.store.outbox(10) == []


@pytest.mark.parametrize(
    ("noun", "detail_type", "member", "status"),
    [
        ("Endpoint", "SageMaker Endpoint State Change", "EndpointStatus", "CREATING"),
        ("ProcessingJob", "SageMaker Processing Job State Change", "ProcessingJobStatus", "InProgress"),
        ("TransformJob", "SageMaker Transform Job State Change", "TransformJobStatus", "InProgress"),
        ("ModelPackage", "SageMaker Model Package State Change", "ModelPackageStatus", "Completed"),
        ("Image", "SageMaker Image State Change", "ImageStatus", "CREATED"),
    ],
)
def test_other_nouns(bus: Bus, noun: str, detail_type: str, member: str, status: str) -> None:
    bus.rule("r", {"detail-type": [detail_type]})
    arn = bus.aws.create(noun)
    (event,) = bus.events()
    assert (event["resources"], event["detail"][member]) == ([arn], status)


def test_a_model_that_is_created_or_deleted(bus: Bus) -> None:
    bus.rule("r", {"detail-type": ["SageMaker Model State Change"]})
    arn = bus.aws.create("Model")
    bus.aws.sagemaker.delete_model(ModelName="digits")
    assert [one["resources"] for one in bus.events()] == [[arn], [arn]]


def test_the_approval_of_a_model_package(bus: Bus) -> None:
    arn = bus.aws.create("ModelPackage")
    bus.rule("r", {"detail": {"ModelApprovalStatus": ["Rejected"]}})
    bus.aws.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    (event,) = bus.events()
    assert event["detail"]["ModelPackageArn"] == arn
    assert event["detail"]["CreationTime"].endswith("Z")
    assert "Tags" not in event["detail"]


def test_an_alarm_that_goes_off(bus: Bus) -> None:
    bus.rule("r", {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}})
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
    alarms.put_metric_alarm(bus.aws.services, {**ALARM, "AlarmActions": [topic], "AlarmDescription": "d"}, CALLER)
    state = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "fire drill", "StateReasonData": "{}"}
    alarms.set_alarm_state(bus.aws.services, state, CALLER)
    bus.dispatch.dispatch()
    (_, event), (action, _) = bus.sent
    detail = event["detail"]
    assert (action, bus.subjects[1]) == (topic, 'ALARM: "errors" in US East (N. Virginia)')
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors"]
    assert detail["configuration"] == {
        "description": "d",
        "metrics": [
            {
                "id": "m1",
                "metricStat": {
                    "metric": {"dimensions": {}, "name": "errors", "namespace": "Shop"}, "period": 60, "stat": "Sum",
                },
                "returnData": True,
            }
        ],
    }  # fmt: skip
    assert detail["previousState"]["reason"] == "Unchecked: Initial alarm creation"
    assert (detail["state"]["value"], detail["state"]["reasonData"]) == ("ALARM", "{}")
    assert detail["state"]["timestamp"].endswith("+0000")


def test_actions_that_are_disabled_are_not_sent(bus: Bus) -> None:
    asked = {**ALARM, "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"], "ActionsEnabled": False}
    alarms.put_metric_alarm(bus.aws.services, asked, CALLER)
    state = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "fire drill"}
    alarms.set_alarm_state(bus.aws.services, state, CALLER)
    assert bus.events() == []


def test_a_schedule_fires_when_it_is_due(bus: Bus) -> None:
    bus.rule("r", ScheduleExpression="rate(1 minute)")
    (rule,) = bus.aws.resources.store.find(Query("EventRule"))
    bus.now = rule.created + 1
    bus.dispatch.fire_due()
    assert bus.events() == []
    bus.now = rule.created + 61
    bus.dispatch.fire_due()
    bus.dispatch.fire_due()
    (event,) = bus.events()
    assert (event["detail-type"], event["source"], event["detail"]) == ("Scheduled Event", "aws.events", {})
    assert event["resources"] == [rule.arn]
    bus.client.disable_rule(Name="r")
    bus.now += 60
    bus.dispatch.fire_due()
    assert bus.events() == []


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """An HTTP server on loopback, and the bodies that it was sent."""
    seen: list[Any] = []

    class HookHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200 if self.path == "/hook?a=b" else 302)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), HookHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def test_an_api_destination_of_this_machine_is_posted_to(aws: Aws, hook: tuple[str, list[Any]]) -> None:
    url, seen = hook
    bus = Bus(aws, {"hook": f"{url}/hook?a=b", "moved": f"{url}/moved"})
    for name in ("hook", "moved", "unknown"):
        bus.rule(name, {"source": ["shop"]}, f"arn:aws:events:{REGION}:{ACCOUNT}:api-destination/{name}/1234")
    bus.put()
    bus.dispatch.dispatch()
    assert [one["source"] for one in seen] == ["shop", "shop"]
    assert [len(aws.services.metrics.series(ACCOUNT, REGION, "AWS/Events", "FailedInvocations", {"RuleName": name}))
            for name in ("hook", "moved", "unknown")] == [0, 1, 1]  # fmt: skip


def test_what_waits_at_the_start_is_dispatched(bus: Bus) -> None:
    bus.rule("r", {"source": ["shop"]})
    bus.put()
    bus.dispatch.start()
    try:
        until(lambda: len(bus.sent) == 1, 60, "the first event is delivered")
        bus.put()
        until(lambda: len(bus.sent) == 2, 60, "the second event is delivered")
    finally:
        bus.dispatch.close()


def test_an_error_of_our_own_ends_no_dispatch_and_is_given_up_in_the_end(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatch, "_LOOK_SECONDS", 0.01)
    bus.rule("r", {"source": ["shop"]})
    bus.breaks = "bad"
    bus.put(Detail='{"n": "bad"}')
    bus.put(Detail='{"n": "good"}')
    bus.dispatch.start()
    try:
        until(lambda: len(bus.sent) == 1, 60, "the event behind it is delivered")
    finally:
        bus.dispatch.close()
    assert caplog.text.count("RuntimeError: unforeseen") == 5
    assert "is given up" in caplog.text


def test_what_is_not_an_arn_has_no_parts_and_fails_as_a_target() -> None:
    assert arn_parts("x") == ["x", "", "", "", "", ""]
    assert arn_parts("arn:aws:logs:r:1:log-group:/a:*")[5] == "log-group:/a:*"
    with pytest.raises(DeliveryFailed, match="samebox has no"):
        nowhere("arn:x", "{}")
