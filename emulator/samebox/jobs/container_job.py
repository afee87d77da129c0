"""One container job in this life: the order of its phases, where it goes on after a crash, and how it ends."""

import contextlib
import logging
import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from samebox.containers.engine import ContainerMissing, ContainerState, LogLine
from samebox.data.objects import Cancelled
from samebox.jobs import phases
from samebox.jobs.feeding import Feeding
from samebox.jobs.host_runs import HostRuns, exit_code
from samebox.jobs.job_networks import JobNetworks
from samebox.jobs.job_type import JobType, JobWork, WorkResult
from samebox.jobs.metrics import Metrics
from samebox.jobs.outputs import Outputs
from samebox.jobs.phases import Ended, JobDependencies
from samebox.jobs.plan import Plan
from samebox.jobs.record import Record
from samebox.jobs.room import Room
from samebox.platform.job import HostPlan
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome, reason

log = logging.getLogger(__name__)

# A container that was killed ends at once; if it does not, the engine is asked to kill it again.
KILL_AGAIN_SECONDS = 30.0
_STOPPED_INSTEAD = frozenset({Outcome.COMPLETED, Outcome.ALGORITHM_ERROR, Outcome.BAD_MESSAGE, Outcome.NOT_READY})


class ContainerJob:
    """One job, of any type. `run` brings it to its end, from wherever it is."""

    def __init__(
        self,
        job_type: JobType,
        plan: Plan,
        deps: JobDependencies,
        record: Record,
        upload_on_failure: bool,
        room: Room,
        networks: JobNetworks,
    ) -> None:
        self._type = job_type
        self._plan = plan
        self._deps = deps
        self._record = record
        self._upload_on_failure = upload_on_failure
        self._hosts = phases.hosts_of(plan, deps, job_type.stages.pulling)
        self._room = room
        self._networks = networks
        self._network = record.run.network
        self._outputs = Outputs(plan, deps)
        self._work: JobWork | None = None
        self._feeding = Feeding(plan, deps)
        self._killed_at = 0.0

    def run(self) -> None:
        """Raises Closing, Changed."""
        with contextlib.closing(self._feeding):
            self._run()

    def _run(self) -> None:
        if self._plan.warning and self._deps.log.is_new:
            log.warning("%s: %s", self._plan.arn, self._plan.warning)
            self._deps.log.report(self._plan.warning)
        try:
            while True:
                try:
                    ending = self._to_the_end()
                    break
                except Cancelled:
                    # A stop, or our own end; with a stop the row says what to do now.
                    self._leave_if_closing()
                    self._record.refresh()
                    if not self._record.is_stopping:
                        raise
        except Ended as ended:
            ending = ended
        self._feeding.close()
        found = self._hosts.find()
        phases.keep_packages(self._plan, self._deps, found)
        self._hosts.remove_containers(found)
        finish(self._type, self._record, ending)
        # These take their time, and clients need not wait for them.
        self._leave_network()
        phases.sweep(self._deps.engine, self._plan.root)

    def _to_the_end(self) -> Ended:
        self._record.refresh()
        if self._record.run.ended_at is None:
            containers = self._containers()
            if containers is None:
                return Ended(Outcome.STOPPED)
            self._follow(containers)
        try:
            self._upload()
        except ContainerMissing:
            raise self._disappeared() from None
        return self._verdict()

    def _containers(self) -> Mapping[str, str] | None:
        """The hosts' containers, running or ended: found, or made now. None if the job was stopped before it began."""
        found = self._hosts.find()
        ran = {host: state.id for host, state in found.items() if state.has_run}
        if ran and self._feeding.may_have_broken and not self._record.is_stopping:
            self._deps.log.report("the emulator ended while it fed the pipes of this job: what was read may be a part")
            raise Ended(Outcome.INTERNAL)
        if len(ran) == len(self._plan.job.hosts):
            return ran
        if self._record.run.began_at is not None or self._record.run.ended_at is not None:
            raise self._disappeared()
        if self._record.is_stopping:
            return None
        self._plan = self._room.take(self._plan, self._deps)
        self._plan = self._with_network(self._plan)
        self._hosts = phases.hosts_of(self._plan, self._deps, self._type.stages.pulling)
        return {**ran, **self._start([host for host in self._plan.job.hosts if host.name not in ran])}

    def _disappeared(self) -> Ended:
        self._deps.log.report("the container has disappeared: it was removed, or lost by the engine")
        return Ended(Outcome.INTERNAL)

    def _start(self, hosts: Sequence[HostPlan]) -> Mapping[str, str]:
        self._hosts.begin_network()
        # Whatever an interrupted download left is kept or put right; a container that was made is used.
        began: dict[str, Any] = {self._type.began: self._began_at()}
        self._record.move(self._type.stages.preparing, replace(self._record.run, network=self._network), **began)
        hosts = phases.download(self._plan, self._deps, hosts)
        self._feeding.begin()
        made = [phases.create(self._plan, self._deps, self._hosts, host) for host in hosts]
        if self._deps.wake.cancelled.is_set():
            raise Cancelled(self._plan.arn)
        return {one.host.name: phases.start(self._plan, self._deps, self._hosts, one) for one in made}

    def _with_network(self, plan: Plan) -> Plan:
        """The plan on a network of `networks`, unless the job has another one or none."""
        if self._network is None and plan.job.has_network and not plan.job.network.internal:
            network = self._networks.take()
            self._network = network.name
            return replace(plan, job=plan.job.on(network))
        return plan

    def _leave_network(self) -> None:
        if self._network is None:
            return self._hosts.remove_network()
        self._hosts.leave_network()
        return self._networks.give_back(self._network)

    def _follow(self, containers: Mapping[str, str]) -> None:
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
        self._room.leave()  # the upload needs none
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
            self._leave_if_closing()
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

    def _upload(self) -> None:
        run = self._record.run
        failed = bool(run.exit_code) and not self._record.is_stopping
        if run.uploaded or (failed and not self._upload_on_failure):
            return
        try:
            phases.upload(self._plan, self._deps, lambda one: self._outputs.upload(one, self._deps.wake.closing))
        except Ended as ended:
            if not failed:
                raise
            # The failure of the algorithm is what the person must hear of.
            log.warning("%s: its artifacts were not uploaded: %s", self._plan.arn, ended)
            self._deps.log.report(f"the artifacts of this failed job were not uploaded: {ended.text}")
            return
        self._record.learn(replace(run, uploaded=True), **self._plan.uploaded)

    def _verdict(self) -> Ended:
        self._record.refresh()
        run = self._record.run
        if self._record.is_stopping:
            return Ended(Outcome.MAX_RUNTIME if run.max_runtime_exceeded else Outcome.STOPPED)
        if run.outcome:
            return Ended(Outcome(run.outcome), run.text)
        if run.exit_code:
            return Ended(Outcome.ALGORITHM_ERROR, run.text)
        return Ended(Outcome.BAD_MESSAGE if run.bad_message else Outcome.COMPLETED)

    def _began_at(self) -> float:
        return float(self._record.row.state.get(self._type.began) or self._record.now())

    def _leave_if_closing(self) -> None:
        if self._deps.wake.closing.is_set():
            raise Closing


