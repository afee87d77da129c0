"""Warm pools: what is kept of a training job's hosts after its end, for the next job that matches (contract.md §1.10).

Kept are the room on this machine, the network and a folder for what jobs put aside; containers are new for each job. A
pool is a member of the job's row, which `resources` changes at once: of a job that takes it over, another that needs
its room, a client and the clock, one comes first, and the others find it gone.
"""

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from samebox.containers.engine import Engine
from samebox.jobs import phases
from samebox.jobs.job_networks import JobNetworks
from samebox.jobs.record import Record
from samebox.jobs.room import Room
from samebox.jobs.wake import Wake
from samebox.platform.background import Background, BackgroundTask
from samebox.resources.kind import Kind
from samebox.resources.outcome import Outcome
from samebox.resources.resources import Resources
from samebox.resources.run_facts import PoolFacts, RunFacts, job_facts
from samebox.resources.store import Changed, Resource
from samebox.resources.unique_id import unique_id

log = logging.getLogger(__name__)

MOST_SECONDS = 28 * 24 * 3600  # DG:train-warm-pools; it was 7 days in 2022

# Observed 2022-24, contract.md §1.10; the third is [unverified].
RETAINED = "Resource retained for reuse"
REUSED = "Resource reused by training job: {name}"
RELEASED = "Resource released due to keep alive period expiry"

# "Any other reason that might compromise the health of the cluster" (DG:train-warm-pools).
_UNHEALTHY = frozenset({Outcome.INTERNAL, Outcome.NO_CAPACITY})


class _NotAvailable(Exception):
    """Another has it, or it has ended."""


