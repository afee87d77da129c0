"""Room for a job's containers on their host: waited for before they start, given back when they have ended."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from samebox.containers.engine import ContainerSpec
from samebox.containers.reservations import Reservation, Reservations
from samebox.jobs.phases import JobDependencies
from samebox.jobs.plan import Plan

log = logging.getLogger(__name__)


class Room:
    """One job's. Without `reservations`, jobs may together take more than there is."""

    def __init__(self, arn: str, reservations: Reservations | None) -> None:
        self._arn = arn
        self._reservations = reservations
        self._is_kept = False

    def take(self, plan: Plan, deps: JobDependencies, sleep: Callable[[], None]) -> Plan:
        """The plan with the GPUs that it may use, once there is room; until then `sleep` is called, and may raise."""
        if self._reservations is None:
            return plan
        containers = [host.container for host in plan.job.hosts]
        memory, gpus = sum(one.memory_bytes or 0 for one in containers), sum(one.gpus for one in containers)
        ask = partial(self._reservations.reserve, self._arn, memory, gpus, deps.wake.notify)
        has_reported = False
        while (found := deps.retry(ask)) is None:
            if not has_reported:
                has_reported = True
                wanted = _in_words(memory, gpus)
                log.info("%s waits until other jobs free %s", self._arn, wanted)
                deps.report(f"Insufficient capacity: waiting for other jobs to free {wanted}")
            sleep()
        return _with_reservation(plan, found)

    def leave(self) -> None:
        """Give it back; or stop waiting."""
        if self._reservations is not None and not self._is_kept:
            self._reservations.release(self._arn)

    def take_over(self, arn: str) -> None:
        """Have the room that was kept of another job."""
        if self._reservations is not None:
            self._reservations.hand_over(arn, self._arn)

    def keep(self, lost: Callable[[], None]) -> bool:
        """Keep it beyond the job's end, until another job needs it; then `lost` is called. False if there is none."""
        self._is_kept = self._reservations is None or self._reservations.keep(self._arn, lost)
        return self._is_kept

    def keep_again(self, plan: Plan, lost: Callable[[], None]) -> bool:
        """The same after a restart, which keeps no room for a job that has ended; False where other jobs have it."""
        if self._reservations is None:
            return True
        containers = [host.container for host in plan.job.hosts]
        memory, gpus = sum(one.memory_bytes or 0 for one in containers), sum(one.gpus for one in containers)
        found = self._reservations.reserve(self._arn, memory, gpus, lambda: None)
        return found is not None and self.keep(lost)


def _with_reservation(plan: Plan, reservation: Reservation) -> Plan:
    """Each container gets its GPUs, and a label that tells what it has."""
    gpus = list(reservation.gpus)

    def reserved(spec: ContainerSpec) -> ContainerSpec:
        own = tuple(gpus[: spec.gpus])
        del gpus[: spec.gpus]
        label = replace(reservation, memory_bytes=spec.memory_bytes or 0, gpus=own).label
        return replace(spec, gpu_devices=own, labels={**spec.labels, **label})

    hosts = tuple(replace(host, container=reserved(host.container)) for host in plan.job.hosts)
    return replace(plan, job=replace(plan.job, hosts=hosts))


def _in_words(memory: int, gpus: int) -> str:
    also = f" and {gpus} GPU{'' if gpus == 1 else 's'}" if gpus else ""
    return f"{memory / 1024**3:.1f} GiB of memory{also}"
