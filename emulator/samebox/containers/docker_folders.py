"""FolderApi on Docker."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from samebox.containers import janitor
from samebox.containers.docker_http import WORK_SECONDS, DockerHTTP

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.engine import ContainerApi, ImageApi


class DockerFolders:
    """`instance_id` labels the container that removes what is not ours."""

    def __init__(self, http: DockerHTTP, images: ImageApi, containers: ContainerApi, instance_id: str) -> None:
        self._http = http
        self._images = images
        self._containers = containers
        self._instance_id = instance_id

    def sweep_path(self, path: Path) -> None:
        """Containers write as root, or as whoever they like; where we are not root, only a container removes that.

        See janitor.py for how.
        """
        if not path.is_absolute():
            raise ValueError(f"Not an absolute path: {path}")
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except PermissionError:
            self._sweep_as_root(path)

    def _sweep_as_root(self, path: Path) -> None:
        spec = janitor.spec(path, self._instance_id)
        if self._images.image(spec.image) is None:
            self._http.call(
                "POST",
                "/images/create",
                parameters={"fromSrc": "-", "repo": janitor.REPOSITORY, "tag": janitor.TAG},
                data=janitor.empty_image(),
                seconds=WORK_SECONDS,
            )
        container = self._containers.create(spec)
        try:
            self._containers.put(container, janitor.FOLDER, janitor.replacement(path))
        finally:
            self._containers.remove(container)
        path.unlink()
