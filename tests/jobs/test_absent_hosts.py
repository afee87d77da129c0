"""One host of two that never starts: the job ends, names it, and leaves nothing of the host that did start."""

from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import EngineUnavailable, StartFailed
from samebox.jobs.processing import PROCESSING
from samebox.platform import retrying

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness

OCI = "OCI runtime create failed: no such device"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def waits(process: "Process") -> int:
    process.wait_until_killed()  # it waits for its peer, and would for hours
    return 0


def pair(harness: "Harness", kind: str) -> "Resource":
    harness.engine.add_image("digits:1", {"train": waits, "clean": waits})
    if kind == "training":
        return harness.create_training_job(ResourceConfig=CLUSTER)
    harness.types = (PROCESSING,)
    return harness.create_processing_job("digits", "digits:1", ProcessingResources={"ClusterConfig": CLUSTER})


def break_start(harness: "Harness", monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    """Let each start of algo-2 fail; gives the containers that are asked for."""
    start, asked = harness.engine.start, list[str]()

    def refuse(container: str) -> None:
        asked.append(harness.engine.inspect(container).name)
        if "algo-2" in asked[-1]:
            raise error
        start(container)

    monkeypatch.setattr(harness.engine, "start", refuse)
    return asked


def nothing_is_left(harness: "Harness") -> Any:
    harness.poll_until(lambda: not harness.container_names() and not list((harness.data_dir / "jobs").iterdir()))
    return harness.next_start_leaves_no_network()


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("training", "ClientError: Artifact upload failed:API error (400): algo-2: {}: unknown"),
        ("processing", "ClientError: API error (400): algo-2: {}: unknown"),
    ],
)
def test_a_host_that_the_engine_refuses_to_start_fails_the_job_and_is_named(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch, kind: str, form: str
) -> None:
    job = pair(harness, kind)
    asked = break_start(harness, monkeypatch, StartFailed(OCI))
    harness.start()
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["FailureReason"]) == ("Failed", form.format(OCI))
    assert [name.split("-")[3] for name in asked] == ["1", "2"], "the first ran already"
    assert harness.lines_of_hosts(job)["algo-2"] == [OCI]
    assert nothing_is_left(harness)


@pytest.mark.parametrize("kind", ["training", "processing"])
def test_a_host_whose_start_the_engine_never_answers_fails_the_job_when_it_was_asked_for_long_enough(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(retrying, "RETRY_SECONDS", 0.01)
    job = pair(harness, kind)
    asked = break_start(harness, monkeypatch, EngineUnavailable("timed out"))
    harness.start(outage_seconds=0.05)
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"].startswith("InternalServerError: ")
    assert len([name for name in asked if "algo-2" in name]) > 1, "it was asked again"
    assert nothing_is_left(harness)
