"""An emulator: its parts in the order in which they are built, and their end in the opposite one.

data folder -> container engine -> stores                                    before anything is listened to
objects -> services -> API -> way back -> edge -> routes -> supervisor    in `start`
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from samebox.app import data_folder
from samebox.app.api import make_gateway
from samebox.app.data_plane import DataPlane
from samebox.app.endings import Endings
from samebox.app.engine_side import EngineSide, WayBack
from samebox.app.front import SecuredListener, make_edge, make_proxy, open_docker_listener
from samebox.app.localstack import forwarding, make_localstack, make_targets
from samebox.app.objects import open_objects
from samebox.app.services import make_services
from samebox.app.status import Status
from samebox.app.stores import open_stores
from samebox.app.timers import start_timers
from samebox.app.work import emulator_info, start_supervisor
from samebox.containers.engine import Engine
from samebox.faults.faults import FaultTable
from samebox.settings import Settings
from samebox.wire.models import Models


class Emulator:
    """One emulator over one data directory. Several may live in one process; they do not notice each other.

    `engine` is given in tests. `start` claims the directory, and the jobs and endpoints with work left; `stop` leaves
    jobs running.
    """

    def __init__(
        self, settings: Settings, engine: Engine | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._endings = Endings()
        try:
            self._build(engine)
        except BaseException:
            # A thread of a part would keep the process alive, with a socket that is not served.
            self._endings.undo()
            raise

    def _build(self, engine: Engine | None) -> None:
        settings = self.settings
        self._folder = data_folder.claim(settings, self._endings)
        self.id = self._folder.id
        self._containers = EngineSide(settings, self._folder, engine, self._endings)
        self.engine = self._containers.engine
        self._models = Models()
        self._stores = open_stores(self._folder, settings, self._models, self._clock, self._endings)
        self.store, self.resources = self._stores.store, self._stores.resources
        self._containers.release_images_at_the_end(self.store)
        self._data_plane = DataPlane(settings, self._endings)
        self.table = self._data_plane.table
        self._status = Status(settings, self._folder, self._stores, self._containers)
        self._leave: Callable[[], None] = lambda: None
        self.docker_listener: SecuredListener | None = None
        self._interrupted = threading.Event()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the event loop that the connections to containers belong to."""
        self._data_plane.listen(loop)

    def start(self) -> list[socket.socket]:
        """Start what runs beside the event loop: S3 and the supervisor. Gives the sockets to listen on, too.

        Raises StartInterrupted.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="way-back") as beside:
            # The engine makes a network meanwhile, and the disk opens S3.
            return self._start(beside.submit(self._containers.open_way_back))

    def _start(self, opening: Future[WayBack | None]) -> list[socket.socket]:
        settings, stores, endings, faults = self.settings, self._stores, self._endings, FaultTable()
        # What waits for LocalStack ends after it at the end.
        targets = make_targets(self._containers.localstack, self._folder.path, endings)
        self._containers.start_localstack()
        s3 = open_objects(self._folder, settings, targets, stores.store.post, self._clock, endings, self._interrupted)
        services = make_services(settings, self._folder, stores, s3.objects, self._containers, self._clock, endings)
        localstack = make_localstack(self._containers.localstack, self._clock, endings)
        self.gateway = make_gateway(services, self._models, s3, localstack, self._folder.path, faults)
        invocations = self._data_plane.invocations(self.gateway.identify, stores, self._clock)
        self.proxy = make_proxy(settings, self._folder.path)
        way = opening.result()
        inward = None if way is None else way.host
        self.docker_listener = open_docker_listener(self._folder.path, self.proxy, endings)
        self.edge = make_edge(
            services, self.gateway, invocations, self._containers.registry, self._status, self.proxy, inward,
            self.docker_listener, faults, endings,
        )  # fmt: skip
        self._data_plane.follow(stores)
        info = emulator_info(settings, self._folder, way, self.proxy.authority.bundle)
        supervisor = start_supervisor(
            info, services, stores, s3.objects, self._containers, self._data_plane.client, faults, endings
        )
        start_timers(settings, stores, forwarding(targets), self._clock, endings)
        self._leave = supervisor.leave
        self._status.is_ready = True
        return [] if way is None else [way.listener]

    def load_operations(self) -> None:
        """Load the operations of every service: a start loads none, and a request those of its service."""
        self.gateway.load()

    def interrupt(self) -> None:
        """End a start that is under way as soon as it can be continued by the next one: it raises StartInterrupted."""
        self._interrupted.set()

    def leave(self) -> None:
        """Before we answer no more: a job whose image the engine pulls from our registry is not to fail for that."""
        self._leave()

    async def stop(self) -> None:
        """End everything that is ours; containers of jobs and endpoints go on, and the next start takes them over."""
        self._status.is_ready = False
        await self._data_plane.client.close()
        await self._endings.run()
