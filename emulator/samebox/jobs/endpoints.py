"""Endpoints: running containers are brought to what the row wants, again and again, until they agree.

An update is blue/green: what serves goes on serving until all of the new is ready, then the routes change, then the old
is drained and stopped. An update that fails leaves the old in service.
"""

import contextlib
import logging
import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from samebox.containers import instances
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerMissing, ContainerState, Engine
from samebox.data.objects import Objects
from samebox.jobs import hosting
from samebox.jobs.hosting import Slot
from samebox.jobs.model_folders import ModelFolders
from samebox.jobs.phases import Login, sweep
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.server import Address, Server, ServerDependencies
from samebox.jobs.wake import Wake
from samebox.platform.retrying import GIVE_UP_SECONDS, Closing, retry_while_unavailable
from samebox.resources.deployment import EndpointDeployment, Serving, Variant, serving
from samebox.resources.kinds import ENDPOINT
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.logbook import Logbook
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource

log = logging.getLogger(__name__)

ANY_LIMITS = instances.Limits(cpus=1.0, memory_bytes=0, gpus=0)
# In service, a container is replaced at once; if the replacement fails too, later and later.
REPLACE_SECONDS = 1.0
REPLACE_SECONDS_MOST = 60.0
FORGIVEN_SECONDS = 300.0  # a failure so long after the last counts as the first


class Endpoints:
    """The runner of endpoints (see supervisor.Runner). Its thread stays while the endpoint is in service."""

    def __init__(
        self,
        resources: Resources,
        engine: Engine,
        objects: Objects,
        logbook: Logbook,
        emulator: EmulatorInfo,
        login: Login = lambda _account, _region: None,
        in_flight: Callable[[Address], int] | None = None,
        give_up_seconds: float = GIVE_UP_SECONDS,
    ) -> None:
        self._resources = resources
        self._engine = engine
        self._models = ModelFolders(objects)
        self._logbook = logbook
        self._emulator = emulator
        self._login = login
        self._in_flight = in_flight
        self._give_up_seconds = give_up_seconds

    def wants(self, resource: Resource) -> bool:
        """True unless it has failed: what is in service is watched."""
        return resource.status != "Failed"

    def run(self, resource: Resource, wake: Wake) -> None:
        """Converge until the endpoint is gone, has failed, or we end."""

        def report(message: str) -> None:
            log.warning("endpoint %s: %s", resource.name, message)

        dependencies = ServerDependencies(
            self._engine,
            self._models,
            self._logbook.of(resource.account, resource.region),
            self._emulator.settings,
            partial(self._login, resource.account, resource.region),
            report,
            self._give_up_seconds,
            self._resources.now,
            self._in_flight,
        )
        fleet = _Fleet(self._resources, dependencies, self._emulator, resource, wake)
        try:
            fleet.run()
        except Closing:
            log.info("%s is left as it is", resource.arn)
        finally:
            fleet.close()

    def fail(self, resource: Resource) -> bool:
        """What was being made is given up; what serves, and what is being deleted, is tried again."""
        row = self._resources.by_arn(resource.arn)
        if row is None or row.status == "Failed":
            return True
        if row.status == "Creating":
            self._resources.advance(row, "Failed", FailureReason=hosting.INTERNAL)
            self._remove(row)
            return True
        if row.status == "Updating":
            _roll_back(self._resources, row, hosting.INTERNAL)
        return False

    def sweep(self) -> None:
        """Remove containers, networks and models of endpoints that have failed or that nobody knows any more."""
        folder = hosting.models_folder(self._emulator.data_dir)
        # First what is there, then what is wanted: an endpoint that begins in between is not seen.
        folders = sorted(folder.iterdir()) if folder.is_dir() else []
        mine = {INSTANCE_LABEL: self._emulator.label}
        states, networks = self._engine.find(mine), self._engine.networks(mine)
        rows = [row for row in self._resources.unfinished(ENDPOINT) if self.wants(row)]
        arns = {row.arn for row in rows}
        for state in states:
            arn = state.labels.get(ARN_LABEL, "")
            if ":endpoint/" in arn and arn not in arns:
                log.info("removing container %s: its endpoint is gone", state.name)
                self._engine.remove(state.id)
        for network in networks:
            arn = network.labels.get(ARN_LABEL, "")
            if ":endpoint/" in arn and arn not in arns:
                self._engine.remove_network(network.id)
        kept = {hosting.endpoint_folder(row, self._emulator.data_dir) for row in rows}
        for one in folders:
            if one not in kept:
                sweep(self._engine, one)

    def _remove(self, resource: Resource) -> None:
        for state in self._engine.find({INSTANCE_LABEL: self._emulator.label, ARN_LABEL: resource.arn}):
            self._engine.remove(state.id)


