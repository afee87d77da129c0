"""The runner of one type of container job (see supervisor.Runner): of training jobs, of processing jobs, …"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from samebox.containers import folder_copies, instances
from samebox.containers.engine import ARN_LABEL, HELPER_LABEL, INSTANCE_LABEL, THIS_PROCESS, Engine
from samebox.containers.reservations import Reservations
from samebox.data.channel_cache import ChannelCache
from samebox.data.objects import Objects
from samebox.faults.faults import FaultTable
from samebox.jobs import attempts, package_cache, phases
from samebox.jobs.container_job import ContainerJob, finish
from samebox.jobs.job_networks import JobNetworks
from samebox.jobs.job_type import JobType
from samebox.jobs.loglines import LogLines
from samebox.jobs.phases import Ended, JobDependencies
from samebox.jobs.plan import EmulatorInfo, Plan, job_folder, jobs_folder
from samebox.jobs.record import Record
from samebox.jobs.room import Room
from samebox.jobs.wake import Wake
from samebox.jobs.warm_pools import WarmPools, is_available
from samebox.platform.background import Background, BackgroundTask
from samebox.platform.retrying import Closing, retry_while_unavailable
from samebox.resources.kinds import CONTAINER_JOBS
from samebox.resources.logbook import Logbook
from samebox.resources.metrics import MetricSeries
from samebox.resources.outcome import Outcome
from samebox.resources.resources import Resources
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Changed, Resource
from samebox.resources.unique_id import unique_id

log = logging.getLogger(__name__)

PutMetric = Callable[[MetricSeries, float, float], None]  # adds a value, which came at a time, to a series

FINAL = frozenset({"Completed", "Failed", "Stopped"})
# Names and folders do not depend on the limits.
_ANY_LIMITS = instances.Limits(cpus=1.0, memory_bytes=0, gpus=0)


class ContainerJobs:
    """Runs the jobs of one type; those of all types share `networks`, `cache` and `reservations`.

    `reservations` None: all start at once.
    """

    def __init__(
        self,
        job_type: JobType,
        resources: Resources,
        engine: Engine,
        objects: Objects,
        logbook: Logbook,
        emulator: EmulatorInfo,
        background: Background,
        login: phases.Login = lambda _account, _region: None,
        *,
        networks: JobNetworks,
        cache: ChannelCache,
        reservations: Reservations | None = None,
        faults: FaultTable | None = None,
        put_metric: PutMetric = lambda _series, _at, _value: None,
    ) -> None:
        self._type = job_type
        self._resources = resources
        self._engine = engine
        self._objects = objects
        self._logbook = logbook
        self._emulator = emulator
        self._background = background
        self._networks = networks
        self._cache = cache
        self._login = login
        self._give_up_seconds = emulator.settings.outage_seconds
        self._reservations = reservations
        self._faults = faults or FaultTable()
        self._put_metric = put_metric
        self._began = time.time()
        self._pools = WarmPools(
            job_type.kind,
            resources,
            engine,
            networks,
            emulator.data_dir,
            background,
            lambda arn: Room(arn, reservations).leave(),
        )

    def wants(self, resource: Resource) -> bool:
        """True until the job is Completed, Failed or Stopped, and its hosts are kept no longer."""
        return resource.status not in FINAL or is_available(resource)

    def run(self, resource: Resource, wake: Wake) -> BackgroundTask | None:
        """Bring the job to its end, from wherever it is; of one that has ended, keep the hosts."""
        record = Record(self._resources, resource)
        room = Room(resource.arn, self._reservations)
        if resource.status in FINAL:
            return self._pools.watch(resource, wake, partial(self._has_room, record, room, wake))
        try:
            self._pools.take(record, room)
            plan = self._plan(record.row, record, wake)
            self._pools.make_folders(record.row, [host.name for host in plan.job.hosts])
            deps = self._dependencies(resource, plan, record, wake)
            upload_on_failure = self._emulator.settings.upload_on_failure
            ContainerJob(self._type, plan, deps, record, upload_on_failure, room, self._networks, self._pools).run()
        except Ended as ended:
            finish(self._type, record, ended, self._pools, self._savings_percent(resource))
            if not self._pools.keep(record.row, room) and record.run.network is not None:
                self._networks.give_back(record.run.network)
        except Closing:
            log.info("%s is left as it is", resource.arn)
        except Changed:
            log.warning("%s was deleted while it was worked on", resource.arn)
            self._remove(resource)
        finally:
            room.leave()
        return None

    def _has_room(self, record: Record, room: Room, wake: Wake) -> bool:
        """Whether the room of a job that has ended is still kept; a restart keeps it anew."""
        lost = partial(self._pools.end, record.row.arn)
        if room.keep(lost):
            return True
        try:
            return room.keep_again(self._plan(record.row, record, wake), lost)
        except Ended:
            return False

    def fail(self, resource: Resource) -> bool:
        """InternalServerError, and nothing left running; or, by RetryStrategy, another attempt."""
        row = self._resources.by_arn(resource.arn)
        if row is not None and row.status in FINAL:
            self._pools.end(row.arn)
        elif row is not None:
            self._remove(row)
            record = Record(self._resources, row)
            if not record.is_stopping and attempts.may_retry(row.spec, record.run):
                # Its network was given back.
                record.move("Restarting", run=replace(attempts.following(record.run, record.now()), network=None))
                return True
            finish(self._type, record, Ended(Outcome.INTERNAL), self._pools, self._savings_percent(row))
            self._pools.keep(record.row, Room(row.arn, self._reservations))
            phases.sweep(self._engine, job_folder(self._emulator.data_dir, row))
        return True

    def sweep(self) -> None:
        """Remove containers, networks and folders of jobs that have ended, or that are not known any more."""
        folder = jobs_folder(self._emulator.data_dir)
        # First what is there, then what is wanted: a job that begins in between is not seen.
        folders = sorted(folder.iterdir()) if folder.is_dir() else []
        mine: dict[str, str | None] = {INSTANCE_LABEL: self._emulator.label}
        containers = [one for one in self._engine.find(mine) if self._is_of_this_type(one.labels)]
        networks = [one for one in self._engine.networks(mine) if self._is_of_this_type(one.labels)]
        plans = [self._any_plan(row) for row in self._resources.unfinished(self._type.kind)]
        names = {host.container_name for plan in plans for host in plan.job.hosts}
        for helper in self._engine.find({**mine, HELPER_LABEL: None}):
            # One of an earlier life, which was killed before it could remove it. Its time is in whole seconds, and may
            # be the engine's: our own are known by their label.
            is_older = helper.created_at is not None and helper.created_at <= self._began
            if is_older and helper.labels.get(HELPER_LABEL) != THIS_PROCESS:
                self._engine.remove(helper.id)
        for container in containers:
            if container.name not in names:
                log.info("removing container %s: its job has ended", container.name)
                self._engine.remove(container.id)
        for network in networks:
            if network.name not in {plan.job.network.name for plan in plans}:
                self._engine.remove_network(network.id)
        self._networks.sweep()
        for volume in folder_copies.unused(self._engine, mine):
            self._engine.remove_volume(volume.name)
        known = {
            job_folder(self._emulator.data_dir, row)
            for kind in CONTAINER_JOBS
            for row in self._resources.unfinished(kind)
        }
        for one in folders:
            if one not in known:
                phases.sweep(self._engine, one)
        package_cache.sweep(self._emulator.data_dir)
        self._pools.sweep()

    def _is_of_this_type(self, labels: Mapping[str, str]) -> bool:
        return f":{self._type.kind.arn_type}/" in labels.get(ARN_LABEL, "")

    def _savings_percent(self, resource: Resource) -> float:
        return attempts.savings_percent(resource.spec, self._emulator.settings)

    def _any_plan(self, resource: Resource) -> Plan:
        limits = [_ANY_LIMITS for _ in self._type.instances(resource.spec)]
        return self._type.plan(resource, limits, self._emulator)

    def _plan(self, resource: Resource, record: Record, wake: Wake) -> Plan:
        capacity = retry_while_unavailable(self._engine.capacity, wake.closing, record.report, self._give_up_seconds)
        groups = [(one.type, one.count) for one in self._type.instances(resource.spec)]
        try:
            limits = instances.limits_together(groups, capacity, self._emulator.settings.allow_gpu_on_cpu)
        except (instances.TooMany, instances.NoGpu, instances.UnknownInstanceType) as error:
            raise Ended(Outcome.NO_CAPACITY, str(error)) from error
        plan = self._type.plan(resource, limits, self._emulator)
        if record.run.network is None:
            return plan
        return replace(plan, job=plan.job.on(self._networks.named(record.run.network)))

    def _dependencies(self, resource: Resource, plan: Plan, record: Record, wake: Wake) -> JobDependencies:
        logbook = self._logbook.of(resource.account, resource.region)
        lines = {host: LogLines(logbook, plan.log_group, stream) for host, stream in plan.log_streams.items()}
        login: Any = partial(self._login, resource.account, resource.region)

        # contract.md §1.9
        series = partial(MetricSeries.of, resource.account, resource.region, plan.log_group)

        def publish(name: str, value: float, at: float) -> None:
            self._put_metric(series(name, {f"{self._type.kind.noun}Name": resource.name}), at, value)

        def publish_usage(host: str, name: str, value: float, at: float) -> None:
            self._put_metric(series(name, {"Host": f"{resource.name}/{host}"}, "Percent"), at, value)

        return JobDependencies(
            self._engine,
            self._objects,
            self._cache,
            lines,
            wake,
            record.report,
            login,
            publish,
            publish_usage,
            self._background,
            self._faults.of(unique_id(resource), resource.name, "job", resource.tags),
            self._give_up_seconds,
        )

    def _remove(self, resource: Resource) -> None:
        own = {INSTANCE_LABEL: self._emulator.label, ARN_LABEL: resource.arn}
        for container in self._engine.find(own):
            self._engine.remove(container.id)
        for network in self._engine.networks(own):
            self._engine.remove_network(network.id)
        if (shared := job_facts(resource).run.network) is not None:
            self._networks.give_back(shared)
