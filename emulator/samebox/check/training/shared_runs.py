"""Untimed training jobs that several checks share: each runs once, and they run concurrently if memory allows.

The failing job is the first that a check needs. It starts the others in the background, so that later checks need not
wait for them.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from samebox.check.hosts import has_room_for_more
from samebox.check.training.baseline import baseline, job_of, least_seconds, trained
from samebox.check.training.job import run, running

if TYPE_CHECKING:
    from samebox.check.checks import Context
    from samebox.check.ended import HostResult

LITTLE_MEMORY = 32 * 2**20  # no interpreter with a library for numbers starts in it


def failed(context: Context) -> HostResult:
    """The plain job, with a model folder that cannot be written."""

    def fail() -> HostResult:
        plain = trained(context)
        if has_room_for_more(context, plain):
            if "train-memory" in context.wanted:
                context.shared.begin(_MEMORY, lambda: _short_of_memory(context))
            if "train-two-hosts" in context.wanted:
                context.shared.begin(_HOSTS, lambda: _two_hosts(context))
            if "train-read-only-root" in context.wanted:
                context.shared.begin(_READ_ONLY_ROOT, lambda: _read_only_root(context))
        ended = run(context, dataclasses.replace(job_of(context), read_only_model=True), 3 * plain.seconds + 30)
        if ended.seconds > plain.seconds / 4:  # it may have failed at once
            least_seconds(context, ended)
        return ended

    return context.shared.get("training-failed", fail)


def short_of_memory(context: Context) -> HostResult:
    """The plain job with little memory."""
    return context.shared.get(_MEMORY, lambda: _short_of_memory(context))


def two_hosts(context: Context) -> tuple[HostResult, HostResult]:
    """The plain job on two hosts, which share one machine."""
    return context.shared.get(_HOSTS, lambda: _two_hosts(context))


def read_only_root(context: Context) -> HostResult:
    """The plain job on a root file system that is only read."""
    return context.shared.get(_READ_ONLY_ROOT, lambda: _read_only_root(context))


def _short_of_memory(context: Context) -> HostResult:
    job = dataclasses.replace(job_of(context), memory_bytes=LITTLE_MEMORY)
    return run(context, job, 3 * trained(context).seconds + 30)


def _two_hosts(context: Context) -> tuple[HostResult, HostResult]:
    seconds = 5 * trained(context).seconds + 30
    with running(context, dataclasses.replace(job_of(context), hosts=2)) as job:
        end = time.monotonic() + seconds
        for host in range(2):
            job.wait(max(0.0, end - time.monotonic()), host)
        return job.ended(0), job.ended(1)


def _read_only_root(context: Context) -> HostResult:
    checkpoints = baseline(context).checkpoints.parent / "checkpoints-read-only"
    checkpoints.mkdir()
    job = dataclasses.replace(job_of(context), read_only_root=True, checkpoints=checkpoints)
    return run(context, job, 3 * trained(context).seconds + 30)


_READ_ONLY_ROOT = "training-read-only-root"
_MEMORY = "training-short-of-memory"
_HOSTS = "training-hosts"