def finish(job_type: JobType, record: Record, ended: Ended) -> None:
    """Write the end down: status, FailureReason, times."""
    record.refresh()
    outcome = ended.outcome
    if record.is_stopping and outcome in _STOPPED_INSTEAD:
        outcome = Outcome.STOPPED  # the stop was asked for after the last look
    ending = job_type.endings[outcome]
    facts = _times(job_type, record, failed=ending.stage == "Failed")
    text = reason(ending, ended.text, record.run.exit_code)
    if text is not None:
        facts["FailureReason"] = text
        log.warning("%s: %s", record.row.arn, text)
    log.info("%s %s: %s -> %s", job_type.kind.arn_type, record.row.name, record.stage, ending.stage)
    record.move(ending.stage, **facts)


def _times(job_type: JobType, record: Record, failed: bool) -> dict[str, Any]:
    # Of a failed job the moment of its failure counts, of others that after the upload (contract.md §1.6).
    now, failed_at = record.now(), record.run.ended_at
    end = failed_at if failed and failed_at is not None else now
    start = record.row.state.get(job_type.began)
    if start is None:
        return {job_type.ended: end}
    return {job_type.ended: end, **dict.fromkeys(job_type.seconds, max(1, math.ceil(end - float(start))))}


def _memory(plan: Plan) -> str:
    limit = plan.job.hosts[0].container.memory_bytes
    return f"{limit / 1024**3:.1f} GiB" if limit else "the host's memory"
