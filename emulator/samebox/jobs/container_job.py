"""One container job in this life: the order of its phases, where it goes on after a crash, and how it ends."""

import contextlib
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from samebox.containers.engine import ContainerMissing
from samebox.data.objects import Cancelled
from samebox.faults.kinds import Point
from samebox.jobs import attempts, job_faults, phases
from samebox.jobs.attempts import Interrupted, WaitedTooLong
from samebox.jobs.feeding import Feeding
from samebox.jobs.host_metrics import HostMetrics
from samebox.jobs.instance_wait import InstanceWait
from samebox.jobs.job_networks import JobNetworks
from samebox.jobs.job_type import JobType
from samebox.jobs.mirrors import FolderMirrors
from samebox.jobs.outputs import Outputs
from samebox.jobs.phases import Ended, JobDependencies
from samebox.jobs.plan import FolderUpload, Plan
from samebox.jobs.record import Record
from samebox.jobs.room import Room
from samebox.jobs.running import RunningHosts
from samebox.jobs.warm_pools import RETAINED, WarmPools, identity_of
from samebox.platform.job import HostPlan
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome, reason

log = logging.getLogger(__name__)

_STOPPED_INSTEAD = frozenset(
    {
        Outcome.COMPLETED,
        Outcome.ALGORITHM_ERROR,
        Outcome.OUT_OF_MEMORY,
        Outcome.BAD_MESSAGE,
        Outcome.NOT_READY,
        Outcome.PIPELINE_NOT_READY,
    }
)


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
        pools: WarmPools,
    ) -> None:
        self._type = job_type
        self._plan = plan
        self._deps = deps
        self._record = record
        self._upload_on_failure = upload_on_failure
        self._hosts = phases.hosts_of(plan, deps, job_type.stages.pulling)
        self._room = room
        self._networks = networks
        self._pools = pools
        self._network = record.run.network
        self._outputs = Outputs(plan, deps)
        self._mirrors = FolderMirrors(plan, deps)
        self._feeding = Feeding(plan, deps)

    def run(self) -> None:
        """Raises Closing, Changed."""
        with contextlib.closing(self._feeding):
            self._run()

    def _run(self) -> None:
        if self._deps.log.is_new:
            for stand_in in self._plan.stand_ins.values():
                self._deps.log.report(stand_in.label)
        if self._plan.warning and self._deps.log.is_new:
            log.warning("%s: %s", self._plan.arn, self._plan.warning)
            self._deps.log.report(self._plan.warning)
        while (ending := self._attempt()) is None:
            pass
        self._feeding.close()
        found = self._hosts.find()
        phases.keep_packages(self._plan, self._deps, found)
        self._hosts.remove_containers(found)
        spot = self._plan.spot
        finish(self._type, self._record, ending, self._pools, spot.savings_percent if spot else 0.0)
        # These take their time, and clients need not wait for them.
        if self._pools.keep(self._record.row, self._room):
            self._hosts.leave_network()
        else:
            self._leave_network()
        phases.sweep(self._deps.engine, self._plan.root)

    def _attempt(self) -> Ended | None:
        """The job's end; None when another attempt follows."""
        try:
            ending = self._ending()
        except Interrupted:
            self._begin_again("Interrupted", self._record.run.interrupted_by)
            return None
        if ending.outcome is not Outcome.INTERNAL:
            return ending
        self._mirrors.salvage()
        self._record.refresh()
        if not self._record.is_stopping and attempts.may_retry(self._record.row.spec, self._record.run):
            self._begin_again("Restarting")
            return None
        return ending

    def _begin_again(self, stage: str, order: str = "") -> None:
        log.info("%s: %s, attempt %d", self._plan.arn, stage, self._record.run.earlier.count + 1)
        self._record.move(stage, run=attempts.following(self._record.run, self._record.now(), order))

    def _ending(self) -> Ended:
        """How this attempt ends the job. Raises Interrupted."""
        try:
            while True:
                try:
                    return self._to_the_end()
                except Cancelled:
                    # A stop, or our own end; with a stop the row says what to do now.
                    self._leave_if_closing()
                    self._record.refresh()
                    if not self._record.is_stopping:
                        raise
        except Ended as ended:
            return ended

    def _to_the_end(self) -> Ended:
        self._record.refresh()
        if self._record.run.leftovers:
            self._clear_away()
        if self._record.run.ended_at is None:
            containers = self._containers()
            if containers is None:
                return self._stopped()
            self._running(containers).follow(containers)
            if identity_of(self._record.row) is None:
                self._room.leave()  # the upload needs none
        try:
            if not self._record.run.uploaded:
                self._unless_failed(self._mirrors.finish)
            if self._record.run.interrupted_by and not self._record.is_stopping:
                raise Interrupted
            self._upload()
        except ContainerMissing:
            raise self._disappeared() from None
        return self._verdict()

    def _clear_away(self) -> None:
        """Remove what the attempt before this one has left, and begin as at the first."""
        self._room.leave()
        self._feeding.close()
        self._hosts.remove_containers(self._hosts.find())
        self._hosts.leave_network()
        phases.sweep(self._deps.engine, self._plan.root)
        self._feeding = Feeding(self._plan, self._deps)
        self._outputs = Outputs(self._plan, self._deps)
        self._mirrors = FolderMirrors(self._plan, self._deps)
        run = replace(self._record.run, leftovers=False)
        if self._record.stage == "Interrupted":
            self._record.move("Starting", run=run)
        else:
            self._record.learn(run)

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
        self._await_instances()
        self._plan = self._with_network(self._plan)
        self._hosts = phases.hosts_of(self._plan, self._deps, self._type.stages.pulling)
        return {**ran, **self._start([host for host in self._plan.job.hosts if host.name not in ran])}

    def _await_instances(self) -> None:
        """Until there is room for the job; MaxWaitTimeInSeconds may be over before."""
        phases.strike(self._deps, Point.CAPACITY)
        wait = InstanceWait(self._plan, self._deps, self._record, self._room)
        try:
            self._plan = wait.take()
        except WaitedTooLong:
            self._record.move("Stopping", run=replace(self._record.run, max_wait_exceeded=True))
            raise Cancelled(self._plan.arn) from None

    def _running(self, containers: Mapping[str, str]) -> RunningHosts:
        faults = partial(job_faults.while_running, self._deps, containers)
        return RunningHosts(
            self._type,
            self._plan,
            self._deps,
            self._record,
            self._hosts,
            self._feeding,
            (
                self._outputs.while_running,
                self._mirrors.while_running,
                HostMetrics(self._plan, self._deps, self._record).while_running,
                faults,
            ),
            self._upload_on_failure,
        )

    def _disappeared(self) -> Ended:
        self._deps.log.report("the container has disappeared: it was removed, or lost by the engine")
        return Ended(Outcome.INTERNAL)

    def _start(self, hosts: Sequence[HostPlan]) -> Mapping[str, str]:
        self._hosts.begin_network()
        # Whatever an interrupted download left is kept or put right; a container that was made is used.
        began: dict[str, Any] = {self._type.began: self._began_at()}
        run = self._record.run
        run = replace(run, network=self._network, prepared_at=run.prepared_at or self._record.now())
        self._record.move(self._type.stages.preparing, run, **began)
        hosts = phases.download(self._plan, self._deps, hosts)
        self._mirrors.restore(hosts)
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

    def _upload(self) -> None:
        run = self._record.run
        if run.uploaded or (self._has_failed and not self._upload_on_failure):
            return

        def folder(one: FolderUpload) -> None:
            self._outputs.upload(one, self._deps.wake.closing)

        if self._unless_failed(lambda: phases.upload(self._plan, self._deps, folder)):
            self._record.learn(replace(run, uploaded=True), **self._plan.uploaded)

    @property
    def _has_failed(self) -> bool:
        return bool(self._record.run.exit_code) and not self._record.is_stopping

    def _unless_failed(self, upload: Callable[[], None]) -> bool:
        """Upload something; gives whether that was done. Of a failed job it may not be: its own failure is what the
        person must hear of. Raises Ended."""
        try:
            upload()
        except Ended as ended:
            if not self._has_failed:
                raise
            log.warning("%s: its artifacts were not uploaded: %s", self._plan.arn, ended)
            self._deps.log.report(f"the artifacts of this failed job were not uploaded: {ended.text}")
            return False
        return True

    def _verdict(self) -> Ended:
        self._record.refresh()
        run = self._record.run
        if self._record.is_stopping:
            return self._stopped()
        if run.outcome:
            return Ended(Outcome(run.outcome), run.text)
        if run.exit_code:
            return Ended(Outcome.ALGORITHM_ERROR, run.text)
        return Ended(Outcome.BAD_MESSAGE if run.bad_message else Outcome.COMPLETED)

    def _stopped(self) -> Ended:
        run = self._record.run
        if run.max_wait_exceeded:
            return Ended(Outcome.MAX_WAIT)
        return Ended(Outcome.MAX_RUNTIME if run.max_runtime_exceeded else Outcome.STOPPED)

    def _began_at(self) -> float:
        return float(self._record.row.state.get(self._type.began) or self._record.now())

    def _leave_if_closing(self) -> None:
        if self._deps.wake.closing.is_set():
            raise Closing


