"""kill -9 at every step of a training job: the next life ends it as this one would have, and no line comes twice."""

from typing import TYPE_CHECKING

import pytest

from tests.jobs.conftest import check_recorded, steps

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.conftest import House, Step


def begin(house: "House") -> "Resource":
    """A job whose program writes down how often it was run."""

    def train(process: "Process") -> int:
        with (process.path("/opt/ml/model") / "runs").open("a") as file:
            file.write("run\n")
        process.print("accuracy=0.25;", "accuracy=0.75;")
        process.print_error("done")
        (process.path("/opt/ml/output/data") / "report").write_text("fine")
        return 0

    house.engine.add_image("digits:1", {"train": train}, remote=True)
    house.put("digits/train/a.csv")
    house.put("digits/train/b/c.csv")
    definitions = [{"Name": "accuracy", "Regex": "accuracy=([0-9.]+);"}]
    return house.train(
        InputDataConfig=[house.channel("train", f"s3://{house.bucket}/digits/train/")],
        AlgorithmSpecification={"TrainingImage": "digits:1", "MetricDefinitions": definitions},
    )


def check(house: "House", job: "Resource") -> None:
    row = house.ends(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    stages = [one["Status"] for one in row.state["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    folder = f"s3://{house.bucket}/out/digits/output"
    assert house.members(f"{folder}/model.tar.gz") == {"runs": b"run\n"}
    assert house.members(f"{folder}/output.tar.gz") == {"report": b"fine"}
    assert house.lines(job) == ["accuracy=0.25;", "accuracy=0.75;", "done"]
    assert [one["Value"] for one in row.state["FinalMetricDataList"]] == [0.75]
    assert house.containers() == []


# Recorded of a job that nothing disturbed; the last test below records it again.
CALLS = {
    "resources.unfinished": 4,
    "resources.by_arn": 4,
    "logbook.create": 1,
    "logbook.last": 1,
    "engine.capacity": 1,
    "engine.inspect": 2,
    "resources.advance": 4,
    "engine.find": 2,
    "engine.networks": 1,
    "objects.list": 1,
    "objects.download": 2,
    "engine.create": 2,
    "resources.annotate": 1,
    "engine.pull": 1,
    "engine.start": 1,
    "logbook.read": 1,
    "engine.logs": 2,
    "engine.wait": 1,
    "logbook.append": 1,
    "engine.archive": 3,
    "objects.upload": 2,
    "resources.change": 1,
    "engine.remove": 1,
    "engine.sweep_path": 1,
}
# A woken job looks at its row once more; lines that come in pieces are written in pieces.
REPEATED = ("resources.by_arn", "logbook.append", "engine.logs", "engine.wait")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", steps(CALLS))
def test_a_kill_at_any_step_changes_nothing_of_how_a_job_ends(house: "House", step: "Step", after: bool) -> None:
    job = begin(house)
    house.up_until(step, after)
    house.crash()
    house.up()
    check(house, job)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(house: "House") -> None:
    job = begin(house)
    house.up()
    check(house, job)
    house.makes(CALLS)
    house.close()
    check_recorded(house.life.calls, CALLS, REPEATED)


def test_a_container_that_runs_when_we_die_is_taken_over_with_its_clock_and_its_log(house: "House") -> None:
    processes = list["Process"]()

    def train(process: "Process") -> int:
        processes.append(process)
        process.print("before")
        process.wait_for_stop()
        process.print("after")
        return 0

    house.engine.add_image("digits:1", {"train": train})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.until_line(job, "before")
    began = house.row(job).state["Run"]["TrainingStartedAt"]
    house.crash()
    house.up()
    (process,) = processes
    process.print("while the next life looks on")
    house.until_line(job, "while the next life looks on")
    assert house.row(job).status == "InProgress"
    house.ahead = 3601.0
    house.touch(job)
    row = house.ends(job)
    assert row.state["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert row.state["Run"]["TrainingStartedAt"] == began
    assert house.lines(job) == ["before", "while the next life looks on", "after"]
    assert processes == [process], "it was started once"


def test_a_container_that_ended_while_nobody_looked_counts_with_its_exit_code_and_its_log(house: "House") -> None:
    def train(process: "Process") -> int:
        process.print("before")
        process.wait_for_stop()
        process.print("after")
        process.path("/opt/ml/output/failure").write_text("no luck")
        return 5

    house.engine.add_image("digits:1", {"train": train})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.until_line(job, "before")
    house.crash()
    (name,) = house.containers()
    house.engine.stop(name, 10)
    house.up()
    assert house.ends(job).state["FailureReason"] == "AlgorithmError: no luck, exit code: 5"
    assert house.lines(job) == ["before", "after"]


def test_the_grace_of_a_stop_is_counted_over_our_death(house: "House") -> None:
    def train(process: "Process") -> int:
        process.wait_until_killed()
        return 0

    house.engine.add_image("digits:1", {"train": train})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.stop(job)
    house.until(lambda: "StopSignalledAt" in house.row(job).state["Run"])
    asked_at = house.row(job).state["Run"]["StopSignalledAt"]
    house.crash()
    house.ahead = 121.0
    house.up()
    row = house.ends(job)
    assert row.status == "Stopped"
    assert (row.state["Run"]["StopSignalledAt"], row.state["Run"]["ExitCode"]) == (asked_at, 137)


def test_a_stop_that_came_while_we_were_away_is_obeyed(house: "House") -> None:
    def train(process: "Process") -> int:
        process.wait_for_stop()
        return 0

    house.engine.add_image("digits:1", {"train": train})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.crash()
    house.stop(job)
    house.up()
    assert house.ends(job).status == "Stopped"


def test_closing_leaves_the_container_running_and_the_next_start_goes_on(house: "House") -> None:
    def train(process: "Process") -> int:
        process.print("before")
        process.wait_for_stop()
        return 0

    house.engine.add_image("digits:1", {"train": train})
    supervisor = house.up()
    job = house.train()
    house.reaches(job, "Training")
    supervisor.close()
    assert [state.status for state in house.engine.find({})] == ["running"]
    assert house.row(job).status == "InProgress"
    house.up()
    house.stop(job)
    assert house.ends(job).status == "Stopped"
    assert house.lines(job) == ["before"]


def test_a_start_sweeps_containers_and_folders_that_no_job_needs(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": lambda process: process.wait_for_stop()})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.crash()
    house.resources.delete(house.row(job))
    stray = house.data_dir / "jobs" / "0123456789abcdef"
    (stray / "input").mkdir(parents=True)
    house.up()
    house.until_quiet(lambda: not house.containers() and not list((house.data_dir / "jobs").iterdir()))
