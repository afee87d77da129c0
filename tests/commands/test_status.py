"""What `samebox status` shows of many jobs and endpoints."""

import pytest

from samebox.commands import aws as clients
from samebox.commands import status
from samebox.resources.kinds import ENDPOINT, TRAINING_JOB
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
