"""Tensors, profiles and TensorBoard files of training jobs: uploaded while the job runs, and at any end."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from samebox.containers.fake import FakeEngine
from samebox.data.objects import Objects, S3AccessDenied
from samebox.resources import spot_tags
from tests.jobs.crashing import RecordedSteps
from tests.jobs.test_checkpoints import RefusingObjects, host_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness

TENSORS, BOARD, PROFILES = "/opt/ml/output/tensors", "/opt/ml/output/tensorboard", "/opt/ml/output/profiler"
MEMBERS = ("DebugHookConfig", "TensorBoardOutputConfig", "ProfilerConfig")


def create(harness: "Harness", train: "Callable[[Process], int | None]", hosts: int = 1, **changes: Any) -> "Resource":
    harness.settings = replace(harness.settings, checkpoint_seconds=0.01)
    harness.engine.add_image("digits:1", {"train": train})
    request = {
        "ResourceConfig": {"InstanceType": "ml.t3.micro", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        **{member: {"S3OutputPath": f"s3://{harness.bucket}/seen/"} for member in MEMBERS},
        **changes,
    }
    return harness.create_training_job(**{name: value for name, value in request.items() if value is not None})


def write(process: "Process", path: str, text: str) -> None:
    file = process.path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_what_hosts_write_is_in_s3_while_the_job_runs_and_stays_there(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        host = host_of(process)
        write(process, f"{TENSORS}/events/{host}", "loss")
        write(process, f"{TENSORS}/events/next.tmp", "half")
        write(process, f"{BOARD}/{host}.tfevents", "one")
        write(process, f"{PROFILES}/framework/{host}.json", "[]")
        process.wait_for_stop()
        process.path(f"{TENSORS}/events/{host}").unlink()
        write(process, f"{BOARD}/{host}.tfevents", "one two")
        return 0

    job = create(harness, train, hosts=2)
    harness.start()
    running = {
        **{f"debug-output/events/{host}": b"loss" for host in ("algo-1", "algo-2")},
        **{f"tensorboard-output/{host}.tfevents": b"one" for host in ("algo-1", "algo-2")},
        **{f"profiler-output/framework/{host}.json": b"[]" for host in ("algo-1", "algo-2")},
    }
    harness.poll_until(lambda: harness.objects_under("seen/digits") == running)
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    changed = {f"tensorboard-output/{host}.tfevents": b"one two" for host in ("algo-1", "algo-2")}
    assert harness.objects_under("seen/digits") == {**running, **changed}
    assert harness.objects_under("out/digits") == {}


@pytest.mark.parametrize("exit_code", [0, 1])
def test_what_was_written_last_is_in_s3_however_the_job_ends(harness: "Harness", exit_code: int) -> None:
    def train(process: "Process") -> int:
        write(process, f"{BOARD}/last", "seen")
        return exit_code

    job = create(harness, train)
    harness.settings = replace(harness.settings, checkpoint_seconds=3600.0, upload_on_failure=False)
    harness.start()
    assert harness.wait_until_ended(job).status == ("Failed" if exit_code else "Completed")
    assert harness.objects_under("seen/digits") == {"tensorboard-output/last": b"seen"}


def test_each_attempt_of_a_spot_job_leaves_what_it_wrote(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        folder = process.path("/opt/ml/checkpoints")
        first = not (folder / "begun").exists()
        (folder / "begun").write_text("")
        write(process, f"{BOARD}/{'first' if first else 'second'}", "seen")
        if first:
            process.wait_for_stop()
        return 0

    job = create(
        harness,
        train,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        CheckpointConfig={"S3Uri": f"s3://{harness.bucket}/ckpt"},
        Tags=[{"Key": spot_tags.AFTER_TAG, "Value": "0"}],
    )
    harness.settings = replace(harness.settings, checkpoint_seconds=3600.0)
    harness.start()
    assert harness.wait_until_ended(job).status == "Completed"
    assert harness.objects_under("seen/digits/tensorboard-output") == {"first": b"seen", "second": b"seen"}
    assert harness.objects_under("ckpt") == {"begun": b""}


@pytest.mark.parametrize("shares_disk", [True, False])
def test_local_paths_may_be_anywhere_and_in_one_another(harness: "Harness", shares_disk: bool) -> None:
    def train(process: "Process") -> int:
        write(process, "/logs/steps", "s")
        write(process, "/logs/board/events", "e")
        write(process, "/logs/board/events.tmp", "half")
        return 0

    if not shares_disk:
        harness.engine = FakeEngine(harness.data_dir.parent / "elsewhere", shares_disk=False)
    place = f"s3://{harness.bucket}/seen"
    job = create(
        harness,
        train,
        DebugHookConfig={"S3OutputPath": place, "LocalPath": "/logs"},
        TensorBoardOutputConfig={"S3OutputPath": place, "LocalPath": "/logs/board/"},
    )
    harness.start()
    assert harness.wait_until_ended(job).status == "Completed"
    assert harness.objects_under("seen/digits") == {
        "debug-output/steps": b"s",
        "debug-output/board/events": b"e",
        "tensorboard-output/events": b"e",
    }


@pytest.mark.parametrize("profiler", [{"DisableProfiler": True, "S3OutputPath": "s3://nowhere/seen"}, {}])
def test_without_a_place_in_s3_nothing_is_uploaded(harness: "Harness", profiler: dict[str, Any]) -> None:
    def train(process: "Process") -> int:
        write(process, f"{PROFILES}/framework/a.json", "[]")
        return 0

    job = create(harness, train, DebugHookConfig=None, TensorBoardOutputConfig=None, ProfilerConfig=profiler)
    harness.start()
    assert harness.wait_until_ended(job).status == "Completed"
    assert not harness.objects.list(f"s3://{harness.bucket}/")


@pytest.mark.parametrize("member", ["TensorBoardOutputConfig", "CheckpointConfig"])
def test_a_job_that_failed_by_itself_says_so_though_nothing_can_be_uploaded(harness: "Harness", member: str) -> None:
    def train(process: "Process") -> int:
        write(process, f"{BOARD}/last", "seen")
        write(process, "/opt/ml/checkpoints/last", "saved")
        return 3

    address = {"TensorBoardOutputConfig": "S3OutputPath", "CheckpointConfig": "S3Uri"}[member]
    given: dict[str, Any] = dict.fromkeys(MEMBERS) | {member: {address: f"s3://{harness.bucket}/seen"}}
    job = create(harness, train, **given)
    refused = S3AccessDenied(f"s3://{harness.bucket}/seen", "AccessDenied", "Access Denied")
    harness.objects = cast("Objects", RefusingObjects(harness.objects, refused))
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"] == "AlgorithmError: , exit code: 3"
    assert any("were not uploaded: Access Denied" in line for line in harness.log_lines(job))


# kill -9


def begin(harness: "Harness") -> "Resource":
    def train(process: "Process") -> int:
        write(process, f"{TENSORS}/steps", "1 2 3")
        write(process, f"{BOARD}/events", "loss")
        return 0

    job = create(harness, train, ProfilerConfig=None)
    harness.settings = replace(harness.settings, checkpoint_seconds=3600.0)
    return job


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.objects_under("seen/digits") == {
        "debug-output/steps": b"1 2 3",
        "tensorboard-output/events": b"loss",
    }


# The other steps of a job are tried out in test_crashes.py.
CALLS = {"objects.upload": 4}
STEPS = RecordedSteps(begin, check, CALLS, is_complete=False)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_upload_loses_nothing(harness: "Harness", step: "Step", after: bool) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_uploads_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)
