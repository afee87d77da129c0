"""The wait of a job for its instances: for spot capacity, and for room on this machine."""

from samebox.data.objects import Cancelled
from samebox.jobs.attempts import WaitedTooLong
from samebox.jobs.phases import JobDependencies
from samebox.jobs.plan import Plan
from samebox.jobs.record import Record
from samebox.jobs.room import Room

# SM:SecondaryStatusTransition.StatusMessage
NO_CAPACITY = "Insufficient capacity error from EC2 while launching instances, retrying!"


class InstanceWait:
    """That of one attempt."""

    def __init__(self, plan: Plan, deps: JobDependencies, record: Record, room: Room) -> None:
        self._plan = plan
        self._deps = deps
        self._record = record
        self._room = room

    def take(self) -> Plan:
        """The plan with the GPUs that it may use. Raises Cancelled, WaitedTooLong."""
        self._await_capacity()
        return self._room.take(self._plan, self._deps, self._sleep)

    def _await_capacity(self) -> None:
        spot = self._plan.spot
        if spot is None:
            return
        since = self._record.run.earlier.last_ended_at or self._record.row.created
        until = since + spot.capacity_seconds
        if self._record.now() < until:
            self._deps.report(NO_CAPACITY)
        while self._record.now() < until:
            self._sleep(until)

    def _sleep(self, until: float | None = None) -> None:
        """Until something changes, or a time comes. Raises Cancelled, WaitedTooLong."""
        spot, now = self._plan.spot, self._record.now()
        last = self._record.row.created + spot.max_wait_seconds if spot else None
        if last is not None and now >= last:
            raise WaitedTooLong(self._plan.arn)
        ends = [one for one in (until, last) if one is not None]
        self._deps.wake.wait(min(ends) - now if ends else None)
        if self._deps.wake.cancelled.is_set():
            raise Cancelled(self._plan.arn)
