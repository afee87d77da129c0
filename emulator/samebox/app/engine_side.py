"""The container engine, and what the emulator has there for itself: ECR's registry and the network of credentials."""

import logging
import socket

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.containers import home, metadata_network, pulled_images
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import Engine
from samebox.containers.health import EngineHealth
from samebox.containers.registry_server import RegistryServer
from samebox.resources.store import Store
from samebox.services import images
from samebox.settings import Settings

log = logging.getLogger(__name__)

START_ENGINE_SECONDS = 5.0  # how long a start waits for the engine, which it needs for the network alone


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

    def stop_registry_at_the_end(self) -> None:
        """The registry serves pulls as long as anything of this emulator runs."""
        self._endings.add_request(self.health, self.registry.stop)

    def release_images_at_the_end(self, store: Store) -> None:
        """Images that were pulled from our registry, and that no resource names, leave the engine at the end."""

        def release() -> None:
            pulled_images.release(self.engine, images.registry_host(self._settings), images.names_in_use(store))

        self._endings.add_request(self.health, release)

    def credentials_socket(self) -> socket.socket | None:
        """Where containers ask for credentials, 169.254.170.2, to be listened on. None where they get none."""
        if not self._settings.container_credentials:
            return None
        why_not = self.health.why_not(START_ENGINE_SECONDS)
        if why_not is not None:
            log.info("containers get no credentials: %s", why_not)
            return None
        network = metadata_network.MetadataNetwork(self.engine, self._id)
        listener = network.open()
        if listener is not None:
            self._endings.add_request(self.health, network.close)
            self._endings.add(listener.close)
        return listener
