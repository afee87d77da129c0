"""One endpoint's run: what serves is brought to what the row wants, look after look, until they agree."""

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from samebox.containers import instances
from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, Capacity, ContainerMissing, ContainerState
from samebox.jobs import hosting
from samebox.jobs.backoff import Backoff
from samebox.jobs.endpoint_servers import EndpointServers
from samebox.jobs.hosting import ServerPlan, Slot
from samebox.jobs.phases import sweep
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.server import Server, ServerDependencies
from samebox.jobs.wake import Wake
from samebox.platform.retrying import Closing, retry_while_unavailable
from samebox.resources.deployment import EndpointDeployment, Serving, Variant, serving
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource

log = logging.getLogger(__name__)

ANY_LIMITS = instances.Limits(cpus=1.0, memory_bytes=0, gpus=0)


class EndpointRun:
    """The servers of one endpoint, in this process: a task, which has a thread only while it looks; servers wake it.

    A look at what one server did costs the same however many there are. `start_server` is Server in all but tests.
    """

    def __init__(
        self,
        resources: Resources,
        dependencies: ServerDependencies,
        emulator: EmulatorInfo,
        row: Resource,
        wake: Wake,
        start_server: Callable[..., Server] = Server,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resources = resources
        self._dependencies = dependencies
        self._emulator = emulator
        self._wake = wake
        self._start_server = start_server
        self._servers = EndpointServers(wake.notify)
        self._backoff: Backoff[Slot] = Backoff(clock)
        self._row = row
        self._facts = serving(row)
        self._aim: tuple[str, Serving] | None = None  # the status and deployments that `_needed` are of
        self._needed: Mapping[Slot, Variant] = {}
        self._together: Mapping[Slot, int] = {}  # how many instances its deployment has
        self._patient: Mapping[Slot, Variant] = {}  # slots whose container is replaced when it fails
        self._is_removed = False
        self._generations: frozenset[str] = frozenset()  # of needed slots; each has a model of its own

    async def live(self) -> None:
        """Converge until the endpoint is gone or has failed. Raises Closing."""
        background = self._dependencies.background
        changed = background.signal()
        self._wake.listen(changed.set)
        look = self._begin
        while await background.apart(look):
            if not self._wake.closing.is_set():
                await changed.wait(self._backoff.seconds())
            if self._wake.closing.is_set():
                raise Closing
            look = self._look

    def _begin(self) -> bool:
        return self._unless_removed(self._take_over)

    def _look(self) -> bool:
        return self._unless_removed(self.converge)

    def _take_over(self) -> bool:
        self._read()
        self._adopt()
        return self.converge()

    def _unless_removed(self, look: Callable[[], bool]) -> bool:
        """A look; False when nothing is left to do. Without its row, an endpoint is torn down."""
        if not self._is_removed:
            try:
                return look()
            except Changed:
                log.warning("the row of %s was removed while its containers ran", self._row.arn)
                self._is_removed = True
        self._servers.settle()
        return self._tear_down(delete=False)

    def close(self) -> None:
        """Leave every container as it is."""
        self._servers.close()

    def converge(self) -> bool:
        """One look at what changed; False when nothing is left to do."""
        if self._wake.take_written():
            self._read()
        for plan in self._servers.settle():
            self._forget_model(plan.model_folder)
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
            self._read()  # it was deleted just now: look again
            self._wake.notify()
        return True

    # The row

    def _read(self) -> None:
        newest = self._resources.by_arn(self._row.arn)
        if newest is None or newest.created != self._row.created:
            raise Changed(self._row.arn)
        self._take(newest)

    def _take(self, row: Resource) -> None:
        self._row = row
        self._facts = serving(row)

    def _adopt(self) -> None:
        """Take over what an earlier process started, and have the rest removed."""
        labels = {INSTANCE_LABEL: self._emulator.label, ARN_LABEL: self._row.arn}
        in_service = self._slots(self._facts.current)
        known = {**in_service, **self._slots(self._facts.wanted)}
        for state in self._retry_while_unavailable(lambda: self._states(labels)):
            slot = hosting.slot_of(state)
            instance = state.labels.get(hosting.INSTANCE_ID_LABEL, "")
            # One that never ran is made anew: its creation or its start may have been interrupted half way.
            if slot is None or slot not in known or self._servers.fills(slot) or not state.has_run:
                log.info("removing container %s: it is not needed any more, or never ran", state.name)
                self._retry_while_unavailable(partial(self._dependencies.engine.remove, state.id))
                continue
            # It has its limits already; they are not looked up, because the host may have changed meanwhile.
            plan = hosting.server(self._row, slot, known[slot], instance, ANY_LIMITS, self._emulator)
            # One that was in service was ready in its window: it has another one to be found again.
            began = None if slot in in_service else state.created_at
            self._add(plan, state, began)

    def _states(self, labels: Mapping[str, str]) -> list[ContainerState]:
        """Of all containers with these labels: a list does not tell whether one ever ran."""
        states = []
        for one in self._dependencies.engine.find(labels):
            with contextlib.suppress(ContainerMissing):  # removed since
                states.append(self._dependencies.engine.inspect(one.id))
        return states

    # Deployments

    def _take_aim(self) -> bool:
        """Have the slots that the row asks for now; gives whether they are other ones than before."""
        aim = (self._row.status, replace(self._facts, routes=()))
        if aim == self._aim:
            return False
        self._aim = aim
        wanted, current = self._slots(self._facts.wanted), self._slots(self._facts.current)
        self._patient = wanted if self._row.status == "InService" else current
        self._needed = {**self._patient, **wanted}
        self._together = {**dict.fromkeys(current, _instances(current)), **dict.fromkeys(wanted, _instances(wanted))}
        self._generations = frozenset(slot.generation for slot in self._needed)
        self._servers.need(self._needed, wanted)
        for slot in self._needed:
            if self._backoff.is_waiting(slot):
                self._servers.skip(slot)
        return True

    def _deploy(self, status: str) -> None:
        self._take_aim()
        no_capacity = self._fill()
        failed = (server.reason for slot, server in self._servers.failed.items() if slot not in self._patient)
        reason = next(failed, no_capacity)
        if reason is not None:
            self._give_up(status, reason)
        elif self._servers.is_ready:
            self._switch()
        else:
            self._replace()
            self._publish(self._facts.current)

    def _serve(self) -> None:
        is_new = self._take_aim()
        self._fill()
        self._replace()
        self._publish(self._facts.wanted)
        if is_new:
            self._servers.retire_unneeded()
            self._forget_models()

    def _switch(self) -> None:
        """All of the new is ready: from here on it serves, and the old goes."""
        wanted, before = self._facts.wanted, self._row.status
        routes = hosting.routes(self._row, wanted, self._servers.addresses)
        row = self._resources.advance(
            self._row,
            "InService",
            facts=lambda row: replace(serving(row), current=wanted, routes=routes),
            EndpointConfigName=wanted.endpoint_config_name,
            ProductionVariants=hosting.summaries(wanted, self._resources.now()),
            FailureReason=None,
        )
        log.info("endpoint %s: %s -> InService", self._row.name, before)
        self._take(row)
        self._serve()

    def _give_up(self, status: str, reason: str) -> None:
        log.warning("endpoint %s: %s", self._row.name, reason)
        if status == "Creating":
            self._take(self._resources.advance(self._row, "Failed", FailureReason=reason))
            self._tear_down(delete=False)
        else:
            self._take(roll_back(self._resources, self._row, reason))
            self._serve()

    def _tear_down(self, delete: bool) -> bool:
        """Retire all; when all are gone, end. With `delete` the row goes too."""
        self._servers.retire_all()
        if not self._servers.is_empty:
            return True
        engine = self._dependencies.engine
        self._retry_while_unavailable(lambda: engine.remove_network(hosting.network_name(self._row)))
        if delete:
            self._resources.delete(self._row)
            log.info("endpoint %s is deleted", self._row.name)
        sweep(engine, self._folder)
        return False

    # Servers

    def _fill(self) -> str | None:
        """Start a server for each empty slot. Gives the reason if one cannot be had; patient slots wait."""
        for slot in self._backoff.take_due():
            self._servers.reopen(slot)
        if not self._servers.empty:
            return None
        capacity = self._retry_while_unavailable(self._dependencies.engine.capacity)
        for slot, variant in list(self._servers.empty.items()):
            try:
                limits = self._limits(slot, variant, capacity)
            except (instances.TooMany, instances.NoGpu, instances.UnknownInstanceType) as error:
                if slot not in self._patient:
                    return hosting.no_capacity(str(error))
                self._postpone(slot, str(error))
                continue
            first = hosting.first_instance_id(slot)
            used = self._servers.has(hosting.log_stream(slot, variant, first)) or self._backoff.has_failed(slot)
            instance = hosting.instance_id(uuid.uuid4().hex) if used else first
            self._add(hosting.server(self._row, slot, variant, instance, limits, self._emulator))
        return None

    def _limits(self, slot: Slot, variant: Variant, capacity: Capacity) -> instances.Limits:
        """What a container of the slot may take: of its instance type, and of the memory that its deployment shares."""
        settings = self._emulator.settings
        if not settings.overcommit:
            capacity = instances.share(variant.instance_type, self._together[slot], capacity)
        return instances.limits(variant.instance_type, capacity, settings.allow_gpu_on_cpu)

    def _add(self, plan: ServerPlan, adopted: ContainerState | None = None, began: float | None = None) -> None:
        def start(plan: ServerPlan, changed: Callable[[], None]) -> Server:
            return self._start_server(plan, self._dependencies, changed, adopted, began)

        self._servers.add(start, plan, adopted is not None)

    def _replace(self) -> None:
        """What has failed in service goes; the next look fills its slot."""
        for slot, server in list(self._servers.failed.items()):
            if slot in self._patient:
                self._servers.retire(server)
                self._postpone(slot, server.reason)

    def _postpone(self, slot: Slot, why: str) -> None:
        pause = self._backoff.postpone(slot)
        self._servers.skip(slot)
        log.warning("endpoint %s: %s %d is replaced in %g s: %s", self._row.name, slot.variant, slot.number, pause, why)
        self._wake.notify()

    def _publish(self, deployment: EndpointDeployment | None) -> None:
        """Write down where what serves is, if that has changed. While we look for what we adopted, the old holds."""
        if deployment is None or self._servers.awaits_adopted or not self._servers.moved:
            return
        self._servers.moved = False
        routes = hosting.routes(self._row, deployment, self._servers.addresses)
        if routes != self._facts.routes:
            self._take(self._resources.change(self._row, facts=lambda row: replace(serving(row), routes=routes)))

    # Models

    @property
    def _folder(self) -> Path:
        return hosting.endpoint_folder(self._row, self._emulator.data_dir)

    def _forget_model(self, folder: Path) -> None:
        """Remove the model of a server that is gone, unless another one has it or is to have it."""
        if (
            self._row.status != "InService"
            or hosting.generation_of(folder) in self._generations
            or self._servers.uses(folder)
        ):
            return
        if folder.is_dir():
            sweep(self._dependencies.engine, folder)

    def _forget_models(self) -> None:
        """Remove every model that no server has and no needed slot is to have."""
        folder = self._folder
        for one in sorted(folder.iterdir()) if folder.is_dir() else ():
            # One that is being unpacked has a name that begins with a dot.
            if (
                hosting.generation_of(one) not in self._generations
                and not self._servers.uses(one)
                and not one.name.startswith(".")
            ):
                sweep(self._dependencies.engine, one)

    def _slots(self, deployment: EndpointDeployment | None) -> dict[Slot, Variant]:
        return hosting.slots(self._row, deployment)

    def _retry_while_unavailable(self, ask: Callable[[], Any]) -> Any:
        return retry_while_unavailable(
            ask, self._wake.closing, self._dependencies.report, self._dependencies.give_up_seconds
        )


def _instances(slots: Iterable[Slot]) -> int:
    return len({(slot.variant, slot.generation, slot.number) for slot in slots})


def roll_back(resources: Resources, row: Resource, reason: str) -> Resource:
    """Have the deployment in service serve on, in place of one that failed."""
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
