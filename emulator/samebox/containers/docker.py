"""Docker Engine behind the Engine protocol.

The SDK gives the transport (unix socket, TLS, ssh, contexts, credential stores); requests and answers are the Docker
Engine API's own JSON, one HTTP request for each thing that is asked. Paths bear no API version: a daemon then speaks
its newest, which spares the round trip that would ask for it, and what we use is the same in all since 1.41.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.containers.docker_connection import connect
from samebox.containers.docker_containers import DockerContainers
from samebox.containers.docker_http import ANSWER_SECONDS, CONNECT_SECONDS, DockerHTTP
from samebox.containers.docker_images import DockerImages
from samebox.containers.docker_json import gpus_of
from samebox.containers.docker_live import DockerLive
from samebox.containers.docker_networks import DockerNetworks
from samebox.containers.docker_volumes import DockerVolumes
from samebox.containers.engine import INSTANCE_LABEL, Capacity, EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.containers.engine import ContainerSpec


class DockerEngine(DockerImages, DockerContainers, DockerLive, DockerNetworks, DockerVolumes):
    """`host` as in DOCKER_HOST; without it the environment and Docker's current context decide, as for `docker`.

    `gpus` overrides what can be found out about GPUs; `instance_id` labels what the engine makes for itself, `labels`
    everything that is made through it. `folder` is where mounted folders of ours are: whether the engine sees it is
    tried out there; None: the folder for temporary files.
    """

    def __init__(
        self,
        host: str | None = None,
        gpus: int | None = None,
        instance_id: str = "",
        answer_seconds: float = ANSWER_SECONDS,
        labels: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        http = DockerHTTP(lambda: connect(host), answer_seconds)
        DockerImages.__init__(self, http)
        given = dict(labels or {})
        DockerContainers.__init__(self, http, given)
        DockerLive.__init__(self, http)
        DockerNetworks.__init__(self, http, given)
        of_ours = {INSTANCE_LABEL: instance_id, **given}
        # Whatever it makes for itself has the folders that it is given.
        plain = DockerContainers(http, of_ours)
        place = folder or Path(tempfile.gettempdir())
        DockerVolumes.__init__(self, http, images=self, containers=plain, labels=of_ours, folder=place)
        self._http = http
        self._gpus = gpus
        self._capacity: Capacity | None = None

    def available(self) -> str | None:
        try:
            self._http.call("GET", "/_ping", seconds=CONNECT_SECONDS)
        except EngineError as error:
            return str(error)
        return None

    def capacity(self) -> Capacity:
        if self._capacity is None:
            facts = self._http.json("GET", "/info")
            gpus = (
                self._gpus
                if self._gpus is not None
                else gpus_of(facts, _local_gpus() if self._http.connected.is_local else 0, _has_nvidia_hook())
            )
            self._capacity = Capacity(cpus=facts["NCPU"], memory_bytes=facts["MemTotal"], gpus=gpus)
        return self._capacity

    def create(self, spec: ContainerSpec) -> str:
        if spec.mounts and not self.shares_disk():
            return self.create_with_copies(spec)
        return super().create(self.with_layers(spec))

    def remove(self, container: str) -> None:
        copies = self.volumes_of(container) if self._shares is not True else []
        super().remove(container)
        for volume in copies:
            self.remove_volume(volume)

    def close(self) -> None:
        self.close_streams()
        self._http.close()


def _local_gpus() -> int:
    """NVIDIA's driver lists its GPUs here, one folder each."""
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _has_nvidia_hook() -> bool:
    """Debian's and NVIDIA's packages both put it on PATH; naming the runtime in the daemon's settings is optional."""
    return shutil.which("nvidia-container-runtime-hook") is not None
