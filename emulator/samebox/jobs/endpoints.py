"""The runner of endpoints: the containers of each are reconciled with the deployment that its row asks for.

An update is blue/green: what serves goes on serving until all of the new is ready, then the routes change, then the old
is drained and stopped. An update that fails leaves the old in service.
"""

import logging
from collections.abc import Callable
from functools import partial

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, Engine
from samebox.data.objects import Objects
from samebox.faults.faults import FaultTable
from samebox.jobs import hosting
from samebox.jobs.endpoint_run import EndpointRun, roll_back
from samebox.jobs.model_folders import ModelFolders
from samebox.jobs.phases import Login, sweep
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.server import Address, ServerDependencies
from samebox.jobs.wake import Wake
from samebox.platform.background import Background, BackgroundTask
from samebox.platform.retrying import Closing
from samebox.resources.kinds import ENDPOINT
from samebox.resources.logbook import Logbook
from samebox.resources.resources import Resources
from samebox.resources.store import Resource
from samebox.resources.unique_id import unique_id

log = logging.getLogger(__name__)


class Endpoints:
    """The runner of endpoints (see supervisor.Runner): each is a task for as long as it is in service."""

    def __init__(
        self,
        resources: Resources,
        engine: Engine,
        objects: Objects,
        logbook: Logbook,
        emulator: EmulatorInfo,
        background: Background,
        login: Login = lambda _account, _region: None,
        in_flight: Callable[[Address], int] | None = None,
        faults: FaultTable | None = None,
    ) -> None:
        self._resources = resources
        self._engine = engine
        self._models = ModelFolders(objects)
        self._logbook = logbook
        self._emulator = emulator
        self._background = background
        self._login = login
        self._in_flight = in_flight
        self._faults = faults or FaultTable()

    def wants(self, resource: Resource) -> bool:
        """True unless it has failed: what is in service is watched."""
        return resource.status != "Failed"

    def run(self, resource: Resource, wake: Wake) -> BackgroundTask:
        """The task that converges until the endpoint is gone, has failed, or we end."""

        def report(message: str) -> None:
            log.warning("endpoint %s: %s", resource.name, message)

        dependencies = ServerDependencies(
            self._engine,
            self._models,
            self._logbook.of(resource.account, resource.region),
            self._emulator.settings,
            partial(self._login, resource.account, resource.region),
            report,
            self._emulator.settings.outage_seconds,
            self._resources.now,
            self._background,
            self._in_flight,
            self._faults.of(unique_id(resource), resource.name, "endpoint", resource.tags),
        )
        run = EndpointRun(self._resources, dependencies, self._emulator, resource, wake)

        async def live() -> None:
            try:
                await run.live()
            except Closing:
                log.info("%s is left as it is", resource.arn)
            finally:
                run.close()

        return self._background.start(live())

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
            roll_back(self._resources, row, hosting.INTERNAL)
        return False

    def sweep(self) -> None:
        """Remove containers, networks and models of endpoints that have failed or are not known any more."""
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
