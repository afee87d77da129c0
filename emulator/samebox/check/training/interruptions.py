"""What comes from outside in the middle of a training: a stop, a lost machine; and a second host beside the first."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from samebox.check import stopping
from samebox.check.checks import CannotCheck, Check, Context, Need
from samebox.check.ended import HostResult, counted
from samebox.check.findings import Finding, Rule
from samebox.check.hosts import holds_files
from samebox.check.stopping import MiddleStop, StoppedRun
from samebox.check.training.baseline import SECONDS, baseline, job_of, least_seconds, trained
from samebox.check.training.job import run, running
from samebox.check.training.shared_runs import two_hosts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from samebox.check.training.job import RunningTraining

SHORTEST = 1.0  # seconds: a training that takes less cannot be met in the middle

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


def stopped(context: Context) -> StoppedRun:
    """The plain job, stopped; made once. Raises CannotCheck where it is too short for that."""
    return context.shared.get("training-stopped", lambda: _stop(context))


def _stop(context: Context) -> StoppedRun:
    plain = trained(context)
    if plain.seconds < SHORTEST:
        raise CannotCheck(f"a training of {plain.seconds:.1f} s has ended before it can be stopped: give it more to do")
    grace = stopping.grace(plain, context.options.fast)
    return MiddleStop(plain, least_seconds(context), grace, lambda number: _begun(context, number)).stopped()


def _begun(context: Context, number: int) -> AbstractContextManager[RunningTraining]:
    return running(context, dataclasses.replace(job_of(context), checkpoints=_checkpoints(context, number)))


def _checkpoints(context: Context, number: int) -> Path:
    return _folder(context, f"checkpoints-stopped-{number}")


def stop(context: Context) -> Finding:
    plain, found = trained(context), stopped(context)
    if found.took >= found.grace:
        return STOP.broken(f"SIGKILL after {found.grace} s{found.shortened}")
    if found.went_on_as(plain):
        return STOP.broken(f"it went on to its end as if nothing had come{stopping.doubt(plain)}")
    return STOP.passed(f"ended {found.took:.1f} s after it, with exit code {found.ended.exit_code}{found.shortened}")


def stop_model(context: Context) -> Finding:
    found = stopped(context)
    if found.ended.left.files:
        return STOP_MODEL.passed(f"{counted(found.ended.left.files)} in /opt/ml/model")
    if holds_files(_checkpoints(context, found.number)):
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
            checkpoints = _checkpoints(context, stopped(context).number)
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
