"""How training jobs end: stopped, failed, killed, or with an engine that is away; on the fake engine and a real S3."""

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import EngineUnavailable
from samebox.jobs import running
from samebox.resources.run_facts import job_facts
from samebox.settings import Settings
from tests.jobs.programs import train, until_stopped

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

OUT_OF_MEMORY = (
    "ClientError: Please use an instance type with more memory, "
    "or reduce the size of job data processed on an instance."
)


def ignoring_sigterm(process: "Process") -> int:
    process.print("begin")
    process.wait_until_killed()
    return 0


def test_a_reason_that_the_container_gives_comes_before_that_of_its_memory(harness: "Harness") -> None:
    def fail(process: "Process") -> None:
        process.path("/opt/ml/output/failure").write_text("batch too large")
        process.run_out_of_memory()

    harness.engine.add_image("digits:1", {"train": fail})
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job())
    assert row.state["FailureReason"] == "AlgorithmError: batch too large, exit code: 137"


def test_a_job_has_ended_before_its_folder_is_removed(harness: "Harness", monkeypatch: pytest.MonkeyPatch) -> None:
    # Thousands of small files take many seconds, which are not the job's.
    removing, sweep_path = threading.Event(), harness.engine.sweep_path

    def slow(path: "Path") -> None:
        assert removing.wait(60)
        sweep_path(path)

    monkeypatch.setattr(harness.engine, "sweep_path", slow)
    harness.engine.add_image("digits:1", {"train": lambda process: 0})
    harness.start()
    harness.wait_for_status(harness.create_training_job(), "Completed")
    assert list((harness.data_dir / "jobs").iterdir())
    removing.set()
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_exit_code_1_without_a_failure_file_fails_the_job_with_the_message_of_aws(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda process: 1})
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job())
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: , exit code: 1")
    stages = [one["Status"] for one in row.state["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Failed"]
    assert harness.container_names() == []


def test_the_failure_file_is_the_reason_up_to_1024_characters(harness: "Harness") -> None:
    def fail(process: "Process") -> int:
        process.path("/opt/ml/output/failure").write_bytes(b"\xff\xfe" + "no such column: ü\n".encode() + b"x" * 5000)
        return 7

    harness.engine.add_image("digits:1", {"train": fail})
    harness.start()
    reason = harness.wait_until_ended(harness.create_training_job()).state["FailureReason"]
    assert reason.startswith("AlgorithmError: \ufffd\ufffdno such column: ü\nxxx")
    assert reason.endswith("x, exit code: 7")
    assert len(reason) == 1024


def test_a_failed_job_uploads_its_artifacts_unless_a_setting_forbids_it(harness: "Harness") -> None:
    def fail(process: "Process") -> int:
        (process.path("/opt/ml/model") / "half").write_text("half")
        return 1

    harness.engine.add_image("digits:1", {"train": fail})
    harness.start()
    harness.wait_until_ended(harness.create_training_job())
    assert harness.files_of_tar(f"s3://{harness.bucket}/out/digits/output/model.tar.gz") == {"half": b"half"}


class TestWithoutUploadOnFailure:
    @pytest.fixture
    def settings(self) -> Settings:
        return replace(Settings(), upload_on_failure=False)

    def test_a_failed_job_leaves_nothing_in_s3(self, harness: "Harness") -> None:
        harness.engine.add_image("digits:1", {"train": lambda process: 1})
        harness.start()
        row = harness.wait_until_ended(harness.create_training_job())
        assert row.state["FailureReason"] == "AlgorithmError: , exit code: 1"
        assert not harness.objects.exists_under(f"s3://{harness.bucket}/out/digits/")
        assert "ModelArtifacts" not in row.state


def test_a_container_that_runs_out_of_memory_fails_with_137_and_the_log_has_the_reason(harness: "Harness") -> None:
    def greedy(process: "Process") -> int:
        process.run_out_of_memory()
        return 0

    harness.engine.add_image("digits:1", {"train": greedy})
    harness.start()
    job = harness.create_training_job()
    assert harness.wait_until_ended(job).state["FailureReason"] == OUT_OF_MEMORY
    assert harness.log_lines(job) == ["samebox: the container was out of memory; its limit is 8.0 GiB"]


def test_a_job_stopped_while_it_trains_gets_sigterm_and_keeps_its_artifacts(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": until_stopped})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.stop_job(job)
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in row.state
    assert harness.files_of_tar(row.state["ModelArtifacts"]["S3ModelArtifacts"]) == {"half": b"half"}
    assert harness.log_lines(job) == ["begin", "stopped"]


def test_a_job_that_ignores_sigterm_is_killed_when_its_grace_is_over(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": ignoring_sigterm})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.stop_job(job)
    harness.wait_until(lambda: job_facts(harness.reload(job)).run.stop_signalled_at)
    assert harness.reload(job).status == "Stopping"
    harness.clock_offset = 121.0
    harness.touch(job)
    assert harness.wait_until_ended(job).status == "Stopped"


def test_a_stop_in_the_first_moment_of_a_program_waits_until_it_may_listen(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LISTEN_SECONDS", 0.2)
    harness.start()
    harness.engine.add_image("digits:1", {"train": until_stopped})
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.stop_job(job)
    run = job_facts(harness.wait_until_ended(job)).run
    assert run.began_at is not None
    assert run.stop_signalled_at is not None
    assert run.stop_signalled_at - run.began_at >= 0.2


def test_a_job_over_its_maximum_runtime_is_stopped_with_its_own_status(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": until_stopped})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.clock_offset = 3601.0
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert harness.files_of_tar(row.state["ModelArtifacts"]["S3ModelArtifacts"]) == {"half": b"half"}


def test_a_job_stopped_before_its_container_ran_is_stopped_and_never_runs(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    job = harness.create_training_job()
    harness.stop_job(job)
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Stopped"
    assert "ModelArtifacts" not in row.state
    assert harness.log_lines(job) == []


def test_a_job_stopped_while_it_pulls_never_runs(harness: "Harness", monkeypatch: pytest.MonkeyPatch) -> None:
    harness.engine.add_image("digits:1", {"train": train}, remote=True)
    pull = harness.engine.pull

    def stopped_meanwhile(reference: str, *rest: object) -> object:
        harness.stop_job(job)
        return pull(reference)

    monkeypatch.setattr(harness.engine, "pull", stopped_meanwhile)
    job = harness.create_training_job()
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Stopped"
    assert harness.log_lines(job) == []
    assert harness.container_names() == []


def test_a_job_stopped_while_it_uploads_is_stopped_and_its_model_whole(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.engine.add_image("digits:1", {"train": train})
    upload = harness.objects.upload

    def stopped_meanwhile(*arguments: object) -> int:
        if harness.reload(job).status == "InProgress":  # with the first of the uploads
            harness.stop_job(job)
        return upload(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(harness.objects, "upload", stopped_meanwhile)
    job = harness.create_training_job()
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Stopped"
    assert harness.files_of_tar(row.state["ModelArtifacts"]["S3ModelArtifacts"]) == {"weights": b"w" * 1000}


def test_an_engine_that_is_away_for_a_moment_fails_no_job(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.engine.unavailable = "Cannot connect to the Docker daemon"
    harness.start()
    job = harness.create_training_job()

    def waits() -> bool:
        return "container engine" in harness.reload(job).state["SecondaryStatusTransitions"][-1]["StatusMessage"]

    harness.wait_until(waits)
    harness.engine.unavailable = None
    assert harness.wait_until_ended(job).status == "Completed"


def test_an_engine_that_stays_away_fails_the_job_as_our_own_error(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.engine.add_image("digits:1", {"train": train})

    def away(_: object) -> str:
        raise EngineUnavailable("gone")

    monkeypatch.setattr(harness.engine, "create", away)
    harness.start(outage_seconds=0.0)
    row = harness.wait_until_ended(harness.create_training_job())
    assert row.state["FailureReason"] == ("InternalServerError: We encountered an internal error.  Please try again.")


def test_an_unexpected_error_ends_the_job_and_leaves_nothing_running(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.engine.add_image("digits:1", {"train": until_stopped})

    def broken(container: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(harness.engine, "start", broken)
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job())
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("InternalServerError")
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_a_container_that_was_removed_from_outside_fails_the_job(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": until_stopped})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    (name,) = harness.container_names()
    harness.engine.remove(name)
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"].startswith("InternalServerError")
    assert "samebox: the container is lost: it was removed" in harness.log_lines(job)


def test_times_of_a_long_job_are_whole_seconds_of_its_training(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": until_stopped})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.clock_offset = 90.0
    harness.stop_job(job)
    row = harness.wait_until_ended(job)
    assert 90 <= row.state["TrainingTimeInSeconds"] <= 95
    assert row.state["TrainingEndTime"] - time.time() > 80
