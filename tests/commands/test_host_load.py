"""What a job's hosts do at the moment, as `samebox train` shows it on a terminal."""

import time

import pytest

from samebox.commands import aws as clients
from samebox.commands.host_load import LOOK_EVERY_SECONDS, HostLoad
from samebox.resources.metrics import MetricSeries
from tests.conftest import ACCOUNT, REGION, Aws

PAIR = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}}
GROUPS = {"ResourceConfig": {"InstanceGroups": [{"InstanceCount": 1}, {"InstanceCount": 1}], "VolumeSizeInGB": 1}}


@pytest.fixture
def session(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> clients.Session:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", REGION)
    return clients.of_emulator(aws.url, aws.services.settings)


def publish(aws: Aws, host: str, name: str, value: float, ago: float = 0.0) -> None:
    series = MetricSeries.of(ACCOUNT, REGION, "/aws/sagemaker/TrainingJobs", name, {"Host": f"digits/{host}"})
    aws.services.metrics.put(series, time.time() - ago, value, by_second=True)


@pytest.mark.parametrize("described", [PAIR, GROUPS], ids=["hosts", "groups"])
def test_the_last_values_of_the_busiest_host_are_shown(
    aws: Aws, session: clients.Session, described: dict[str, object]
) -> None:
    publish(aws, "algo-1", "CPUUtilization", 200.0, ago=20)
    publish(aws, "algo-1", "CPUUtilization", 150.0, ago=10)
    publish(aws, "algo-2", "CPUUtilization", 90.0, ago=10)
    publish(aws, "algo-2", "GPUUtilization", 12.4, ago=10)
    publish(aws, "algo-1", "MemoryUtilization", 99.0, ago=600)
    publish(aws, "algo-3", "CPUUtilization", 400.0, ago=10)
    assert HostLoad(session, "digits").text(described) == "CPU 150 %  GPU 12 %"


def test_it_is_asked_for_every_few_seconds(aws: Aws, session: clients.Session) -> None:
    now = [100.0]
    load = HostLoad(session, "digits", lambda: now[0])
    assert load.text(PAIR) == ""
    publish(aws, "algo-1", "CPUUtilization", 150.0)
    assert load.text(PAIR) == ""
    now[0] += LOOK_EVERY_SECONDS
    assert load.text(PAIR) == "CPU 150 %"
