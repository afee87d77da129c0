"""Training jobs: the order of the phases, where a job goes on after a crash, and how it ends."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from samebox.containers import folder_copies, instances
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerState, Engine, LogLine
from samebox.data.objects import Cancelled, Objects
from samebox.jobs import package_cache, phases
from samebox.jobs.follower import Follower
from samebox.jobs.loglines import LogLines
from samebox.jobs.metrics import Metrics
from samebox.jobs.phases import Ended, Tools
from samebox.jobs.plan import TRAINING_LOG_GROUP, EmulatorInfo, Plan, jobs_folder, log_stream, training
from samebox.jobs.record import Record
from samebox.jobs.wake import Wake
from samebox.platform.retrying import GIVE_UP_SECONDS, Closing
from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.logbook import Logbook
from samebox.resources.outcome import ENDINGS, Outcome, reason
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource

log = logging.getLogger(__name__)

FINAL = frozenset({"Completed", "Failed", "Stopped"})
# A container that was killed ends at once; if it does not, the engine is asked to kill it again.
KILL_AGAIN_SECONDS = 30.0


class TrainingJobs:
    """The runner of training jobs (see supervisor.Runner)."""

    def __init__(
        self,
        resources: Resources,
        engine: Engine,
        objects: Objects,
        logbook: Logbook,
        emulator: EmulatorInfo,
        login: phases.Login = lambda _account, _region: None,
        give_up_seconds: float = GIVE_UP_SECONDS,
    ) -> None:
        self._resources = resources
        self._engine = engine
        self._objects = objects
        self._logbook = logbook
        self._emulator = emulator
        self._login = login
        self._give_up_seconds = give_up_seconds

    def wants(self, resource: Resource) -> bool:
        """True until the job is Completed, Failed or Stopped."""
        return resource.status not in FINAL

    def run(self, resource: Resource, wake: Wake) -> None:
        """Bring the job to its end, from wherever it is."""
        logbook = self._logbook.of(resource.account, resource.region)
        lines = LogLines(logbook, TRAINING_LOG_GROUP, log_stream(resource))
        record = Record(self._resources, resource)
        login = partial(self._login, resource.account, resource.region)
        tools = Tools(self._engine, self._objects, lines, wake, record.report, login, self._give_up_seconds)
        try:
            plan = self._plan(resource, tools)
            _Job(plan, tools, record, self._emulator.settings.upload_on_failure).run()
        except Ended as ended:
            _finish(record, ended)
        except Closing:
            log.info("%s is left as it is", resource.arn)
        except Changed:
            log.warning("%s was deleted while it was worked on", resource.arn)
            self._remove_containers(resource)

    def fail(self, resource: Resource) -> bool:
        """InternalServerError, and nothing left running."""
        row = self._resources.by_arn(resource.arn)
        if row is not None and self.wants(row):
            self._remove_containers(row)
            _finish(Record(self._resources, row), Ended(Outcome.INTERNAL))
        return True

    def sweep(self) -> None:
        """Remove containers and folders of jobs that have ended, or that nobody knows any more."""
        folder = jobs_folder(self._emulator.data_dir)
        # First what is there, then what is wanted: a job that begins in between is not seen.
        folders = sorted(folder.iterdir()) if folder.is_dir() else []
        states = self._engine.find({INSTANCE_LABEL: self._emulator.label})
        # Names and folders do not depend on the limits.
        any_limits = instances.Limits(cpus=1.0, memory_bytes=0, gpus=0)
        plans = [training(row, any_limits, self._emulator) for row in self._resources.unfinished(TRAINING_JOB)]
        names, roots = {plan.container.name for plan in plans}, {plan.root for plan in plans}
        for state in states:
            if ":training-job/" in state.labels.get(ARN_LABEL, "") and state.name not in names:
                log.info("removing container %s: its job has ended", state.name)
                self._engine.remove(state.id)
        for volume in folder_copies.unused(self._engine, {INSTANCE_LABEL: self._emulator.label}):
            self._engine.remove_volume(volume.name)
        for one in folders:
            if one not in roots:
                phases.sweep(self._engine, one)
        package_cache.sweep(self._emulator.data_dir)

    def _plan(self, resource: Resource, tools: Tools) -> Plan:
        capacity = tools.retry_while_unavailable(self._engine.capacity)
        instance_type = resource.spec["ResourceConfig"]["InstanceType"]
        try:
            limits = instances.limits(instance_type, capacity, self._emulator.settings.allow_gpu_on_cpu)
        except (instances.NoGpu, instances.UnknownInstanceType) as error:
            raise Ended(Outcome.NO_CAPACITY, str(error)) from error
        return training(resource, limits, self._emulator)

    def _remove_containers(self, resource: Resource) -> None:
        for state in self._engine.find({INSTANCE_LABEL: self._emulator.label, ARN_LABEL: resource.arn}):
            self._engine.remove(state.id)


class _Job:
    """One job, in this life of ours."""

    def __init__(self, plan: Plan, tools: Tools, record: Record, upload_on_failure: bool) -> None:
        self._plan = plan
        self._tools = tools
        self._record = record
        self._upload_on_failure = upload_on_failure
        self._killed_at = 0.0

    def run(self) -> None:
        if self._plan.warning and self._tools.lines.is_new:
            log.warning("%s: %s", self._plan.arn, self._plan.warning)
            self._tools.lines.report(self._plan.warning)
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
        phases.remove_container(self._plan, self._tools)
        _finish(self._record, ending)
        phases.sweep(self._tools.engine, self._plan.root)

    def _to_the_end(self) -> Ended:
        self._record.refresh()
        if self._record.run.ended_at is None:
            container = self._container()
            if container is None:
                return Ended(Outcome.STOPPED)
            self._train(container)
        self._upload()
        return self._verdict()

    def _container(self) -> str | None:
        """The job's container, running or ended: found, or made now. None if the job was stopped before it began."""
        state = phases.find(self._plan, self._tools)
        if state is not None and state.has_run:
            return state.id
        if self._record.stage in ("Training", "Uploading"):
            self._tools.lines.report("the container has disappeared: somebody removed it, or the engine forgot it")
            raise Ended(Outcome.INTERNAL)
        if self._record.is_stopping:
            return None
        # Whatever an interrupted download left is kept or put right; a container that was made is used.
        self._record.move("Downloading", TrainingStartTime=self._started_at())
        phases.download(self._plan, self._tools)
        made = phases.create(self._plan, self._tools)
        if self._tools.wake.cancelled.is_set():
            raise Cancelled(made.id)
        return phases.start(self._plan, self._tools, made)

    def _train(self, container: str) -> None:
        tools = self._tools
        metrics = Metrics(self._plan.request["AlgorithmSpecification"].get("MetricDefinitions") or ())
        if not metrics.is_empty:
            metrics.see_all(tools.lines.texts())

        def seen(lines: Sequence[LogLine]) -> None:
            for line in lines:
                metrics.see(line.text, line.time / 1e9)

        follower = Follower(
            tools.engine, container, tools.lines, tools.wake.notify, None if metrics.is_empty else seen,
            tools.give_up_seconds,
        )  # fmt: skip
        try:
            began = self._record.run.training_started_at or self._record.now()
            self._record.move("Training", run=replace(self._record.run, training_started_at=began))
            self._wait(container, follower, began + self._plan.max_runtime_seconds)
        finally:
            follower.close()
        if follower.state is None:
            tools.lines.report(f"the container is lost: {follower.error or 'somebody removed it'}")
            raise Ended(Outcome.INTERNAL)
        self._note_end(follower.state, metrics)

    def _wait(self, container: str, follower: Follower, deadline: float) -> None:
        """Until the container has ended and all it said is written; stop it when a client or the clock says so."""
        record, tools = self._record, self._tools
        while not follower.done:
            now = record.now()
            if not record.is_stopping and now >= deadline:
                log.info("%s: MaxRuntimeInSeconds is over", self._plan.arn)
                record.move("Stopping", run=replace(record.run, max_runtime_exceeded=True))
            until = self._stop(container, now) if record.is_stopping else deadline
            tools.wake.wait(until - now)
            self._leave_if_closing()
            record.refresh()

    def _stop(self, container: str, now: float) -> float:
        # As `docker stop -t 120`, but over restarts of ours: contract.md §1.1.1. Gives when to look again.
        engine, stop_at = self._tools.engine, self._record.run.stop_signalled_at
        if stop_at is None:
            self._tools.retry_while_unavailable(lambda: engine.kill(container, "SIGTERM"))
            self._record.learn(replace(self._record.run, stop_signalled_at=now))
            stop_at = now
        until = max(stop_at + self._plan.stop_seconds, self._killed_at + KILL_AGAIN_SECONDS)
        if now < until:
            return until
        log.info("%s: not ended within %g s of SIGTERM, killed", self._plan.arn, self._plan.stop_seconds)
        self._tools.retry_while_unavailable(lambda: engine.kill(container))
        self._killed_at = now
        return now + KILL_AGAIN_SECONDS

    def _note_end(self, state: ContainerState, metrics: Metrics) -> None:
        exit_code = state.exit_code if state.exit_code is not None else 137
        if state.oom_killed:
            self._tools.lines.report(f"the container was out of memory; its limit is {_gib(self._plan)}")
        text = phases.failure_text(self._tools, state.id) if exit_code else ""
        facts = {"FinalMetricDataList": metrics.final()} if metrics.final() else {}
        ended = replace(self._record.run, ended_at=self._record.now(), exit_code=exit_code, text=text)
        # A failed job whose artifacts nobody wants goes straight to its end.
        if exit_code and not self._upload_on_failure:
            self._record.learn(ended, **facts)
        else:
            self._record.move("Uploading", run=ended, **facts)

    def _upload(self) -> None:
        run = self._record.run
        failed = bool(run.exit_code) and not self._record.is_stopping
        if run.uploaded or (failed and not self._upload_on_failure):
            return
        try:
            phases.upload(self._plan, self._tools, str(self._plan.container.name))
        except Ended as ended:
            if not failed:
                raise
            # The failure of the algorithm is what the person must hear of.
            log.warning("%s: its artifacts were not uploaded: %s", self._plan.arn, ended)
            self._tools.lines.report(f"the artifacts of this failed job were not uploaded: {ended.text}")
            return
        self._record.learn(replace(run, uploaded=True), ModelArtifacts={"S3ModelArtifacts": self._plan.model_uri})

    def _verdict(self) -> Ended:
        self._record.refresh()
        run = self._record.run
        if self._record.is_stopping:
            return Ended(Outcome.MAX_RUNTIME if run.max_runtime_exceeded else Outcome.STOPPED)
        return Ended(Outcome.ALGORITHM_ERROR, run.text) if run.exit_code else Ended(Outcome.COMPLETED)

    def _started_at(self) -> float:
        return float(self._record.row.state.get("TrainingStartTime") or self._record.now())

    def _leave_if_closing(self) -> None:
        if self._tools.wake.closing.is_set():
            raise Closing


