"""The running containers of a job, followed to their end: a client, the clock or one failed host may end them all."""

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from typing import Any

from samebox.containers.engine import ContainerState, LogLine
from samebox.jobs import attempts, job_faults, phases
from samebox.jobs.feeding import Feeding
from samebox.jobs.host_runs import HostRuns, exit_code
from samebox.jobs.job_type import JobType, JobWork, WorkResult
from samebox.jobs.metrics import Metrics
from samebox.jobs.phases import Ended, JobDependencies
from samebox.jobs.plan import Plan
from samebox.jobs.record import Record
from samebox.platform.hosts import JobHosts
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome
from samebox.resources.run_facts import RunFacts

log = logging.getLogger(__name__)

# So long after its start a program may not listen yet, and the kernel drops a signal to a first process that does not:
# a stop that comes sooner waits for this moment.
LISTEN_SECONDS = 1.0
# A container that was killed ends at once; if it does not, the engine is asked to kill it again.
KILL_AGAIN_SECONDS = 30.0
# Between the end of a container that a restart of the engine ends, and the moment from which the engine is there again.
RESTART_SECONDS = 60.0


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
        meanwhile: Sequence[Callable[[], AbstractContextManager[None]]],
        upload_on_failure: bool,
    ) -> None:
        self._type = job_type
        self._plan = plan
        self._deps = deps
        self._record = record
        self._hosts = hosts
        self._feeding = feeding
        self._meanwhile = meanwhile
        self._upload_on_failure = upload_on_failure
        self._work: JobWork | None = None
        self._killed_at = 0.0
        self._saw_line = False

    def follow(self, containers: Mapping[str, str]) -> None:
        """Until they have ended, and that is written down. Raises Ended where the job's end is known then, Closing."""
        deps = self._deps
        metrics = Metrics(self._plan.metrics, deps.publish)
        self._recall(metrics)
        with ExitStack() as under_way:
            seen = self._look_out(metrics)
            runs = under_way.enter_context(
                HostRuns(
                    deps.engine, containers, deps.lines, deps.wake.notify, seen, deps.give_up_seconds, deps.background
                )
            )
            for begin in self._meanwhile:
                under_way.enter_context(begin())
            under_way.enter_context(self._begun_work(containers))
            began = self._record.run.began_at or self._record.now()
            self._record.move(self._type.stages.running, run=replace(self._record.run, began_at=began))
            self._wait(runs)
        if runs.lost is not None:
            deps.log.report(f"the container is lost: {runs.lost}")
            raise Ended(Outcome.INTERNAL)
        if not self._is_asked and self._engine_ended(runs):
            deps.log.report("the container engine was restarted while the container ran")
            raise Ended(Outcome.INTERNAL)
        if self._feeding.problem and not self._record.is_stopping:
            self._deps.log.report(self._feeding.problem)
            raise Ended(Outcome.DOWNLOAD_FAILED, self._feeding.problem)
        self._note_end(runs, metrics)

    def _recall(self, metrics: Metrics) -> None:
        """See the lines that an earlier life of ours, or an earlier attempt, has written."""
        if metrics.is_empty and not self._awaited_line:
            return
        for lines in self._deps.lines.values():
            for text, at in lines.texts():
                metrics.see(text, at, is_new=False)
                self._saw_line = self._saw_line or self._is_awaited(text)

    def _look_out(self, metrics: Metrics) -> Callable[[Sequence[LogLine]], None] | None:
        """What is to see each new line; None where there is nothing to look for."""
        if metrics.is_empty and not self._awaited_line:
            return None
        lock = threading.Lock()

        def seen(lines: Sequence[LogLine]) -> None:
            with lock:  # each host's lines come in a thread of their own
                for line in lines:
                    metrics.see(line.text, line.time / 1e9)
                    if not self._saw_line and self._is_awaited(line.text):
                        self._saw_line = True
                        self._deps.wake.notify()

        return seen

    @property
    def _awaited_line(self) -> str:
        return self._plan.spot.interrupt_at if self._plan.spot else ""

    def _is_awaited(self, text: str) -> bool:
        return bool(self._awaited_line) and self._awaited_line in text

    def _wait(self, runs: HostRuns) -> None:
        """Until all have ended and their lines are written; a client, the clock or a failed host may end them."""
        record, deps = self._record, self._deps
        while not runs.done:
            now = record.now()
            until = self._obey_the_clock(now)
            if self._work is not None and (ended := [host for host, _ in runs.ended()]):
                self._work.container_ended(ended)
            if runs.lost is not None or self._feeding.problem or (runs.has_failed and not self._is_asked):
                until = self._kill(runs, now)  # what the others still do is for nothing
            elif self._is_asked:
                until = self._stop(runs, now)
            deps.wake.wait(until - now)
            if deps.wake.closing.is_set():
                raise Closing
            record.refresh()

    @property
    def _is_asked(self) -> bool:
        """Whether the containers were asked to end."""
        record = self._record
        return record.is_stopping or self._work_has_ended or bool(record.run.interrupted_by)

    def _engine_ended(self, runs: HostRuns) -> bool:
        """Whether a restart of the engine ended a container, whatever exit code it made of that."""
        if not runs.may_have_lost_the_engine:
            return False
        began = self._deps.retry(self._deps.engine.started_at)
        return began is not None and any(
            (state.started_at or began) < began and abs((state.finished_at or 0.0) - began) < RESTART_SECONDS
            for _, state in runs.ended()
        )

    def _obey_the_clock(self, now: float) -> float:
        """Have the job stop, or this attempt end, when its time is over. Gives when to look again."""
        record, spot = self._record, self._plan.spot
        if record.is_stopping:
            return math.inf
        run = record.run
        end = (run.began_at or now) + self._plan.max_runtime_seconds - run.earlier.ran_seconds
        last = record.row.created + spot.max_wait_seconds if spot else math.inf
        if now >= min(end, last):
            log.info("%s: %s is over", self._plan.arn, "MaxRuntimeInSeconds" if now >= end else "MaxWaitTimeInSeconds")
            over = replace(run, max_runtime_exceeded=now >= end, max_wait_exceeded=now < end)
            record.move("Stopping", run=over)
            return math.inf
        if spot and not run.interrupted_by:
            order = attempts.order_due(spot, record.row.tags, run, now, self._saw_line)
            if order:
                self._deps.log.report("the spot instances of this job are interrupted")
                record.learn(replace(run, interrupted_by=order))
        return min(end, last, attempts.next_look(spot, record.run))

    def _stop(self, runs: HostRuns, now: float) -> float:
        # As `docker stop -t 120`, but over restarts of ours: contract.md §1.1.1. Gives when to look again.
        stop_at = self._record.run.stop_signalled_at
        if self._work is not None:
            self._work.cancel()
            if self._work.result is None and not self._work.is_serving:
                if stop_at is None:
                    self._deps.log.report("the server has not answered /ping yet: it is killed")
                    self._record.learn(replace(self._record.run, stop_signalled_at=now))
                return self._kill(runs, now)
        if stop_at is None:
            listens_at = (self._record.run.began_at or now) + LISTEN_SECONDS
            if now < listens_at:
                return listens_at
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
            if job_faults.is_out_of_memory(self._deps, state):
                self._deps.lines[host].report(f"the container was out of memory; its limit is {_memory(self._plan)}")
        host, state = runs.verdict()
        facts: dict[str, Any] = {"FinalMetricDataList": metrics.final()} if metrics.final() else {}
        ended = replace(self._record.run, ended_at=self._record.now(), exit_code=exit_code(state))
        if self._work is not None:
            found = self._work.result or WorkResult(Outcome.ALGORITHM_ERROR)
            code = 0 if found.outcome is Outcome.COMPLETED else 1
            ended = replace(ended, exit_code=code, outcome=found.outcome.value, text=found.text)
        else:
            ended = self._with_message(ended, facts, runs, host, state)
            if ended.exit_code and job_faults.is_out_of_memory(self._deps, state) and not ended.text:
                ended = replace(ended, outcome=Outcome.OUT_OF_MEMORY.value)
        # A failed job whose artifacts are not wanted goes straight to its end; an interrupted attempt uploads nothing.
        is_interrupted = bool(ended.interrupted_by) and not self._record.is_stopping
        if is_interrupted or (ended.exit_code and not self._upload_on_failure):
            self._record.learn(ended, **facts)
        else:
            self._record.move(self._type.stages.uploading, run=ended, **facts)

    def _with_message(
        self, ended: RunFacts, facts: dict[str, Any], runs: HostRuns, host: str, state: ContainerState
    ) -> RunFacts:
        """The facts with what the containers have written for Describe, or of their failure."""
        file = self._plan.message_file
        if file is None:
            return ended
        is_of_several = len(self._plan.job.hosts) > 1
        is_out_of_memory = job_faults.is_out_of_memory(self._deps, state)
        if file.member:
            if ended.exit_code and is_of_several and not is_out_of_memory:
                ended = replace(ended, text=f"{host}: ")  # which one it was
            try:
                message = phases.exit_message(file.path, self._deps, [one.id for _, one in runs.ended()])
            except UnicodeDecodeError:
                return replace(ended, bad_message=True)
            facts.update({file.member: message} if message else {})
            return ended
        if not ended.exit_code:
            return ended
        text = phases.failure_text(file.path, self._deps, state.id)
        if is_of_several and not (is_out_of_memory and not text):
            text = f"{host}: {text}" if text else host
        return replace(ended, text=text)

    def _begun_work(self, containers: Mapping[str, str]) -> AbstractContextManager[object]:
        if self._type.work is None:
            return nullcontext()
        self._work = self._type.work(self._record.row, self._plan, self._deps, containers)
        return self._work

    @property
    def _work_has_ended(self) -> bool:
        return self._work is not None and self._work.result is not None


def _memory(plan: Plan) -> str:
    limit = plan.job.hosts[0].container.memory_bytes
    return f"{limit / 1024**3:.1f} GiB" if limit else "the host's memory"
