"""What comes from outside in the middle of a training: a stop, a lost machine; and a second host beside the first."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Context, Need
from samebox.check.ended import HostResult, counted
from samebox.check.findings import Finding, Rule
from samebox.check.hosts import holds_files
from samebox.check.training.baseline import SECONDS, baseline, job_of, least_seconds, trained
from samebox.check.training.job import run, running
from samebox.check.training.shared_runs import two_hosts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from samebox.check.training.job import RunningTraining

GRACE_SECONDS = 120  # of StopTrainingJob
FAST_GRACE_SECONDS = 15
SHORTEST = 1.0  # seconds: a training that takes less cannot be met in the middle
SURE = 10.0  # seconds: a training that takes less may not have begun to listen when the signal comes
_LATE = 0.8  # of the time that a job took which was not listening in its middle

STOP = Rule(
    "train-sigterm",
    "SIGTERM ends training within 120 s",
    "contract §1.1.1",
    "warn",
    "training",
    "Handle SIGTERM: save the model, then exit. PID 1 ignores it otherwise, and so does a shell that waits for "
    "a child: exec it.",
)
STOP_MODEL = Rule(
    "train-sigterm-model",
    "Stopped training leaves a model or a checkpoint",
    "contract §1.1.1, §1.8",
    "warn",
    "training",
    "What is in /opt/ml/model when a stopped job ends is uploaded: save there on SIGTERM, or write checkpoints.",
)
RESUME = Rule(
    "train-checkpoint-resume",
    "Interrupted training starts again from its checkpoints",
    "contract §1.10",
    "fail",
    "training",
    "After a spot interruption /opt/ml/checkpoints is as it was left, half a file included: write to another name and "
    "rename, and accept a folder that is not empty.",
)
HOSTS = Rule(
    "train-two-hosts",
    "Two hosts, algo-1 and algo-2, both succeed",
    "contract §1.1, §1.11",
    "warn",
    "training",
    "Read hosts and current_host from resourceconfig.json; or never ask for an InstanceCount above 1.",
)


@dataclass(frozen=True)
class StoppedTraining:
    """A training that was stopped in its middle. `grace`: the seconds it had; `took`: those it needed."""

    ended: HostResult
    grace: int
    took: float
    checkpoints: Path

    def went_on_as(self, plain: HostResult) -> bool:
        """Whether it ended well, and as `plain`, which was not stopped, did."""
        return self.ended.exit_code == 0 and self.ended.went_on_as(plain)


def stopped(context: Context) -> StoppedTraining:
    """The plain job, stopped; made once. Raises CannotCheck where it is too short for that."""
    return context.shared.get("training-stopped", lambda: _stop(context))


def _stop(context: Context) -> StoppedTraining:
    plain = trained(context)
    if plain.seconds < SHORTEST:
        raise CannotCheck(f"a training of {plain.seconds:.1f} s has ended before it can be stopped: give it more to do")
    grace = GRACE_SECONDS
    if context.options.fast:  # and longer where everything takes long, as on a busy machine
        grace = min(grace, max(FAST_GRACE_SECONDS, round(3 * plain.seconds)))
    first = _stopped_once(
        context, "checkpoints-stopped", grace, lambda job: job.wait_for_middle(plain, least_seconds(context))
    )
    if first.took >= grace or plain.seconds > SURE or not first.went_on_as(plain):
        return first
    # On a busy machine it may not have been listening yet: once more, and later.
    with contextlib.suppress(CannotCheck):
        return _stopped_once(
            context, "checkpoints-stopped-later", grace, lambda job: job.wait(_LATE * first.ended.seconds)
        )
    return first


def _stopped_once(
    context: Context, checkpoints_name: str, grace: int, has_ended_before: Callable[[RunningTraining], bool]
) -> StoppedTraining:
    checkpoints = _folder(context, checkpoints_name)
    with running(context, dataclasses.replace(job_of(context), checkpoints=checkpoints)) as job:
        if has_ended_before(job):
            raise CannotCheck(f"it ended after {job.seconds:.1f} s, before it was stopped")
        began = time.monotonic()
        job.terminate(grace)
        took = time.monotonic() - began
        return StoppedTraining(job.ended(), grace, took, checkpoints)


def stop(context: Context) -> Finding:
    plain, found = trained(context), stopped(context)
    shortened = f" (--fast: {found.grace} s in place of {GRACE_SECONDS})" if found.grace < GRACE_SECONDS else ""
    if found.took >= found.grace:
        return STOP.broken(f"SIGKILL after {found.grace} s{shortened}")
    if found.went_on_as(plain):
        unsure = "" if plain.seconds > SURE else "; or it was not listening yet: let it train for longer"
        return STOP.broken(f"it went on to its end as if nothing had come{unsure}")
    return STOP.passed(f"ended {found.took:.1f} s after it, with exit code {found.ended.exit_code}{shortened}")


def stop_model(context: Context) -> Finding:
    found = stopped(context)
    if found.ended.left.files:
        return STOP_MODEL.passed(f"{counted(found.ended.left.files)} in /opt/ml/model")
    if holds_files(found.checkpoints):
        return STOP_MODEL.passed("checkpoints, and no model")
    return STOP_MODEL.broken("neither")


def resume(context: Context) -> Finding:
    plain = trained(context)
    written = baseline(context).checkpoints
    if not holds_files(written):
        return RESUME.skipped("it writes nothing to /opt/ml/checkpoints")
    checkpoints, when = _interrupted(context, plain) or (written, "after its end")
    job = dataclasses.replace(job_of(context), checkpoints=checkpoints)
    ended = run(context, job, 3 * plain.seconds + 30)
    if ended.exit_code != 0:
        return ended.quoted_in(RESUME.broken(f"{when}, and started again: {ended.outcome}"))
    if plain.left.files and not ended.left.files:
        return RESUME.broken(f"{when}, and started again: exit code 0, and /opt/ml/model is empty")
    return RESUME.passed(f"{when}, and started again: exit code 0 after {ended.seconds:.1f} s")


def _interrupted(context: Context, plain: HostResult) -> tuple[Path, str] | None:
    """The checkpoints of a job that was ended in its middle, and how; None where it had written none by then."""
    if context.options.fast:
        with contextlib.suppress(CannotCheck):
            checkpoints = stopped(context).checkpoints
            if holds_files(checkpoints):
                return checkpoints, "stopped in its middle (--fast: with SIGTERM in place of SIGKILL)"
    checkpoints = _folder(context, "checkpoints-interrupted")
    with running(context, dataclasses.replace(job_of(context), checkpoints=checkpoints)) as job:
        has_ended = job.wait_for_middle(plain, least_seconds(context))
        job.kill()
    if not holds_files(checkpoints):
        return None
    return checkpoints, "after its end" if has_ended else "killed in its middle"


def hosts(context: Context) -> Finding:
    trained(context)
    both = two_hosts(context)
    for number, ended in enumerate(both, 1):
        if ended.exit_code != 0:
            return ended.quoted_in(HOSTS.broken(f"algo-{number}: {ended.outcome}"))
    return HOSTS.passed(f"both ended with exit code 0 after {max(one.seconds for one in both):.1f} s")


def _folder(context: Context, name: str) -> Path:
    assert context.scratch is not None
    folder = context.scratch / name
    folder.mkdir(exist_ok=True)
    return folder


_ENGINE: frozenset[Need] = frozenset({"files", "engine"})

CHECKS = (
    # First, because it was begun beside another job, and those that follow want the machine for themselves.
    Check(HOSTS, hosts, _ENGINE, frozenset({"train"}), SECONDS),
    Check(STOP, stop, _ENGINE, frozenset({"train"}), SECONDS),
    Check(STOP_MODEL, stop_model, _ENGINE, frozenset({"train"}), SECONDS),
    Check(RESUME, resume, _ENGINE, frozenset({"train"}), SECONDS),
)
