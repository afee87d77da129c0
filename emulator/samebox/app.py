"""The composition root: the one place that builds everything and joins it. The parts do not know it."""

import asyncio
import fcntl
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from samebox.containers import home, metadata_network, pulled_images, reservations
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine, EngineError
from samebox.containers.health import EngineHealth
from samebox.containers.kept_images import KeptImages
from samebox.containers.registry_server import RegistryServer
from samebox.data.local_objects import LocalObjects
from samebox.data.lookups import Lookups
from samebox.edge import Edge
from samebox.jobs.container_jobs import ContainerJobs
from samebox.jobs.endpoints import Endpoints
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.supervisor import Supervisor, Work
from samebox.jobs.training import TRAINING
from samebox.platform.background import Background
from samebox.resources.kinds import ENDPOINT, KINDS, TRAINING_JOB
from samebox.resources.logbook import Logbook
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.resources import Resources
from samebox.resources.store import Store
from samebox.s3.migration import TakenOver
from samebox.s3.store import S3Store
from samebox.services import images, registry_tokens, secret, session_tokens
from samebox.services.container_roles import ContainerRoles
from samebox.services.context import Services
from samebox.services.endpoint_routes import EndpointRoutes
from samebox.services.invocation_metrics import InvocationMetrics
from samebox.services.metadata import Metadata
from samebox.services.operations import operations
from samebox.services.registry import RegistryEndpoint
from samebox.services.registry_client import RegistryClient
from samebox.services.repositories import PushedImages
from samebox.services.s3.endpoint import S3Endpoint
from samebox.services.s3.housekeeping import Housekeeping
from samebox.settings import Settings, is_loopback, words
from samebox.traffic import front_page
from samebox.traffic.client import HttpClient
from samebox.traffic.forms import Forms
from samebox.traffic.invoke import Invocations
from samebox.traffic.observers import ObserverQueue
from samebox.traffic.origins import OriginPolicy
from samebox.traffic.routes import RoutingTable
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models
from samebox.wire.sessions import Verdict

log = logging.getLogger(__name__)

# How long a status waits for the container engine, and how long a start does, which needs it for the network alone.
STATUS_ENGINE_SECONDS = 1.0
START_ENGINE_SECONDS = 5.0
END_ENGINE_SECONDS = 5.0


class AlreadyRunning(Exception):
    """Another emulator works on the data directory."""