def keep_alive_seconds(request: Mapping[str, Any]) -> int:
    """KeepAlivePeriodInSeconds; 0 where nothing is kept."""
    return int((request.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds") or 0)


def is_available(row: Resource) -> bool:
    """Whether a job that has ended has hosts for the next one."""
    return bool((row.state.get("WarmPoolStatus") or {}).get("Status") == "Available")


def expires_at(row: Resource) -> float:
    """When the pool of a job that has ended does, in epoch seconds."""
    pool = job_facts(row).run.pool
    if pool is None or pool.retained_at is None:
        return -math.inf
    return min(pool.retained_at + keep_alive_seconds(row.spec), pool.began_at + MOST_SECONDS)


def matches(of: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether a job with this request may run on the hosts of another (DG:train-warm-pools, "Matching training jobs").

    Whether it keeps them in turn does not matter: a pool whose job has no period ends with that job.
    """
    return may_be_pooled(request) and _key(of) == _key(request)


def may_be_pooled(request: Mapping[str, Any]) -> bool:
    """False for spot instances and heterogeneous clusters."""
    return not request.get("EnableManagedSpotTraining") and not request["ResourceConfig"].get("InstanceGroups")


def _key(request: Mapping[str, Any]) -> tuple[object, ...]:
    resources, vpc = request["ResourceConfig"], request.get("VpcConfig") or {}
    return (
        request["RoleArn"],
        *(resources.get(name) for name in ("InstanceType", "InstanceCount", "VolumeKmsKeyId", "VolumeSizeInGB")),
        *(sorted(vpc.get(name) or ()) for name in ("SecurityGroupIds", "Subnets")),
        *(bool(request.get(name)) for name in ("EnableInterContainerTrafficEncryption", "EnableNetworkIsolation")),
    )


def folder(data_dir: Path) -> Path:
    """Where all pools' folders are."""
    return data_dir / "warm-pools"


def identity_of(row: Resource) -> str | None:
    """What names the folder of the pool that a job's hosts are or become; None where they are none."""
    if (pool := job_facts(row).run.pool) is not None:
        return pool.identity
    return unique_id(row)[:16] if keep_alive_seconds(row.spec) else None


class WarmPools:
    """Those of one kind of jobs. Threads may share it."""

    def __init__(
        self,
        kind: Kind,
        resources: Resources,
        engine: Engine,
        networks: JobNetworks,
        data_dir: Path,
        background: Background,
        release: Callable[[str], None],
    ) -> None:
        self._kind = kind
        self._resources = resources
        self._engine = engine
        self._networks = networks
        self._folder = folder(data_dir)
        self._background = background
        self._release = release
        self._lock = threading.Lock()
        self._known: dict[str, None] | None = None  # ARNs of jobs whose hosts are kept, or are about to be

    def take(self, record: Record, room: Room) -> None:
        """Give a job that has not begun the hosts of one that has ended and matches, if there is one."""
        run, row = record.run, record.row
        has_begun = run.prepared_at is not None or run.earlier.count
        if self._kind.retained is None or has_begun or not may_be_pooled(row.spec):
            return
        if any(self._reuse(arn, record, room) for arn in self._candidates(record)):
            return
        if record.run.pool is not None:
            record.learn(replace(record.run, pool=None, network=None))

    def at_end(self, record: Record, outcome: Outcome) -> tuple[RunFacts, dict[str, Any]]:
        """What is written with a job's end: its facts, and WarmPoolStatus where its hosts were a pool or become one."""
        run, seconds, now = record.run, keep_alive_seconds(record.row.spec), record.now()
        if run.pool is None and not seconds:
            return run, {}
        had_instances = run.prepared_at is not None or run.earlier.count or run.pool is not None
        pool = run.pool or PoolFacts(unique_id(record.row)[:16], now)
        if not seconds or not had_instances or outcome in _UNHEALTHY or now >= pool.began_at + MOST_SECONDS:
            return run, {"WarmPoolStatus": {"Status": "Terminated"}}
        # Known before it is written: the next job may be created at once.
        with self._lock:
            self._all()[record.row.arn] = None
        return replace(run, pool=replace(pool, retained_at=now)), {"WarmPoolStatus": {"Status": "Available"}}

    def keep(self, row: Resource, room: Room) -> bool:
        """Keep the hosts of a job that has just ended; False, and nothing is left of them, if they are not to be."""
        if is_available(row):
            room.keep(lambda: self.end(row.arn))
            return True
        if (identity := identity_of(row)) is not None:
            phases.sweep(self._engine, self._folder / identity)
        return False

    def watch(self, row: Resource, wake: Wake, has_room: Callable[[], bool]) -> BackgroundTask | None:
        """Keep a job's hosts until the period is over; a change of the row has it called again."""
        wake.take_written()
        newest = self._resources.by_arn(row.arn)
        if newest is None or not is_available(newest):
            self._forget(row.arn)
            return None
        seconds = expires_at(newest) - self._resources.now()
        if seconds <= 0 or not has_room():
            self.end(row.arn)
            return None
        with self._lock:
            self._all()[row.arn] = None
        signal = self._background.signal()
        wake.listen(signal.set)
        if wake.take_written() or wake.closing.is_set():
            signal.set()
        return self._background.start(signal.wait(seconds))

    def end(self, arn: str) -> None:
        """End a pool, if it is still one: by its period, or because another job needs its room."""
        try:
            row = self._close(arn, {"Status": "Terminated"}, RELEASED)
        except (_NotAvailable, Changed):
            self._forget(arn)
            return
        log.info("the warm pool of %s has ended", arn)
        self._forget(arn)
        run = job_facts(row).run
        if run.network is not None:
            self._networks.give_back(run.network)
        if run.pool is not None:
            phases.sweep(self._engine, self._folder / run.pool.identity)

    def make_folders(self, row: Resource, hosts: list[str]) -> None:
        """Make the folders of a job's hosts that outlive it."""
        if (identity := identity_of(row)) is not None:
            for host in hosts:
                (self._folder / identity / host).mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove the folders that no job has, and none can have any more."""
        if self._kind.retained is None or not self._folder.is_dir():
            return
        folders = sorted(self._folder.iterdir())
        # In one look: between two, a job may take over what another had.
        needed = {identity_of(row) for row in self._resources.unended(self._kind)}
        for one in folders:
            if one.name not in needed:
                phases.sweep(self._engine, one)

    def _candidates(self, record: Record) -> list[str]:
        if record.run.pool is not None:
            # A process that was killed had begun to take this: what it did is finished, or undone.
            return [record.run.pool.source]
        if record.is_stopping:
            return []
        with self._lock:
            return list(self._all())

    def _all(self) -> dict[str, None]:
        if self._known is None:
            self._known = {row.arn: None for row in self._resources.retained(self._kind)}
        return self._known

    def _reuse(self, arn: str, record: Record, room: Room) -> bool:
        row, job = self._resources.by_arn(arn), record.row
        if row is None or (row.account, row.region) != (job.account, job.region) or not matches(row.spec, job.spec):
            return False
        pool, network = job_facts(row).run.pool, job_facts(row).run.network
        if pool is None or not self._is_for(row, job.name):
            return False
        # First the new owner's row: a crash in between leaves what both name to the one of them that has it.
        record.learn(replace(record.run, pool=PoolFacts(pool.identity, pool.began_at, arn), network=network))
        try:
            self._close(arn, {"Status": "Reused", "ReusedByJob": job.name}, REUSED.format(name=job.name))
        except (_NotAvailable, Changed):
            return False
        room.take_over(arn)
        self._forget(arn)
        log.info("%s runs on the warm pool of %s", job.arn, arn)
        record.learn(WarmPoolStatus={"Status": "InUse"})
        return True

    def _is_for(self, row: Resource, name: str) -> bool:
        if is_available(row):
            return self._resources.now() < expires_at(row)
        return bool((row.state.get("WarmPoolStatus") or {}).get("ReusedByJob") == name)

    def _close(self, arn: str, status: dict[str, Any], message: str) -> Resource:
        """Closing it twice for the same job does nothing. Raises _NotAvailable, and Changed if the job is gone."""
        row = self._resources.by_arn(arn)
        if row is None:
            raise _NotAvailable
        return self._resources.change(row, lambda newest: self._closed(newest, status, message))

    def _closed(self, row: Resource, status: dict[str, Any], message: str) -> dict[str, Any]:
        if not is_available(row):
            if "ReusedByJob" in status and self._is_for(row, status["ReusedByJob"]):
                return {}
            raise _NotAvailable
        pool = job_facts(row).run.pool
        seconds = self._resources.now() - (pool.retained_at or 0.0) if pool else 0.0
        closed = {"WarmPoolStatus": {**status, "ResourceRetainedBillableTimeInSeconds": max(0, math.ceil(seconds))}}
        lifecycle = self._kind.lifecycle
        if lifecycle is None or lifecycle.history is None or row.status != "Completed":
            return closed
        return {**closed, lifecycle.history: lifecycle.annotate(row.state, message)[lifecycle.history]}

    def _forget(self, arn: str) -> None:
        with self._lock:
            self._all().pop(arn, None)
        self._release(arn)
