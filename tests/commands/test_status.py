"""What `samebox status` shows of many jobs and endpoints."""

import os
from pathlib import Path

import pytest

from samebox.commands import aws as clients
from samebox.commands import prune, status, where
from samebox.containers import kept_images
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerSpec
from samebox.containers.fake import FakeEngine
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Serving, StandIn, Variant
from samebox.resources.kinds import ENDPOINT, TRAINING_JOB
from samebox.resources.run_facts import JobFacts
from samebox.services import images
from tests import samples
from tests.conftest import ACCOUNT, CALLER, REGION, Aws


@pytest.fixture
def session(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> clients.Session:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", REGION)
    return clients.of_emulator(aws.url, aws.services.settings)


def job(aws: Aws, name: str, stage: str | None = None) -> None:
    made = aws.resources.create(TRAINING_JOB, CALLER, {**samples.TRAINING_JOB, "TrainingJobName": name})
    if stage:
        aws.resources.advance(made, stage)


def test_a_running_job_is_shown_however_many_have_ended_before_it(aws: Aws, session: clients.Session) -> None:
    for number in range(120):
        job(aws, f"ended-{number}", "Failed")
    job(aws, "first")
    job(aws, "stopping", "Stopping")
    job(aws, "last")
    assert [one["TrainingJobName"] for one in status.running_jobs(session)] == ["last", "stopping", "first"]


def test_every_endpoint_is_shown(aws: Aws, session: clients.Session) -> None:
    for number in range(101):
        aws.resources.create(ENDPOINT, CALLER, {**samples.OF_KIND["Endpoint"], "EndpointName": f"e{number}"})
    assert len(status.present_endpoints(session)) == 101


def test_what_runs_a_stand_in_for_an_image_of_aws_is_reported(aws: Aws) -> None:
    given = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    found = StandIn(given, "samebox/sklearn:cpu", "docker buildx bake sklearn")
    request = {**samples.TRAINING_JOB, "TrainingJobName": "learns"}
    aws.resources.create(TRAINING_JOB, CALLER, request, JobFacts("sha256:1", stand_in=found))
    own = {**samples.TRAINING_JOB, "TrainingJobName": "own"}
    aws.resources.create(TRAINING_JOB, CALLER, own, JobFacts("sha256:2"))
    variant = Variant("one", "model", "ml.m5.large", (ServedContainer(given, "sha256:1", stand_in=found),))
    serving = Serving(EndpointDeployment("config", (variant, variant)))
    aws.resources.create(ENDPOINT, CALLER, {**samples.OF_KIND["Endpoint"], "EndpointName": "answers"}, serving)
    assert [(row.name, one.given) for row, one in images.stand_ins(aws.resources.store)] == [
        ("learns", given),
        ("answers", given),
    ]


def test_strays_are_those_of_an_emulator_of_this_machine_whose_engine_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine(tmp_path / "engine")
    engine.add_image("box", {"work": lambda _: 0})
    image = engine.image("box")
    assert image is not None
    engine.tag(image.id, kept_images.name_of("mine", image.id))  # which is not a stray: the emulator keeps it a while
    engine.create(ContainerSpec("box", "left", ("work",), labels={INSTANCE_LABEL: "mine", ARN_LABEL: "arn:gone"}))
    monkeypatch.setattr(prune, "DockerEngine", lambda **_: engine)
    (tmp_path / "id").write_text("mine")
    answer = {"data_dir": str(tmp_path), "pid": os.getpid(), "engine": {"available": True}}
    assert status.stray_lines(answer) is None, "it runs elsewhere"
    with where.recorded(tmp_path, "http://127.0.0.1:1"):
        assert status.stray_lines(answer) == ["container left (created), of arn:gone"]
        assert status.stray_lines({**answer, "engine": {"available": False}}) is None