class Emulator:
    """One emulator over one data directory. Several may live in one process; they do not notice each other.

    `engine` is given in tests. `start` claims the directory and whatever has work left; `stop` leaves jobs running.
    """

    def __init__(
        self, settings: Settings, engine: Engine | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        data_dir = settings.data_dir.resolve()
        data_dir.mkdir(parents=True, exist_ok=True)
        self._started = ExitStack()  # what is to be ended, the last first, however far the start came
        self._connections = AsyncExitStack()
        self._started.callback(os.close, _claim(data_dir))
        self._secret = secret.read(data_dir / "secret")
        self.id = secret.identity(self._secret)
        (data_dir / "id").write_text(self.id)
        (data_dir / "port").write_text(str(settings.port))
        self.engine: Engine = engine or DockerEngine(
            instance_id=self.id,
            answer_seconds=settings.engine_seconds,
            labels=home.label(data_dir, settings.url),
            folder=data_dir,
        )
        self._engine_health = EngineHealth(self.engine)
        models = Models()
        self._started.callback(self.engine.close)
        self.store = Store(data_dir / "state.sqlite")
        self._started.callback(self.store.close)
        self._at_the_end(self._release_images)
        self.resources = Resources(self.store, models, KINDS, clock, settings.lower_case_arns)
        logbook = Logbook(data_dir / "logs" / "streams", settings.log_bytes)
        self.metrics = MetricsStore(data_dir / "metrics.sqlite", clock)
        self._started.callback(self.metrics.close)
        self._registry = RegistryServer(
            self.engine, settings.registry_image, data_dir / "registry", self.id, self._secret
        )
        self.table = RoutingTable()
        self._client = HttpClient(settings.invocation_bytes)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._data_dir = data_dir
        self._logbook = logbook
        self._models = models
        self._clock = clock
        self._version = version("samebox")  # read from files, so once
        self._ready = False
        self._supervisor: Supervisor | None = None

    def start(self) -> list[socket.socket]:
        """Start what runs beside the event loop: S3 and the supervisor. Gives the sockets to listen on, too."""
        s3 = self._s3_storage()
        objects = LocalObjects(s3, self.settings.account, self.settings.region)
        services = self._make_services(objects)
        self.gateway = self._make_gateway(services, s3)
        self.edge = self._make_edge(services)
        EndpointRoutes(self.store, self.table, self._close_unused_connections).follow()
        inward = self._metadata_socket()
        self._supervisor = self._start_supervisor(objects, has_metadata=inward is not None)
        self._ready = True
        return [] if inward is None else [inward]

    def _make_services(self, objects: LocalObjects) -> Services:
        self._at_the_end(self._registry.stop)
        pushed, manifests = PushedImages(self.resources), RegistryClient(self._registry.url)
        self._started.callback(manifests.close)
        return Services(
            settings=self.settings,
            resources=self.resources,
            objects=Lookups(objects),
            images=images.EcrImages(self.settings, self.resources, pushed, self._kept_images()),
            pushed=pushed,
            registry=manifests,
            logbook=self._logbook,
            metrics=self.metrics,
            clock=self._clock,
            secret=self._secret,
        )

    def _make_gateway(self, services: Services, s3: S3Store) -> Gateway:
        own = self.settings
        endpoint = S3Endpoint(
            s3, Models(("s3",)), account=own.account, region=own.region, clock=self._clock, redirects=own.s3_redirects
        )
        self._connections.push_async_callback(endpoint.close)
        return Gateway(
            self._models,
            operations(services),
            account=own.account,
            region=own.region,
            token=own.token,
            sessions=self._session,
            s3=endpoint,
            s3_forms=Forms(endpoint, self._data_dir),
            clock=self._clock,
        )

    def _make_edge(self, services: Services) -> Edge:
        own, gateway = self.settings, self.gateway
        registry = RegistryEndpoint(
            self.resources, services.pushed, services.registry, self._secret, self._registry.url, self._registry.forget
        )
        self._connections.push_async_callback(registry.close)
        observers = ObserverQueue([InvocationMetrics(self.metrics.put, self._clock)])
        self._started.callback(observers.close)
        return Edge(
            invocations=Invocations(
                self.table, self._client, gateway.identify, own.invocation_bytes, own.invocation_seconds,
                own.lenient_responses, observers,
            ),
            registry=registry,
            metadata=Metadata(gateway.call, ContainerRoles(self.resources, self._secret).find),
            gateway=gateway,
            ready=self.ready,
            status=self.status,
            metadata_host=metadata_network.ADDRESS,
            origins=_origins(own),
            authorize=gateway.identify,
            refuse=gateway.refuse,
            page=self._page,
        )  # fmt: skip

    def _start_supervisor(self, objects: LocalObjects, has_metadata: bool) -> Supervisor:
        info = EmulatorInfo(self._data_dir, self.id, self.settings, self._secret)
        if has_metadata:
            address = f"http://{metadata_network.ADDRESS}"
            info = replace(info, credentials=True, network=metadata_network.NAME, endpoint_url=address)
        background = Background()
        self._started.callback(background.close)
        dependencies = (self.resources, self.engine, objects, self._logbook, info, background, self._login)
        room = None if self.settings.overcommit else reservations.of_engine(self.engine, self.id)
        put_metric = partial(self.metrics.put, by_second=True)
        jobs = Work(TRAINING_JOB, ContainerJobs(TRAINING, *dependencies, reservations=room, put_metric=put_metric))
        endpoints = Work(ENDPOINT, Endpoints(*dependencies, in_flight=self._client.in_flight), limit=None)
        supervisor = Supervisor(self.resources, [jobs, endpoints])
        supervisor.start()
        self._started.callback(supervisor.close)
        return supervisor

    def _s3_storage(self) -> S3Store:
        """The objects, those of an older data folder included: they were plain files below `s3/`."""
        s3 = S3Store(self._data_dir / "objects", clock=self._clock)
        self._started.callback(s3.close)
        own = self.settings
        taken = s3.migration.take_over(self._data_dir / "s3", own.account, own.region, _log_progress)
        for path in taken.left:
            log.warning("%s is no object and stays where it is", path)
        housekeeping = Housekeeping(s3)
        housekeeping.start()
        self._started.callback(housekeeping.close)
        return s3

    def leave(self) -> None:
        """Before we answer no more: a job whose image the engine pulls from our registry is not to fail for that."""
        if self._supervisor is not None:
            self._supervisor.leave()

    async def stop(self) -> None:
        """End everything that is ours; containers of jobs and endpoints go on, and the next start takes them over."""
        self._ready = False
        await self._client.close()
        await self._connections.aclose()
        await asyncio.to_thread(self._started.close)

    def ready(self) -> dict[str, Any]:
        """Whether the start is complete. It reads nothing, and its response holds nothing confidential."""
        return {"ready": self._ready, "version": self._version}

    def status(self) -> dict[str, Any]:
        """What `samebox status` shows."""
        why_not = self._engine_health.why_not(STATUS_ENGINE_SECONDS)
        return {
            "ready": self._ready,
            "pid": os.getpid(),
            "version": self._version,
            "url": self.settings.url,
            "data_dir": str(self._data_dir),
            "id": self.id,
            "account": self.settings.account,
            "region": self.settings.region,
            "settings": {
                name: value if isinstance(value, int | float) else str(value)
                for name, value in asdict(self.settings).items()
                if name != "token"
            },
            "token": bool(self.settings.token),
            "engine": {"available": why_not is None, "detail": why_not or ""},
            "registry": {"image": self.settings.registry_image, "running": self._registry.is_known},
            "jobs": self.store.count_by_status(TRAINING_JOB.noun),
            "endpoints": self.store.statuses(ENDPOINT.noun),
        }

    def _at_the_end(self, ask: Callable[[], None]) -> None:
        """Ask something of the container engine at the end; one that hangs, or is gone, does not hold the end up."""

        def unless_it_hangs() -> None:
            why_not = self._engine_health.why_not(END_ENGINE_SECONDS)
            try:
                if why_not is None:
                    return ask()
            except EngineError as error:
                why_not = str(error)
            log.info("what is ours in the container engine stays there: %s", why_not)
            return None

        self._started.callback(unless_it_hangs)

    def _release_images(self) -> None:
        registry, in_use = images.registry_host(self.settings), images.names_in_use(self.store)
        pulled_images.release(self.engine, registry, in_use)

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which event loop the connections to containers belong to."""
        self._loop = loop

    def _kept_images(self) -> KeptImages:
        return KeptImages(self.engine, self.id, lambda: images.needed_ids(self.store))

    def _login(self, account: str, region: str) -> tuple[str, str]:
        return registry_tokens.USER, registry_tokens.issue(self._secret, account, region, self._clock()).password

    def _page(self, url: str) -> str:
        own = self.settings
        return front_page.write(url, self._version, own.account, own.region, bool(own.token))

    def _session(self, access_key: str, token: str) -> Verdict:
        return session_tokens.verify(self._secret, access_key, token, self._clock())

    def _metadata_socket(self) -> socket.socket | None:
        if not self.settings.container_credentials:
            return None
        why_not = self._engine_health.why_not(START_ENGINE_SECONDS)
        if why_not is not None:
            log.info("containers get no credentials: %s", why_not)
            return None
        network = metadata_network.MetadataNetwork(self.engine, self.id)
        listener = network.open()
        if listener is not None:
            self._at_the_end(network.close)
            self._started.callback(listener.close)
        return listener

    def _close_unused_connections(self) -> None:
        """Close connections to containers that no route leads to any more, in the loop that they belong to."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._client.forget, self.table.addresses())


def _log_progress(taken: TakenOver) -> None:
    # Each object is read once, for its digests. `samebox up` waits as long as this goes on.
    if taken.objects:
        log.info("S3: %d objects, %d bytes, are taken over from an older data folder", taken.objects, taken.size)


def _origins(settings: Settings) -> OriginPolicy:
    hosts = set(words(settings.allowed_hosts))
    if not is_loopback(settings.host):
        hosts.add(socket.gethostname().lower())
    return OriginPolicy(settings.host, frozenset(hosts), frozenset(words(settings.allowed_origins)))


def _claim(data_dir: Path) -> int:
    """Hold the data directory until this process ends, however it ends."""
    lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"Another emulator works on {data_dir}.") from None
    return lock
