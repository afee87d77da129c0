"""The container engine, and what the emulator has there for itself: ECR's registry and the network of credentials."""

import logging
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.containers import home, metadata_network, pulled_images, way_back
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine
from samebox.containers.health import EngineHealth
from samebox.containers.localstack_server import LocalStackServer
from samebox.containers.registry_server import RegistryServer
from samebox.platform import networks
from samebox.resources.store import Store
from samebox.services import images
from samebox.settings import Settings

log = logging.getLogger(__name__)

START_ENGINE_SECONDS = 5.0  # how long a start waits for the engine, which it needs for the network alone


@dataclass(frozen=True)
class WayBack:
    """Where containers reach this emulator. `network` is the one for those that need none of their own."""

    listener: socket.socket
    network: str
    url: str
    has_credentials: bool  # AWS SDKs ask this address for credentials

    @property
    def host(self) -> str:
        """The address."""
        return urlsplit(self.url).hostname or ""


class EngineSide:
    """`engine` is Docker's where none is given. Making it asks the engine nothing."""

    def __init__(self, settings: Settings, folder: DataFolder, engine: Engine | None, endings: Endings) -> None:
        self._settings = settings
        self._endings = endings
        self._id = folder.id
        self.engine: Engine = engine or DockerEngine(
            instance_id=folder.id,
            answer_seconds=settings.engine_seconds,
            labels=home.label(folder.path, settings.url),
            folder=folder.path,
        )
        endings.add(self.engine.close)
        self.health = EngineHealth(self.engine)
        self.registry = RegistryServer(
            self.engine, settings.registry_image, folder.path / "registry", folder.id, folder.secret
        )

        self.localstack = (
            LocalStackServer(self.engine, settings.localstack_image, folder.id, folder.secret)
            if settings.localstack
            else None
        )

    def start_localstack(self) -> None:
        """Have it start in the background, where it is wanted. Its container stays at the end, for what it holds."""
        if self.localstack is not None:
            self.localstack.start()
            self._endings.add(self.localstack.close)

    def stop_registry_at_the_end(self) -> None:
        """The registry serves pulls as long as anything of this emulator runs."""
        self._endings.add_request(self.health, self.registry.stop)

    def release_images_at_the_end(self, store: Store) -> None:
        """Images that were pulled from our registry, and that no resource names, leave the engine at the end."""

        def release() -> None:
            pulled_images.release(self.engine, images.registry_host(self._settings), images.names_in_use(store))

        self._endings.add_request(self.health, release)

    def open_way_back(self) -> WayBack | None:
        """Where containers reach this emulator, None where they cannot.

        That is 169.254.170.2, where AWS SDKs ask for credentials, or else an address that needs no privileges.
        """
        if not self._settings.container_credentials:
            return None
        why_not = self.health.why_not(START_ENGINE_SECONDS)
        if why_not is not None:
            log.info("containers get no credentials: %s", why_not)
            return None
        network = metadata_network.MetadataNetwork(self.engine, self._id)
        listener = network.open()
        if listener is not None:
            self._endings.add(network.release)
            self._endings.add_request(self.health, network.close)
            self._endings.add(listener.close)
            return WayBack(listener, metadata_network.NAME, f"http://{metadata_network.ADDRESS}", has_credentials=True)
        other = way_back.WayBackNetwork(self.engine, self._id, self._settings.port)
        listener = other.open(networks.gateway(other.name, attempt) for attempt in range(networks.MOST_TRIES))
        if listener is None:
            return None
        self._endings.add_request(self.health, other.close)
        self._endings.add(listener.close)
        address, port = listener.getsockname()
        log.info("containers reach this emulator at %s:%d, and have keys of their roles as variables", address, port)
        return WayBack(listener, other.name, f"http://{address}:{port}", has_credentials=False)
