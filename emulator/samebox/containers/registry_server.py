"""The registry behind ECR: a helper container with CNCF Distribution, started when first needed, adopted later.

It trusts every client that can reach it; other containers can, and a web page can by DNS rebinding. So it answers only
below a path that cannot be guessed.
"""

import hashlib
import hmac
import http.client
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from samebox.containers.engine import ContainerSpec, EngineError, ImageMissing, Mount, VolumeMount
from samebox.containers.helper_container import ContainersAndVolumes, HelperContainer, name_of
from samebox.errors import AwsError

log = logging.getLogger(__name__)

# Stands where other containers have the ARN of what they serve.
REGISTRY_OWNER = "registry"
_PORT = 5000
_LOG_BYTES = 64 * 1024**2
_STOP_SECONDS = 10
FOLDER = "/var/lib/registry"


def container_name(instance: str) -> str:
    """The name of the one container that may write a data folder's registry."""
    return name_of(REGISTRY_OWNER, instance)


class RegistryServer:
    """Knows the registry's URL, and starts the registry where none answers there.

    It is left running when the emulator ends, as jobs are; `stop` is for `samebox down`. Threads may share it.
    """

    def __init__(
        self,
        engine: ContainersAndVolumes,
        image: str,
        folder: Path,
        instance: str,
        secret: bytes,
        ready_seconds: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._image = image
        self._folder = folder
        self._container = HelperContainer(engine, REGISTRY_OWNER, instance, sleep)
        self._name = self._container.name
        self._secret = secret
        self._path = f"/{hmac.new(secret, b'path of the registry', hashlib.sha256).hexdigest()}"
        self._ready_seconds = ready_seconds
        self._sleep = sleep
        self._lock = threading.Lock()
        self._known: str | None = None

    def url(self) -> str:
        """The base URL of the registry, which answers. AwsError, with what to do about it, when it cannot be had."""
        known = self._known
        if known is not None:
            return known
        with self._lock:
            if self._known is None:
                self._known = self._start()
            return self._known

    @property
    def is_known(self) -> bool:
        """True when the registry was needed and answered; nothing is asked for this."""
        return self._known is not None

    def forget(self) -> None:
        """Look again at the next `url`: the registry did not answer."""
        self._known = None

    def stop(self, grace_seconds: int = _STOP_SECONDS) -> None:
        """Stop and remove the container; what was pushed stays."""
        with self._lock:
            self._known = None
            self._container.stop(grace_seconds)

    def _start(self) -> str:
        try:
            address = self._adopted() or self._engine.address(self._run(), _PORT)
        except ImageMissing as error:
            raise AwsError(
                "ServerException",
                f"The registry's image {self._image} is not here. Build it with: docker buildx bake registry; "
                "SAMEBOX_REGISTRY_IMAGE names another.",
                500,
            ) from error
        except EngineError as error:
            raise AwsError("ServerException", f"The registry cannot be started: {error}", 500) from error
        if not self._answers(*address):
            raise self._silent()
        return f"http://{address[0]}:{address[1]}{self._path}"

    def _adopted(self) -> tuple[str, int] | None:
        """The address of the container of an earlier life; None where it has to be made."""
        container = self._container.running()
        if container is None:
            return None
        address = self._engine.address(container, _PORT)
        if self._answers(*address):
            return address
        log.info("registry: %s serves another path, as an earlier version made it; it is made anew", self._name)
        self._engine.stop(container, _STOP_SECONDS)
        self._engine.remove(container)
        return None

    def _run(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        spec = ContainerSpec(
            image=self._image,
            name=self._name,
            # Further settings are in the image's configuration; these depend on us.
            environment={
                "REGISTRY_HTTP_ADDR": f":{_PORT}",
                "REGISTRY_HTTP_SECRET": self._secret.hex(),
                "REGISTRY_HTTP_RELATIVEURLS": "true",
                "REGISTRY_HTTP_PREFIX": f"{self._path}/",
                "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": FOLDER,
                "REGISTRY_STORAGE_DELETE_ENABLED": "true",
            },
            labels=self._container.labels,
            publish={_PORT: 0},
            memory_bytes=512 * 1024**2,
            pids_limit=512,
            log_bytes=_LOG_BYTES,
        )
        if self._engine.shares_disk():
            # Its files belong to the user who runs the emulator.
            user = f"{os.getuid()}:{os.getgid()}"
            spec = replace(spec, mounts=(Mount(self._folder.resolve(), FOLDER),), user=user)
        else:
            volume = self._engine.create_volume(self._name, self._container.labels)
            spec = replace(spec, volumes=(VolumeMount(volume, FOLDER),))
        return self._container.run(spec, self._ready_seconds)

    def _answers(self, host: str, port: int) -> bool:
        """Wait until it answers; False where it does not know our path."""
        until = time.monotonic() + self._ready_seconds
        while True:
            try:
                connection = http.client.HTTPConnection(host, port, timeout=2.0)
                try:
                    connection.request("GET", f"{self._path}/v2/")
                    status = connection.getresponse().status
                    if status in (http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND):
                        return status == http.HTTPStatus.OK
                finally:
                    connection.close()
            except (OSError, http.client.HTTPException) as error:
                log.debug("registry: not ready: %s", error)
            if time.monotonic() > until:
                raise self._silent()
            self._sleep(0.05)

    def _silent(self) -> AwsError:
        return AwsError(
            "ServerException",
            f"The registry did not answer within {self._ready_seconds:g} s. Its log: docker logs {self._name}",
            500,
        )
