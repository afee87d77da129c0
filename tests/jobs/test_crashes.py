"""kill -9 at every step of a training job: the next life ends it as this one would have, and no line comes twice."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource

    from tests.jobs.conftest import House


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


def steps_of_a_job() -> int:
    # As many as an undisturbed job takes, and some: a number beyond its end kills nobody, which is fine too.
    return 44


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(steps_of_a_job()))
def test_a_kill_at_any_step_changes_nothing_of_how_a_job_ends(house: "House", step: int, after: bool) -> None:
    job = begin(house)
    house.up_until(step, after, lambda: house.row(job).status == "Completed")
    house.crash()
    house.up()
    check(house, job)


def test_the_steps_above_are_all_there_are(house: "House") -> None:
    job = begin(house)
    house.up()
    check(house, job)
    house.close()
    assert 20 < len(house.life.calls) <= steps_of_a_job(), house.life.calls


def test_a_container_that_runs_when_we_die_is_taken_over_with_its_clock_and_its_log(house: "House") -> None:
    def train(process: "Process") -> int:
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
    house.touch(job)
    house.until(lambda: house.life.calls.count("engine.logs") == 1)
    assert house.row(job).state["Run"]["TrainingStartedAt"] == began
    house.ahead = 3601.0
    house.touch(job)
    row = house.ends(job)
    assert row.state["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert house.lines(job) == ["before", "after"]
    assert "engine.start" not in house.life.calls


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
    house.crash()
    house.ahead = 121.0
    house.up()
    assert house.ends(job).status == "Stopped"
    assert house.life.calls.count("engine.kill") == 1


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