def finish(job_type: JobType, record: Record, ended: Ended, pools: WarmPools, savings_percent: float = 0.0) -> None:
    """Write the end down: status, FailureReason, times, and what becomes of a warm pool."""
    record.refresh()
    outcome = ended.outcome
    if record.is_stopping and outcome in _STOPPED_INSTEAD:
        outcome = Outcome.STOPPED  # the stop was asked for after the last look
    ending = job_type.endings[outcome]
    facts = _times(job_type, record, ending.stage == "Failed", savings_percent)
    text = reason(ending, ended.text, record.run.exit_code)
    if text is not None:
        facts["FailureReason"] = text
        log.warning("%s: %s", record.row.arn, text)
    log.info("%s %s: %s -> %s", job_type.kind.arn_type, record.row.name, record.stage, ending.stage)
    run, pool = pools.at_end(record, outcome)
    is_kept = pool.get("WarmPoolStatus") == {"Status": "Available"} and ending.stage == "Completed"
    record.move(ending.stage, run, RETAINED if is_kept else None, **facts, **pool)


def _times(job_type: JobType, record: Record, failed: bool, savings_percent: float) -> dict[str, Any]:
    # Of a failed job the moment of its failure counts, of others that after the upload (contract.md §1.6).
    now, run = record.now(), record.run
    end = run.ended_at if failed and run.ended_at is not None else now
    start = record.row.state.get(job_type.began)
    if start is None or job_type.seconds is None:
        return {job_type.ended: end}
    took = end - float(start)
    # What a job waits for between two attempts is not billed.
    held = attempts.held_seconds(run, end) if run.earlier.count else took
    billed = held * (1 - savings_percent / 100)
    seconds = {job_type.seconds.took: took, job_type.seconds.billed: billed}
    return {job_type.ended: end, **{member: max(1, math.ceil(one)) for member, one in seconds.items()}}
