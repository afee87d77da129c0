"""Managed spot training: interruptions on command, resumption from checkpoints, the maximum wait, and billing."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.jobs import attempts
from samebox.jobs.plan import SpotPlan
from samebox.resources import spot_tags
from samebox.resources.run_facts import EarlierAttempts, RunFacts, job_facts
from tests.jobs.crashing import RecordedSteps

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.crashing import Step
    from tests.jobs.harness import Harness

LOCAL = "/opt/ml/checkpoints"


def train(process: "Process") -> int:
    """Does three epochs of which each needs a stop, but the last, and writes down each."""
    file = process.path(LOCAL) / "epochs"
    done = file.read_text() if file.exists() else ""
    process.print(f"begin with {len(done)}")
    if len(done) < 2:
        process.wait_for_stop()
        file.write_text(done + "e")
        return 143
    (process.path("/opt/ml/model") / "weights").write_text(done + "e")
    return 0


def create(harness: "Harness", tags: dict[str, str] | None = None, **changes: Any) -> "Resource":
    harness.engine.add_image("digits:1", {"train": train})
    return harness.create_training_job(
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        CheckpointConfig={"S3Uri": f"s3://{harness.bucket}/ckpt"},
        Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        **changes,
    )


def interrupt(harness: "Harness", job: "Resource", order: str) -> None:
    harness.resources.tag(harness.reload(job), {spot_tags.NOW_TAG: order})


def stages_of(row: "Resource") -> list[str]:
    return [one["Status"] for one in row.state["SecondaryStatusTransitions"]]


RUN = ["Starting", "Downloading", "Training"]


def test_an_interrupted_job_resumes_from_its_checkpoint(harness: "Harness") -> None:
    job = create(harness)
    harness.start()
    for number in range(2):
        harness.wait_for_line(job, f"begin with {number}")
        interrupt(harness, job, f"order {number}")
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert stages_of(row) == [*RUN, "Interrupted", *RUN, "Interrupted", *RUN, "Uploading", "Completed"]
    model = f"s3://{harness.bucket}/out/digits/output/model.tar.gz"
    assert harness.files_of_tar(model) == {"weights": b"eee"}
    interrupted = "samebox: the spot instances of this job are interrupted"
    lines = [interrupted if one.startswith("samebox: the spot") else one for one in harness.log_lines(job)]
    assert [one for one in lines if one != interrupted] == ["begin with 0", "begin with 1", "begin with 2"]
    assert row.state["BillableTimeInSeconds"] <= row.state["TrainingTimeInSeconds"]
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


def test_a_tag_interrupts_the_first_attempts_after_so_many_seconds(harness: "Harness") -> None:
    job = create(harness, {spot_tags.AFTER_TAG: "0 0"})
    harness.start()
    row = harness.wait_until_ended(job)
    assert stages_of(row).count("Interrupted") == 2
    assert row.status == "Completed"


def test_a_tag_interrupts_a_job_once_at_a_line_of_its_log(harness: "Harness") -> None:
    job = create(harness, {spot_tags.AT_TAG: "begin with"})
    harness.start()
    harness.wait_for_line(job, "begin with 1")
    assert harness.reload(job).status == "InProgress"
    interrupt(harness, job, "the second")
    row = harness.wait_until_ended(job)
    assert stages_of(row).count("Interrupted") == 2


def test_a_setting_interrupts_all_spot_jobs_and_no_others(harness: "Harness") -> None:
    harness.settings = replace(harness.settings, spot_interrupt_after="0,0")
    job = create(harness)
    harness.start()
    assert stages_of(harness.wait_until_ended(job)).count("Interrupted") == 2
    harness.engine.add_image("other:1", {"train": lambda process: process.print("done")})
    other = harness.create_training_job("other", "other:1")
    assert "Interrupted" not in stages_of(harness.wait_until_ended(other))


def test_a_container_that_does_not_heed_sigterm_is_killed_after_the_notice(harness: "Harness") -> None:
    def stubborn(process: "Process") -> int:
        process.print("begin")
        process.wait_until_killed()
        return 0

    harness.engine.add_image("stubborn:1", {"train": stubborn})
    job = create(harness, image="stubborn:1")
    harness.start()
    harness.wait_for_line(job, "begin")
    interrupt(harness, job, "now")
    harness.wait_until(lambda: job_facts(harness.reload(job)).run.stop_signalled_at)
    assert harness.reload(job).state["SecondaryStatus"] == "Training"
    harness.clock_offset = 121.0
    harness.touch(job)
    harness.wait_until(lambda: stages_of(harness.reload(job))[3:] == ["Interrupted", *RUN])
    harness.stop_job(job)
    harness.wait_until(lambda: job_facts(harness.reload(job)).run.stop_signalled_at)
    harness.clock_offset = 250.0
    harness.touch(job)
    assert harness.wait_until_ended(job).state["SecondaryStatus"] == "Stopped"


def test_a_job_that_waits_too_long_for_instances_is_stopped(harness: "Harness") -> None:
    harness.settings = replace(harness.settings, spot_capacity_seconds=100_000.0)
    job = create(harness)
    harness.start()
    message = "Insufficient capacity error from EC2 while launching instances, retrying!"
    harness.wait_until(lambda: harness.reload(job).state["SecondaryStatusTransitions"][-1]["StatusMessage"] == message)
    harness.clock_offset = 7201.0
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert stages_of(row) == ["Starting", "Stopping", "MaxWaitTimeExceeded"]


def test_a_job_that_is_not_done_when_the_wait_is_over_is_stopped_while_it_trains(harness: "Harness") -> None:
    job = create(harness)
    harness.start()
    harness.wait_for_line(job, "begin with 0")
    interrupt(harness, job, "now")
    harness.wait_for_line(job, "begin with 1")
    harness.clock_offset = 7201.0
    # The first attempt did not take long, so MaxRuntimeInSeconds would be over at the same look.
    harness.resources.replace_spec(
        harness.reload(job),
        lambda row: {**row.spec, "StoppingCondition": {"MaxRuntimeInSeconds": 7300, "MaxWaitTimeInSeconds": 7300}},
    )
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert stages_of(row) == [*RUN, "Interrupted", *RUN, "Stopping", "MaxRuntimeExceeded"]


def test_a_job_whose_wait_is_over_while_it_trains_is_stopped_by_that(harness: "Harness") -> None:
    # It waits for its instances so long that MaxWaitTimeInSeconds is over before MaxRuntimeInSeconds.
    harness.settings = replace(harness.settings, spot_capacity_seconds=5000.0)
    job = create(harness)
    harness.start()
    harness.wait_until(lambda: "Insufficient capacity" in str(harness.reload(job).state))
    harness.clock_offset = 5001.0
    harness.touch(job)
    harness.wait_for_line(job, "begin with 0")
    harness.clock_offset = 7201.0
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert stages_of(row) == [*RUN, "Stopping", "MaxWaitTimeExceeded"]
    assert harness.objects_under("ckpt") == {"epochs": b"e"}, "what it saved is kept"
    assert harness.container_names() == []


def test_what_is_waited_for_is_not_billed_and_spot_instances_cost_less(harness: "Harness") -> None:
    harness.settings = replace(harness.settings, spot_capacity_seconds=0.0, spot_savings_percent=75.0)
    job = create(harness, {spot_tags.AFTER_TAG: "100"})
    harness.start()
    harness.wait_for_line(job, "begin with 0")
    harness.clock_offset = 100.0
    harness.touch(job)
    harness.wait_for_line(job, "begin with 1")
    harness.clock_offset = 400.0
    interrupt(harness, job, "now")
    row = harness.wait_until_ended(job)
    assert row.status == "Completed"
    assert row.state["TrainingTimeInSeconds"] >= 400
    # Of some 400 s a quarter; the seconds that this machine took are billed, too.
    assert row.state["BillableTimeInSeconds"] <= 0.26 * row.state["TrainingTimeInSeconds"] + 1


def test_a_stop_of_an_interrupted_job_is_obeyed(harness: "Harness") -> None:
    harness.settings = replace(harness.settings, spot_capacity_seconds=3600.0)
    job = create(harness, {spot_tags.AFTER_TAG: "0"})
    harness.start()
    harness.wait_until(lambda: len(harness.reload(job).state["SecondaryStatusTransitions"]) == 1)
    harness.clock_offset = 3601.0
    harness.touch(job)
    harness.wait_until(lambda: stages_of(harness.reload(job)) == [*RUN, "Interrupted", "Starting"])
    harness.stop_job(job)
    row = harness.wait_until_ended(job)
    assert stages_of(row)[-2:] == ["Stopping", "Stopped"]
    assert harness.container_names() == []


# Orders, and what is kept of an attempt

SPOT = SpotPlan(max_wait_seconds=7200.0, interrupt_after=(10.0, 20.0))


def test_each_order_is_obeyed_once() -> None:
    run = RunFacts(began_at=100.0)
    assert attempts.order_due(SPOT, {}, run, 109.0, saw_line=False) == ""
    assert attempts.next_look(SPOT, run) == 110.0
    assert attempts.order_due(SPOT, {}, run, 110.0, saw_line=False) == "after 0"
    assert attempts.order_due(SPOT, {spot_tags.NOW_TAG: "1"}, run, 101.0, saw_line=False) == "now 1"
    assert attempts.order_due(SPOT, {}, run, 101.0, saw_line=True) == "at"
    obeyed = ("now 1", "at", "after 0", "after 1")
    later = RunFacts(began_at=100.0, earlier=EarlierAttempts(obeyed=obeyed))
    assert attempts.order_due(SPOT, {spot_tags.NOW_TAG: "1"}, later, 1e9, saw_line=True) == ""
    assert attempts.order_due(SPOT, {spot_tags.NOW_TAG: "2"}, later, 100.0, saw_line=True) == "now 2"


def test_what_is_kept_of_an_attempt() -> None:
    run = RunFacts(began_at=110.0, prepared_at=100.0, ended_at=150.0, exit_code=1, network="n", interrupted_by="at")
    first = attempts.following(run, 160.0, "at")
    assert first == RunFacts(
        network="n",
        leftovers=True,
        earlier=EarlierAttempts(count=1, obeyed=("at",), ran_seconds=40.0, held_seconds=50.0, last_ended_at=160.0),
    )
    second = attempts.following(replace(first, began_at=200.0, prepared_at=190.0), 210.0)
    assert second.earlier == EarlierAttempts(2, 1, ("at",), 50.0, 70.0, 210.0)


def test_a_tag_from_before_such_tags_were_refused_interrupts_nothing(harness: "Harness") -> None:
    job = create(harness, {spot_tags.AFTER_TAG: "never"})
    harness.start()
    harness.wait_for_status(job, "Training")
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"


# kill -9


def begin(harness: "Harness") -> "Resource":
    return create(harness, {spot_tags.AFTER_TAG: "0 0"})


def check(harness: "Harness", job: "Resource") -> None:
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert stages_of(row) == [*RUN, "Interrupted", *RUN, "Interrupted", *RUN, "Uploading", "Completed"]
    assert harness.objects_under("ckpt") == {"epochs": b"ee"}
    assert harness.container_names() == []
    assert harness.next_start_leaves_no_network()


CALLS = {
    "resources.advance": 12,
    "resources.change": 7,
    "objects.list": 3,
    "objects.download": 2,
    "objects.upload": 4,
    "engine.create": 3,
    "engine.start": 3,
    "engine.kill": 2,
    "engine.remove": 3,
    "engine.sweep_path": 3,
}
STEPS = RecordedSteps(begin, check, CALLS, is_complete=False)


@pytest.mark.parametrize(("step", "after"), STEPS.kills())
def test_a_kill_at_any_step_changes_nothing_of_how_an_interrupted_job_ends(
    harness: "Harness", step: "Step", after: bool
) -> None:
    STEPS.kill_at(harness, step, after)


def test_the_steps_above_are_those_of_a_job_that_nothing_disturbs(harness: "Harness") -> None:
    STEPS.check_calls(harness)


def test_a_spot_job_that_fails_by_an_error_of_ours_costs_less_too(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.settings = replace(harness.settings, spot_savings_percent=75.0)
    job = create(harness)
    harness.start()
    harness.wait_for_line(job, "begin with 0")

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("samebox.jobs.attempts.order_due", broken)
    harness.clock_offset = 400.0
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"].startswith("InternalServerError")
    assert row.state["BillableTimeInSeconds"] <= 0.26 * row.state["TrainingTimeInSeconds"] + 1