def _finish(record: Record, ended: Ended) -> None:
    """Write the end down: status, FailureReason, times."""
    record.refresh()
    outcome = ended.outcome
    if record.is_stopping and outcome in (Outcome.COMPLETED, Outcome.ALGORITHM_ERROR):
        outcome = Outcome.STOPPED  # the wish came after the last look
    facts = _times(record, failed=ENDINGS[outcome].stage == "Failed")
    words = reason(outcome, ended.text, record.run.exit_code)
    if words is not None:
        facts["FailureReason"] = words
        log.warning("%s: %s", record.row.arn, words)
    log.info("training job %s: %s -> %s", record.row.name, record.stage, ENDINGS[outcome].stage)
    record.move(ENDINGS[outcome].stage, **facts)


def _times(record: Record, failed: bool) -> dict[str, Any]:
    # Of a failed job the moment of its failure counts, of others that after the upload (contract.md §1.6).
    now, failed_at = record.now(), record.run.ended_at
    end = failed_at if failed and failed_at is not None else now
    start = record.row.state.get("TrainingStartTime")
    if start is None:
        return {"TrainingEndTime": end}
    seconds = max(1, math.ceil(end - float(start)))
    return {"TrainingEndTime": end, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}


def _gib(plan: Plan) -> str:
    limit = plan.container.memory_bytes
    return f"{limit / 1024**3:.1f} GiB" if limit else "the host's memory"
