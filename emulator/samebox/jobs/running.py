"""The running containers of a job, followed to their end: a client, the clock or one failed host may end them all."""

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from samebox.containers.engine import ContainerState, LogLine
from samebox.jobs import phases
from samebox.jobs.feeding import Feeding
from samebox.jobs.host_runs import HostRuns, exit_code
from samebox.jobs.job_type import JobType, JobWork, WorkResult
from samebox.jobs.metrics import Metrics
from samebox.jobs.outputs import Outputs
from samebox.jobs.phases import Ended, JobDependencies
from samebox.jobs.plan import Plan
from samebox.jobs.record import Record
from samebox.platform.hosts import JobHosts
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome

log = logging.getLogger(__name__)

# A container that was killed ends at once; if it does not, the engine is asked to kill it again.
KILL_AGAIN_SECONDS = 30.0


class RunningHosts:
    """The containers of one job, from their start to the moment at which all have ended and their lines are written."""

    def __init__(
        self,
        job_type: JobType,
        plan: Plan,
        deps: JobDependencies,
        record: Record,
        hosts: JobHosts,
        feeding: Feeding,
        outputs: Outputs,
        upload_on_failure: bool,
    ) -> None:
        self._type = job_type
        self._plan = plan
        self._deps = deps
        self._record = record
        self._hosts = hosts
        self._feeding = feeding
        self._outputs = outputs
        self._upload_on_failure = upload_on_failure
        self._work: JobWork | None = None
        self._killed_at = 0.0

    def follow(self, containers: Mapping[str, str]) -> None:
        """Until they have ended, and that is written down. Raises Ended where the job's end is known then, Closing."""
        deps = self._deps
        metrics, lock = Metrics(self._plan.metrics, deps.publish), threading.Lock()
        if not metrics.is_empty:
            for lines in deps.lines.values():
                metrics.see_all(lines.texts())

        def seen(lines: Sequence[LogLine]) -> None:
            with lock:  # each host's lines come in a thread of their own
                for line in lines:
                    metrics.see(line.text, line.time / 1e9)

        to_metrics = None if metrics.is_empty else seen
        with (
            HostRuns(
                deps.engine,
                containers,
                deps.lines,
                deps.wake.notify,
                to_metrics,
                deps.give_up_seconds,
                deps.background,
            ) as runs,
            self._outputs.while_running(),
            self._begun_work(containers),
        ):
            began = self._record.run.began_at or self._record.now()
            self._record.move(self._type.stages.running, run=replace(self._record.run, began_at=began))
            self._wait(runs, began + self._plan.max_runtime_seconds)
        if runs.lost is not None:
            deps.log.report(f"the container is lost: {runs.lost}")
            raise Ended(Outcome.INTERNAL)
        if self._feeding.problem and not self._record.is_stopping:
            self._deps.log.report(self._feeding.problem)
            raise Ended(Outcome.DOWNLOAD_FAILED, self._feeding.problem)
        self._note_end(runs, metrics)

    def _wait(self, runs: HostRuns, deadline: float) -> None:
        """Until all have ended and their lines are written; a client, the clock or a failed host may end them."""
        record, deps = self._record, self._deps
        while not runs.done:
            now = record.now()
            if not record.is_stopping and now >= deadline:
                log.info("%s: MaxRuntimeInSeconds is over", self._plan.arn)
                record.move("Stopping", run=replace(record.run, max_runtime_exceeded=True))
            if self._work is not None and any(runs.ended()):
                self._work.container_ended()
            if runs.has_failed or self._feeding.problem:
                until = self._kill(runs, now)  # what the others still do is for nothing
            elif record.is_stopping or self._work_has_ended:
                until = self._stop(runs, now)
            else:
                until = deadline
            deps.wake.wait(until - now)
            if deps.wake.closing.is_set():
                raise Closing
            record.refresh()

    def _stop(self, runs: HostRuns, now: float) -> float:
        # As `docker stop -t 120`, but over restarts of ours: contract.md §1.1.1. Gives when to look again.
        stop_at = self._record.run.stop_signalled_at
        if self._work is not None:
            self._work.cancel()
        if stop_at is None:
            self._hosts.signal(runs.running, self._plan.stop_signal)
            self._record.learn(replace(self._record.run, stop_signalled_at=now))
            stop_at = now
        until = stop_at + self._plan.stop_seconds
        if now < until:
            return until
        return self._kill(runs, now)

    def _kill(self, runs: HostRuns, now: float) -> float:
        """Kill the containers that still run, now and again after a while. Gives when to look again."""
        if now >= self._killed_at + KILL_AGAIN_SECONDS:
            log.info("%s: the containers that still run are killed", self._plan.arn)
            self._hosts.signal(runs.running)
            self._killed_at = now
        return self._killed_at + KILL_AGAIN_SECONDS

    def _note_end(self, runs: HostRuns, metrics: Metrics) -> None:
        for host, state in runs.ended():
            if state.oom_killed:
                self._deps.lines[host].report(f"the container was out of memory; its limit is {_memory(self._plan)}")
        host, state = runs.verdict()
        code = exit_code(state)
        ended = replace(self._record.run, ended_at=self._record.now(), exit_code=code)
        facts: dict[str, Any] = {"FinalMetricDataList": metrics.final()} if metrics.final() else {}
        file = self._plan.message_file
        if self._work is not None:
            found = self._work.result or WorkResult(Outcome.ALGORITHM_ERROR)
            code = 0 if found.outcome is Outcome.COMPLETED else 1
            ended = replace(ended, exit_code=code, outcome=found.outcome.value, text=found.text)
        elif file is not None and file.member:
            try:
                message = phases.exit_message(file.path, self._deps, [one.id for _, one in runs.ended()])
                facts.update({file.member: message} if message else {})
            except UnicodeDecodeError:
                ended = replace(ended, bad_message=True)
        elif file is not None and code:
            ended = replace(ended, text=self._failure_text(file.path, host, state))
        # A failed job whose artifacts are not wanted goes straight to its end.
        if code and not self._upload_on_failure:
            self._record.learn(ended, **facts)
        else:
            self._record.move(self._type.stages.uploading, run=ended, **facts)

    def _begun_work(self, containers: Mapping[str, str]) -> AbstractContextManager[object]:
        if self._type.work is None:
            return nullcontext()
        self._work = self._type.work(self._record.row, self._plan, self._deps, containers)
        return self._work

    @property
    def _work_has_ended(self) -> bool:
        return self._work is not None and self._work.result is not None

    def _failure_text(self, path: str, host: str, state: ContainerState) -> str:
        text = phases.failure_text(path, self._deps, state.id)
        if len(self._plan.job.hosts) > 1:
            text = f"{host}: {text}" if text else host  # which one it was
        return text


def _memory(plan: Plan) -> str:
    limit = plan.job.hosts[0].container.memory_bytes
    return f"{limit / 1024**3:.1f} GiB" if limit else "the host's memory"
