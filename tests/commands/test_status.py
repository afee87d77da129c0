"""What `samebox status` shows of many jobs and endpoints."""

import pytest

from samebox.commands import aws as clients
from samebox.commands import status
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
