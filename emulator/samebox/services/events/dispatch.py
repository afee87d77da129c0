"""The dispatch of events: what waits in the outbox goes to the targets of the rules that match it, at least once."""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from samebox.resources.metrics import MetricSeries
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.query import Scope
from samebox.resources.resources import Resources
from samebox.resources.store import Announcement, Resource
from samebox.services.cloudwatch import alarm_record
from samebox.services.cloudwatch.alarm_actions import AlarmActions
from samebox.services.events import changes, pattern, records, schedule, transform
from samebox.services.events.buses import time_of
from samebox.services.events.delivery import DeliveryFailed, Targets, arn_parts

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_BATCH = 100
_MOST_FAILURES = 5  # of one event that cannot be announced, by an error of ours
# Buses that pass events on to each other in a circle end here.
_MOST_HOPS = 5


class EventDispatch:
    """Announces changes and events, and fires the schedules of rules. `clock` is epoch seconds.

    `dispatch` and `fire_due` are the work, `start` has a thread of its own do it.
    """

    def __init__(
        self, resources: Resources, metrics: MetricsStore, targets: Targets, clock: Callable[[], float]
    ) -> None:
        self._resources = resources
        self._metrics = metrics
        self._targets = targets
        self._actions = AlarmActions(resources.store, targets.deliver, clock)
        self._clock = clock
        self._fired: dict[str, float] = {}  # ARN of a rule -> until when its schedule was looked at
        self._begun = clock()
        self._failures = 0  # of the event that waits for longest
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._schedules: list[Resource] = []
        self._rules_changed = threading.Event()  # since the schedules were read
        self._rules_changed.set()
        resources.store.subscribe(self._hear)
        resources.store.on_post(self._wake.set)

    def start(self) -> None:
        """Dispatch from now on, what an earlier process left first."""
        self._thread.start()

    def close(self) -> None:
        """End, after the delivery that is under way; the rest waits for the next start."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _hear(self, row: Resource) -> None:
        if row.kind == records.RULE:
            self._rules_changed.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.dispatch()
                self.fire_due()
            except Exception:
                # One that the store or the disk had: what waits is dispatched at the next look.
                log.exception("events could not be dispatched; tried again")
                self._closing.wait(_LOOK_SECONDS)
                continue
            # Without a schedule there is nothing to look for: a change or an event wakes.
            self._wake.wait(_LOOK_SECONDS if self._schedules else None)
            self._wake.clear()  # before the next look, and not after it: what comes meanwhile wakes again

    def dispatch(self) -> None:
        """Deliver all that waits. What a crash interrupts is delivered again."""
        while not self._closing.is_set():
            waiting = self._resources.store.outbox(_BATCH)
            for one in waiting:
                if self._closing.is_set():
                    return
                try:
                    self._announce(one)
                except Exception:
                    self._failures += 1
                    if self._failures < _MOST_FAILURES:
                        raise
                    log.exception("event %d is given up: it held up all later ones", one.id)
                self._failures = 0
                self._resources.store.announced(one.id)
            if len(waiting) < _BATCH:
                return

    def fire_due(self) -> None:
        """Send the event of each rule whose schedule has come due since the last look."""
        now = self._clock()
        if self._rules_changed.is_set():
            self._rules_changed.clear()  # before they are read: a change that comes meanwhile sets it again
            self._schedules = self._read_schedules()
        for row in self._schedules:
            since = max(self._fired.get(row.arn, self._begun), row.created)
            due = schedule.parse(row.spec["ScheduleExpression"]).next(row.created, since)
            if due is None or due > now:
                continue
            self._fired[row.arn] = now
            if row.status == "ENABLED":
                self._to_targets(row, _scheduled(row, due), 0)

    def _read_schedules(self) -> list[Resource]:
        try:
            every = records.rules(self._resources.store, self._clock).all()
        except Exception:
            self._rules_changed.set()
            raise
        return [row for row in every if "ScheduleExpression" in row.spec]

    def _announce(self, one: Announcement) -> None:
        if one.change is None:
            event = one.event["Event"]
            self._put(event, Scope(event["account"], event["region"]), one.event["EventBusName"], 0)
            return
        event = changes.event_of(one, self._resources)
        self._put(event, Scope(one.change.account, one.change.region), records.DEFAULT, 0)
        if one.change.kind == alarm_record.NOUN:
            self._actions.carry_out(one.change, event["detail"])

    def _put(self, event: Mapping[str, Any], owner: Scope, bus: str, hops: int) -> None:
        for row in records.of_bus(self._resources.store, self._clock, owner, bus):
            text = row.spec.get("EventPattern")
            if text is not None and row.status == "ENABLED" and pattern.matches(pattern.parse(text), event):
                self._to_targets(row, event, hops)

    def _to_targets(self, rule: Resource, event: Mapping[str, Any], hops: int) -> None:
        bus, name = records.bus_and_name(rule)
        self._count(rule, "TriggeredRules")
        for target in rule.state["Targets"]:
            self._count(rule, "Invocations")
            payload = transform.payload(event, target, rule.arn, name)
            try:
                self._deliver(target["Arn"], payload, event, hops)
            except DeliveryFailed as error:
                self._count(rule, "FailedInvocations")
                log.warning("rule %s of bus %s: target %s failed: %s", name, bus, target["Arn"], error)

    def _deliver(self, arn: str, payload: str, event: Mapping[str, Any], hops: int) -> None:
        parts = arn_parts(arn)
        if parts[2] == "events" and parts[5].startswith("event-bus/"):
            if hops >= _MOST_HOPS:
                raise DeliveryFailed("the event was passed on from bus to bus too often")
            # Buses are passed the event itself.
            self._put(event, Scope(parts[4], parts[3]), parts[5].removeprefix("event-bus/"), hops + 1)
            return
        self._targets.deliver(arn, payload)

    def _count(self, rule: Resource, name: str) -> None:
        bus, of = records.bus_and_name(rule)
        dimensions = {"RuleName": of} if bus == records.DEFAULT else {"EventBusName": bus, "RuleName": of}
        series = MetricSeries.of(rule.account, rule.region, "AWS/Events", name, dimensions, "Count")
        self._metrics.put(series, self._clock(), 1.0)


def _scheduled(row: Resource, due: float) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row.arn} {due}")),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": row.account,
        "time": time_of(due),
        "region": row.region,
        "resources": [row.arn],
        "detail": {},
    }