class _Fleet:
    """The servers of one endpoint, in this life of ours. One thread; servers only wake it."""

    def __init__(
        self, resources: Resources, dependencies: ServerDependencies, emulator: EmulatorInfo, row: Resource, wake: Wake
    ) -> None:
        self._resources = resources
        self._dependencies = dependencies
        self._emulator = emulator
        self._row = row
        self._wake = wake
        self._servers: dict[str, Server] = {}  # by log stream, which has the instance id
        self._adopted: list[Server] = []
        self._failures: dict[Slot, int] = {}
        self._failed_at: dict[Slot, float] = {}
        self._not_before: dict[Slot, float] = {}

    def run(self) -> None:
        try:
            self._refresh()
            self._adopt()
            while self._converge():
                self._wake.wait(self._pause())
                if self._wake.closing.is_set():
                    raise Closing
                self._refresh()
        except Changed:
            log.warning("%s was deleted by somebody else", self._row.arn)
            while self._tear_down(delete=False):
                self._wake.wait(None)
                if self._wake.closing.is_set():
                    raise Closing from None
                self._forget_gone()

    def close(self) -> None:
        for server in self._servers.values():
            server.close()

    def _refresh(self) -> None:
        newest = self._resources.by_arn(self._row.arn)
        if newest is None or newest.created != self._row.created:
            raise Changed(self._row.arn)
        self._row = newest

    def _adopt(self) -> None:
        """Take over what an earlier life of ours started, and have the rest removed."""
        labels = {INSTANCE_LABEL: self._emulator.label, ARN_LABEL: self._row.arn}
        in_service = self._slots(self._serving.current)
        known = {**in_service, **self._slots(self._serving.wanted)}
        for state in self._retry_while_unavailable(lambda: self._states(labels)):
            slot = hosting.slot_of(state)
            instance = state.labels.get(hosting.INSTANCE_ID_LABEL, "")
            # One that never ran is made anew: whoever began to make or start it may have been interrupted half way.
            if slot is None or slot not in known or self._filling(slot) or not state.has_run:
                log.info("removing container %s: it is not needed any more, or never ran", state.name)
                self._retry_while_unavailable(partial(self._dependencies.engine.remove, state.id))
                continue
            # It has its limits already; they are not looked up, because the host may have changed meanwhile.
            plan = hosting.server(self._row, slot, known[slot], instance, ANY_LIMITS, self._emulator)
            # One that was in service was ready in its window: it has another one to be found again.
            began = None if slot in in_service else state.created_at
            server = Server(plan, self._dependencies, self._wake.notify, state, began)
            self._servers[plan.log_stream] = server
            self._adopted.append(server)

    def _states(self, labels: Mapping[str, str]) -> list[ContainerState]:
        """Of all containers with these labels: a list does not tell whether one ever ran."""
        states = []
        for one in self._dependencies.engine.find(labels):
            with contextlib.suppress(ContainerMissing):  # removed since
                states.append(self._dependencies.engine.inspect(one.id))
        return states

    def _converge(self) -> bool:
        """One look at everything; False when nothing is left to do."""
        self._forget_gone()
        status = self._row.status
        if status in ("Deleting", "Failed"):
            return self._tear_down(delete=status == "Deleting")
        try:
            if status in ("Creating", "Updating"):
                self._deploy(status)
            else:
                self._serve()
        except IllegalMove as error:
            if error.at != "Deleting":
                raise
            self._wake.notify()  # it was deleted just now: look again
        return True

    def _forget_gone(self) -> None:
        for stream, server in list(self._servers.items()):
            server.check()
            if server.state == "gone":
                del self._servers[stream]

    def _deploy(self, status: str) -> None:
        facts = self._serving
        wanted, current = self._slots(facts.wanted), self._slots(facts.current)
        new = {slot: variant for slot, variant in wanted.items() if slot not in current}
        reason = self._fill(wanted, current)
        reason = next((server.reason for slot in new if (server := self._failed(slot))), reason)
        if reason is not None:
            self._give_up(status, reason)
        elif all(self._ready(slot) for slot in wanted):
            self._switch()
        else:
            self._replace(current)
            self._publish(facts.current)

    def _serve(self) -> None:
        deployment = self._serving.wanted
        wanted = self._slots(deployment)
        self._fill(wanted, wanted)
        self._replace(wanted)
        self._publish(deployment)
        self._dismiss(wanted)

    def _switch(self) -> None:
        """All of the new is ready: from here on it serves, and the old goes."""
        wanted = self._serving.wanted
        routes = hosting.routes(self._row, wanted, self._addresses())
        before = self._row.status
        self._row = self._resources.advance(
            self._row,
            "InService",
            facts=lambda row: replace(serving(row), current=wanted, routes=routes),
            EndpointConfigName=wanted.endpoint_config_name,
            ProductionVariants=hosting.summaries(wanted, self._resources.now()),
            FailureReason=None,
        )
        log.info("endpoint %s: %s -> InService", self._row.name, before)
        self._dismiss(self._slots(self._serving.wanted))

    def _give_up(self, status: str, reason: str) -> None:
        log.warning("endpoint %s: %s", self._row.name, reason)
        if status == "Creating":
            self._row = self._resources.advance(self._row, "Failed", FailureReason=reason)
            self._tear_down(delete=False)
        else:
            self._row = _roll_back(self._resources, self._row, reason)
            self._dismiss(self._slots(self._serving.wanted))

    def _tear_down(self, delete: bool) -> bool:
        """Retire all; when all are gone, end. With `delete` the row goes too."""
        for server in self._servers.values():
            if not server.is_retired:
                server.retire()
        if self._servers:
            return True
        engine = self._dependencies.engine
        self._retry_while_unavailable(lambda: engine.remove_network(hosting.network_name(self._row)))
        if delete:
            self._resources.delete(self._row)
            log.info("endpoint %s is deleted", self._row.name)
        sweep(engine, hosting.endpoint_folder(self._row, self._emulator.data_dir))
        return False

    # Servers

    def _fill(self, wanted: Mapping[Slot, Variant], patient: Mapping[Slot, Variant]) -> str | None:
        """Start a server for each slot that has none. Gives the reason if one cannot be had; `patient` slots wait."""
        now = time.monotonic()
        for slot, variant in {**patient, **wanted}.items():
            if self._filling(slot) or self._not_before.get(slot, 0.0) > now:
                continue
            try:
                limits = self._limits(variant)
            except (instances.NoGpu, instances.UnknownInstanceType) as error:
                if slot not in patient:
                    return hosting.no_capacity(str(error))
                self._postpone(slot, str(error))
                continue
            first = hosting.first_instance_id(slot)
            used = f"{slot.variant}/{first}" in self._servers or slot in self._failures
            instance = hosting.instance_id(uuid.uuid4().hex) if used else first
            plan = hosting.server(self._row, slot, variant, instance, limits, self._emulator)
            self._servers[plan.log_stream] = Server(plan, self._dependencies, self._wake.notify)
        return None

    def _replace(self, slots: Mapping[Slot, Variant]) -> None:
        """What has failed in service goes; the next look fills its slot."""
        for slot in slots:
            server = self._failed(slot)
            if server is not None:
                server.retire()
                self._postpone(slot, server.reason)

    def _postpone(self, slot: Slot, why: str) -> None:
        now, last = time.monotonic(), self._failed_at.get(slot, -math.inf)
        failures = self._failures.get(slot, 0) if now - last < FORGIVEN_SECONDS else 0
        self._failures[slot], self._failed_at[slot] = failures + 1, now
        pause = min(REPLACE_SECONDS * 2 ** (failures - 1), REPLACE_SECONDS_MOST) if failures else 0.0
        self._not_before[slot] = now + pause
        log.warning("endpoint %s: %s %d is replaced in %g s: %s", self._row.name, slot.variant, slot.number, pause, why)
        self._wake.notify()

    def _dismiss(self, wanted: Mapping[Slot, Variant]) -> None:
        """Drain and stop what is not wanted, and forget its model."""
        for server in self._servers.values():
            if server.plan.slot not in wanted and not server.is_retired:
                server.retire(drain=server.state == "ready")
        folder = hosting.endpoint_folder(self._row, self._emulator.data_dir)
        used = {server.plan.model_folder for server in self._servers.values()} | {
            folder / slot.generation for slot in wanted
        }
        for one in sorted(folder.iterdir()) if folder.is_dir() else ():
            if one not in used and not one.name.startswith("."):  # so are those called that are being unpacked
                sweep(self._dependencies.engine, one)

    def _filling(self, slot: Slot) -> Server | None:
        return next((one for one in self._servers.values() if one.plan.slot == slot and not one.is_retired), None)

    def _ready(self, slot: Slot) -> bool:
        server = self._filling(slot)
        return server is not None and server.state == "ready"

    def _failed(self, slot: Slot) -> Server | None:
        server = self._filling(slot)
        return server if server is not None and server.state == "failed" else None

    def _addresses(self) -> dict[Slot, Address]:
        return {
            server.plan.slot: server.address
            for server in self._servers.values()
            if server.state == "ready" and server.address and not server.is_retired
        }

    def _publish(self, deployment: EndpointDeployment | None) -> None:
        """Write down where what serves is, if that has changed. While we look for what we adopted, the old holds."""
        if not deployment or any(server.state == "starting" for server in self._adopted):
            return
        self._adopted.clear()
        routes = hosting.routes(self._row, deployment, self._addresses())
        if routes != self._serving.routes:
            self._row = self._resources.change(self._row, facts=lambda row: replace(serving(row), routes=routes))

    @property
    def _serving(self) -> Serving:
        return serving(self._row)

    def _slots(self, deployment: EndpointDeployment | None) -> dict[Slot, Variant]:
        return hosting.slots(self._row, deployment)

    def _limits(self, variant: Variant) -> instances.Limits:
        capacity = self._retry_while_unavailable(self._dependencies.engine.capacity)
        return instances.limits(variant.instance_type, capacity, self._emulator.settings.allow_gpu_on_cpu)

    def _pause(self) -> float | None:
        now = time.monotonic()
        later = [at - now for at in self._not_before.values() if at > now]
        return min(later) if later else None

    def _retry_while_unavailable(self, ask: Callable[[], Any]) -> Any:
        return retry_while_unavailable(
            ask, self._wake.closing, self._dependencies.report, self._dependencies.give_up_seconds
        )


def _roll_back(resources: Resources, row: Resource, reason: str) -> Resource:
    current = serving(row).current
    if current is None:
        raise ValueError(f"{row.arn} was never in service")
    return resources.advance(
        row,
        "InService",
        facts=lambda row: replace(serving(row), wanted=current),
        EndpointConfigName=current.endpoint_config_name,
        FailureReason=reason,
    )
