"""Checkpoints of training jobs: restored before the start, and mirrored to S3 while it runs and at any end."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from samebox.containers.fake import FakeEngine
from samebox.data.objects import Objects, S3AccessDenied
from tests.jobs.crashing import RecordedSteps

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness

LOCAL = "/opt/ml/checkpoints"


def create(
    harness: "Harness", train: "Callable[[Process], int | None]", hosts: int = 1, local: str = LOCAL
) -> "Resource":
    harness.settings = replace(harness.settings, checkpoint_seconds=0.01)
    harness.engine.add_image("digits:1", {"train": train})
    return harness.create_training_job(
        CheckpointConfig={"S3Uri": f"s3://{harness.bucket}/ckpt", "LocalPath": local},
        ResourceConfig={"InstanceType": "ml.t3.micro", "InstanceCount": hosts, "VolumeSizeInGB": 1},
    )


def keys(harness: "Harness") -> list[str]:
    root = f"s3://{harness.bucket}/ckpt/"
    return [one.uri.removeprefix(root) for one in harness.objects.list(root)]


def host_of(process: "Process") -> str:
    return process.spec.aliases[0]


def test_what_is_in_s3_is_there_at_the_start_with_its_manifest(harness: "Harness") -> None:
    seen = {}

    def train(process: "Process") -> int:
        folder = process.path(LOCAL)
        seen.update({str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()})
        seen["manifest"] = (process.path("/opt/ml/input/data") / "checkpoints-manifest").read_bytes()
        return 0

    harness.put_object("ckpt/epoch-1/weights", b"w1")
    harness.put_object("ckpt/state", b"s1")
    harness.put_object("ckpt-of-another", b"no")
    job = create(harness, train)
    harness.start()
    assert harness.wait_until_ended(job).status == "Completed"
    uri = f"s3://{harness.bucket}/ckpt"
    manifest = f"ckpt\n{uri}/epoch-1/weights\n{uri}/state\n".encode()
    assert seen == {"epoch-1/weights": b"w1", "state": b"s1", "manifest": manifest}
    assert harness.objects_under("ckpt") == {"epoch-1/weights": b"w1", "state": b"s1"}


def test_files_are_in_s3_while_the_job_runs_and_go_where_the_container_deletes_them(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        folder = process.path(LOCAL)
        (folder / "old").unlink()
        (folder / "epoch-1").write_text("one")
        process.print("written")
        process.wait_for_stop()
        (folder / "epoch-1").unlink()
        (folder / "epoch-2").write_text("two")
        return 0

    harness.put_object("ckpt/old", b"old")
    job = create(harness, train)
    harness.start()
    harness.wait_for_line(job, "written")
    harness.poll_until(lambda: keys(harness) == ["epoch-1"])
    assert harness.objects_under("ckpt") == {"epoch-1": b"one"}
    harness.put_object("ckpt/of-somebody-else", b"stays")
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    assert harness.objects_under("ckpt") == {"epoch-2": b"two", "of-somebody-else": b"stays"}


@pytest.mark.parametrize("exit_code", [0, 1])
def test_the_last_checkpoint_is_in_s3_however_the_job_ends(harness: "Harness", exit_code: int) -> None:
    def train(process: "Process") -> int:
        (process.path(LOCAL) / "last").write_text("saved")
        return exit_code

    job = create(harness, train)
    harness.settings = replace(harness.settings, checkpoint_seconds=3600.0, upload_on_failure=False)
    harness.start()
    harness.wait_until_ended(job)
    assert harness.objects_under("ckpt") == {"last": b"saved"}


def test_hosts_share_one_prefix_and_each_gets_all_of_it(harness: "Harness") -> None:
    seen: dict[str, set[str]] = {}

    def train(process: "Process") -> int:
        folder, host = process.path(LOCAL), host_of(process)
        seen[host] = {one.name for one in folder.iterdir()}
        (folder / host).write_text(host)
        if host == "algo-2":
            (folder / "start").unlink()
        return 0

    harness.put_object("ckpt/start", b"s")
    job = create(harness, train, hosts=2)
    harness.start()
    assert harness.wait_until_ended(job).status == "Completed"
    assert seen == {"algo-1": {"start"}, "algo-2": {"start"}}
    assert harness.objects_under("ckpt") == {"algo-1": b"algo-1", "algo-2": b"algo-2"}


def test_an_engine_with_another_disk_is_asked_for_the_files(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        folder = process.path(LOCAL)
        (folder / "deep").mkdir()
        (folder / "deep" / "weights").write_text((folder / "start").read_text() + " and on")
        (folder / "start").unlink()
        return 0

    harness.engine = FakeEngine(harness.data_dir.parent / "elsewhere", shares_disk=False)
    harness.put_object("ckpt/start", b"s")
    job = create(harness, train)
    harness.start()
    assert harness.wait_until_ended(job).status == "Completed"
    assert harness.objects_under("ckpt") == {"deep/weights": b"s and on"}


def test_ten_thousand_files_are_uploaded_once_and_a_change_uploads_one(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        folder, made = process.path(LOCAL), process.path("/tmp/made")
        made.mkdir()
        for number in range(10_000):
            (made / f"{number:05d}").write_bytes(b"x")
        made.rename(folder / "all")
        process.print("written")
        process.wait_for_stop()
        (folder / "all" / "00000").write_bytes(b"changed")
        return 0

    job = create(harness, train)
    harness.start()
    harness.wait_for_line(job, "written")
    harness.poll_until(lambda: len(harness.objects.list(f"s3://{harness.bucket}/ckpt/")) == 10_000)
    assert harness.process.calls.count("objects.upload") == 10_000
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    empty_archives = 2
    assert harness.process.calls.count("objects.upload") == 10_001 + empty_archives
    assert harness.objects.get(f"s3://{harness.bucket}/ckpt/all/00000") == b"changed"


def test_checkpoints_that_have_nowhere_to_go_fail_the_job_at_its_end(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        (process.path(LOCAL) / "last").write_text("saved")
        return 0

    job = create(harness, train)
    refused = S3AccessDenied(f"s3://{harness.bucket}/ckpt/last", "AccessDenied", "Access Denied")
    harness.objects = cast("Objects", RefusingObjects(harness.objects, refused))
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"].startswith("ClientError: Artifact upload failed:Access Denied (AccessDenied")


def test_checkpoints_outside_of_opt_ml_are_found_where_an_earlier_samebox_has_put_them(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        (process.path("/state") / "first").write_text("saved")
        process.wait_for_stop()
        (process.path("/state") / "last").write_text("saved")
        return 0

    job = create(harness, train, local="/state")
    harness.start()
    harness.poll_until(lambda: harness.objects_under("ckpt") == {"first": b"saved"})
    harness.crash()
    (folder,) = harness.data_dir.rglob(".outside/state")
    folder.rename(folder.parents[1] / "checkpoints")
    harness.start()
    harness.wait_for_status(job, "InProgress")
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    assert harness.objects_under("ckpt") == {"first": b"saved", "last": b"saved"}


class RefusingObjects:
    """An S3 that takes nothing."""

    def __init__(self, objects: Objects, error: Exception) -> None:
        self._objects = objects
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def upload(self, *_: object) -> int:
        raise self._error


# kill -9


def begin(harness: "Harness") -> "Resource":
    def train(process: "Process") -> int:
        folder = process.path(LOCAL)
        runs = (folder / "runs").read_text()
        (folder / "old").unlink()
        (folder / "runs").write_text(runs + "run\n")
        return 0

    harness.put_object("ckpt/runs", b"")
    harness.put_object("ckpt/old", b"old")
    job = create(harness, train)
    harness.settings = replace(harness.settings, checkpoint_seconds=3600.0)
    return job


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.objects_under("ckpt") == {"runs": b"run\n"}
    assert harness.container_names() == []


# What is done with checkpoints; the other steps of a job are tried out in test_crashes.py.
CALLS = {"objects.list": 1, "objects.download": 2, "objects.upload": 3, "objects.delete": 1}
STEPS = RecordedSteps(begin, check, CALLS, is_complete=False)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_loses_no_checkpoint_and_keeps_none_that_was_deleted(
    harness: "Harness", step: "Step", after: bool
) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)
