"""kill -9 at every step of a training job: the next start ends it as this one would have, and no line comes twice."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from samebox.containers import folder_copies
from samebox.containers.engine import HELPER_LABEL, INSTANCE_LABEL
from samebox.resources.run_facts import job_facts
from tests.jobs.crashing import RecordedSteps

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness


def begin(harness: "Harness") -> "Resource":
    """A job whose program writes down how often it was run."""

    def train(process: "Process") -> int:
        with (process.path("/opt/ml/model") / "runs").open("a") as file:
            file.write("run\n")
        process.print("accuracy=0.25;", "accuracy=0.75;")
        process.print_error("done")
        (process.path("/opt/ml/output/data") / "report").write_text("fine")
        return 0

    harness.engine.add_image("digits:1", {"train": train}, remote=True)
    harness.put_object("digits/train/a.csv")
    harness.put_object("digits/train/b/c.csv")
    definitions = [{"Name": "accuracy", "Regex": "accuracy=([0-9.]+);"}]
    return harness.create_training_job(
        InputDataConfig=[harness.channel("train", f"s3://{harness.bucket}/digits/train/")],
        AlgorithmSpecification={"TrainingImage": "digits:1", "MetricDefinitions": definitions},
    )


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    stages = [one["Status"] for one in row.state["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    folder = f"s3://{harness.bucket}/out/digits/output"
    assert harness.files_of_tar(f"{folder}/model.tar.gz") == {"runs": b"run\n"}
    assert harness.files_of_tar(f"{folder}/output.tar.gz") == {"report": b"fine"}
    assert harness.log_lines(job) == ["accuracy=0.25;", "accuracy=0.75;", "done"]
    assert [one["Value"] for one in row.state["FinalMetricDataList"]] == [0.75]
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


# Recorded of a job that nothing disturbed; the last test below records it again.
CALLS = {
    "resources.unfinished": 8,
    "resources.unended": 2,
    "resources.retained": 1,
    "resources.by_arn": 4,
    "logbook.create": 1,
    "logbook.last": 1,
    "engine.capacity": 2,
    "engine.inspect": 2,
    "resources.advance": 4,
    "engine.find": 4,
    "engine.networks": 3,
    "engine.create_network": 1,
    "engine.volumes": 1,
    "objects.list": 1,
    "objects.download": 2,
    "engine.create": 2,
    "resources.annotate": 1,
    "engine.pull": 1,
    "engine.start": 1,
    "logbook.read": 1,
    "engine.follow": 2,
    "logbook.append": 1,
    "engine.archive": 3,
    "objects.upload": 2,
    "resources.change": 1,
    "engine.remove": 1,
    "engine.sweep_path": 1,
}
# A woken job looks at its row once more; lines that come in pieces are written in pieces; a slow job has metrics.
REPEATED = ("engine.usage", "resources.by_arn", "logbook.append", "engine.follow", "engine.ended")
STEPS = RecordedSteps(begin, check, CALLS, REPEATED)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_changes_nothing_of_how_a_job_ends(harness: "Harness", step: "Step", after: bool) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)


def test_a_container_that_runs_when_we_die_is_taken_over_with_its_clock_and_its_log(harness: "Harness") -> None:
    processes = list["Process"]()

    def train(process: "Process") -> int:
        processes.append(process)
        process.print("before")
        process.wait_for_stop()
        process.print("after")
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.wait_for_line(job, "before")
    began = job_facts(harness.reload(job)).run.began_at
    harness.crash()
    harness.start()
    (process,) = processes
    process.print("while the next process follows")
    harness.wait_for_line(job, "while the next process follows")
    assert harness.reload(job).status == "InProgress"
    harness.clock_offset = 3601.0
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert row.state["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert job_facts(row).run.began_at == began
    assert harness.log_lines(job) == ["before", "while the next process follows", "after"]
    assert processes == [process], "it was started once"


def test_a_container_that_ended_while_no_emulator_ran_counts_with_its_exit_code_and_its_log(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.print("before")
        process.wait_for_stop()
        process.print("after")
        process.path("/opt/ml/output/failure").write_text("no luck")
        return 5

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.wait_for_line(job, "before")
    harness.crash()
    (name,) = harness.container_names()
    harness.engine.stop(name, 10)
    harness.start()
    assert harness.wait_until_ended(job).state["FailureReason"] == "AlgorithmError: no luck, exit code: 5"
    assert harness.log_lines(job) == ["before", "after"]


def test_the_grace_of_a_stop_is_counted_over_our_death(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.wait_until_killed()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.stop_job(job)
    harness.wait_until(lambda: job_facts(harness.reload(job)).run.stop_signalled_at)
    asked_at = job_facts(harness.reload(job)).run.stop_signalled_at
    harness.crash()
    harness.clock_offset = 121.0
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Stopped"
    run = job_facts(row).run
    assert (run.stop_signalled_at, run.exit_code) == (asked_at, 137)


def test_a_stop_that_came_while_we_were_away_is_obeyed(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.crash()
    harness.stop_job(job)
    harness.start()
    assert harness.wait_until_ended(job).status == "Stopped"


def test_closing_leaves_the_container_running_and_the_next_start_goes_on(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.print("before")
        process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    supervisor = harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    supervisor.close()
    assert [state.status for state in harness.engine.find({})] == ["running"]
    assert harness.reload(job).status == "InProgress"
    harness.start()
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    assert harness.log_lines(job) == ["before"]


def test_a_start_sweeps_containers_and_folders_that_no_job_needs(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    harness.start()
    job = harness.create_training_job()
    harness.wait_for_status(job, "Training")
    harness.crash()
    harness.resources.delete(harness.reload(job))
    stray = harness.data_dir / "jobs" / "0123456789abcdef"
    (stray / "input").mkdir(parents=True)
    harness.start()
    harness.poll_until(lambda: not harness.container_names() and not list((harness.data_dir / "jobs").iterdir()))


def test_a_start_removes_the_helper_containers_of_an_earlier_life(harness: "Harness") -> None:
    harness.engine.add_image("empty:1", {})
    own = folder_copies.helper("empty:1", {INSTANCE_LABEL: "test-harness"})
    harness.engine.create(replace(own, labels={**own.labels, HELPER_LABEL: "an earlier life"}))
    # Docker's times are in whole seconds: one that was made just now is as old as this life.
    kept = [
        harness.engine.create(own),
        harness.engine.create(folder_copies.helper("empty:1", {INSTANCE_LABEL: "other"})),
    ]
    harness.start()
    harness.poll_until(lambda: [one.id for one in harness.engine.find({HELPER_LABEL: None})] == kept)
