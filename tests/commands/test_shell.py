"""`samebox shell`: which container it opens, and what it says where there is none."""

from typing import TYPE_CHECKING

import pytest

from samebox import cli
from samebox.commands import aws as clients
from samebox.commands import shell
from samebox.commands.outcome import Stop
from samebox.containers.engine import ARN_LABEL, ContainerSpec
from samebox.containers.fake import FakeEngine
from tests.conftest import ACCOUNT, REGION, Aws

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits"


@pytest.fixture
def engine(tmp_path: "Path") -> FakeEngine:
    engine = FakeEngine(tmp_path / "engine")
    engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    return engine


def add(engine: FakeEngine, host: str, *, started: bool = True, arn: str = ARN) -> str:
    spec = ContainerSpec(
        image="digits:1", name=f"samebox-digits-{host}-0123abcd", command=("train",), labels={ARN_LABEL: arn}
    )
    container = engine.create(spec)
    if started:
        engine.start(container)
    return container


def test_each_host_that_runs_is_found_by_its_name(engine: FakeEngine) -> None:
    made = {host: add(engine, host) for host in ("algo-1", "algo-2")}
    add(engine, "algo-3", started=False)
    add(engine, "other", arn=f"{ARN}-2")
    assert shell.hosts(engine, "digits", ARN) == made
    assert shell.container_of(made, "digits", "algo-2") == made["algo-2"]
    for container in made.values():
        engine.remove(container)


def test_a_host_that_does_not_run_is_refused_with_those_that_do() -> None:
    with pytest.raises(Stop, match="digits has no host algo-3 that runs, but algo-1, algo-2"):
        shell.container_of({"algo-1": "a", "algo-2": "b"}, "digits", "algo-3")
    with pytest.raises(Stop, match="digits has no container that runs yet"):
        shell.container_of({}, "digits", "algo-1")


def test_a_terminal_is_asked_for_where_there_is_one() -> None:
    assert shell.arguments("c", "nvidia-smi | head", is_terminal=False) == (
        "docker", "exec", "--interactive", "c", "sh", "-c", "nvidia-smi | head",
    )  # fmt: skip
    found = shell.arguments("c", None, is_terminal=True)
    assert found[:5] == ("docker", "exec", "--interactive", "--tty", "c")
    assert found[-1] == "command -v bash > /dev/null && exec bash || exec sh"


def test_what_aws_would_not_open_is_named() -> None:
    assert shell.difference({"RemoteDebugConfig": {"EnableRemoteDebug": True}}) is None
    assert "EnableRemoteDebug" in str(shell.difference({}))
    assert "EnableNetworkIsolation" in str(shell.difference({"EnableNetworkIsolation": True}))


def test_a_job_that_has_ended_or_is_not_there_is_refused(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", REGION)
    session = clients.of_emulator(aws.url, aws.services.settings)
    monkeypatch.setattr(clients, "of_running", lambda _: session)
    aws.resources.advance(aws.row(aws.create("TrainingJob", TrainingJobName="ended")), "Failed")
    for name, message in (("ended", "ended has ended: Failed."), ("none", "no job is named none.")):
        assert cli.main(["shell", name]) == 1
        assert message in capsys.readouterr().err
