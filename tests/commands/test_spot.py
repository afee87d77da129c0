"""`samebox spot interrupt`: a tag of the job, which the emulator obeys (tests/jobs/test_spot.py)."""

import pytest

from samebox import cli
from samebox.commands import aws as clients
from samebox.resources.spot_tags import NOW_TAG
from tests.conftest import ACCOUNT, REGION, Aws

SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
}


@pytest.fixture(autouse=True)
def session(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> clients.Session:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", REGION)
    session = clients.of_emulator(aws.url, aws.services.settings)
    monkeypatch.setattr(clients, "of_running", lambda _: session)
    return session


def test_each_interruption_is_a_new_order(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    arn = aws.create("TrainingJob", TrainingJobName="digits", **SPOT)
    orders = set()
    for _ in range(2):
        assert cli.main(["spot", "interrupt", "digits"]) == 0
        orders.add(aws.row(arn).tags[NOW_TAG])
    assert len(orders) == 2
    assert capsys.readouterr().out.startswith("digits is interrupted; ")


def test_what_cannot_be_interrupted_is_refused(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.create("TrainingJob", TrainingJobName="on-demand")
    ended = aws.create("TrainingJob", TrainingJobName="ended", **SPOT)
    aws.resources.advance(aws.row(ended), "Failed")
    for name, message in (
        ("on-demand", "on-demand does not use spot instances: EnableManagedSpotTraining is not set."),
        ("ended", "ended has ended: Failed."),
        ("none", "no training job is named none."),
    ):
        assert cli.main(["spot", "interrupt", name]) == 1
        assert message in capsys.readouterr().err
