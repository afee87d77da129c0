"""VolumeApi on Docker, and what a container's folders become where the engine does not share our disk."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import shutil
import tempfile
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.containers import folder_copies, janitor, layers
from samebox.containers.docker_http import WORK_SECONDS, Conflict, DockerHTTP, NotFound
from samebox.containers.docker_json import label_filters
from samebox.containers.engine import (
    ContainerMissing,
    EngineError,
    EngineUnavailable,
    Mount,
    OutOfSpace,
    PathMissing,
    StartFailed,
    Volume,
    VolumeMount,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from samebox.containers.docker_containers import DockerContainers
    from samebox.containers.engine import ContainerSpec, ImageApi

log = logging.getLogger(__name__)


class DockerVolumes:
    """`containers` makes them as they are specified. `folder` is where it is tried out whether the disk is shared."""

    def __init__(
        self,
        http: DockerHTTP,
        images: ImageApi,
        containers: DockerContainers,
        labels: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._http = http
        self._images = images
        self._containers = containers
        self._volume_labels = labels
        self._folder = folder
        self._shares: bool | None = None
        self._overlays: bool | None = None
        self._probing = threading.Lock()

    def shares_disk(self) -> bool:
        with self._probing:
            if self._shares is None:
                self._shares = self._probe()
            return self._shares

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Volume:
        body = {"Name": name, "Labels": {**self._volume_labels, **labels}}
        made = self._http.json("POST", "/volumes/create", body=body, seconds=WORK_SECONDS)
        return Volume(made["Name"], made.get("Labels") or {})

    def volumes(self, labels: Mapping[str, str | None], unused: bool = False) -> list[Volume]:
        filters = label_filters(labels) | ({"dangling": ["true"]} if unused else {})
        found = self._http.json("GET", "/volumes", parameters={"filters": json.dumps(filters)})
        return [Volume(entry["Name"], entry.get("Labels") or {}) for entry in found.get("Volumes") or ()]

    def files(self, volume: Volume, image: str) -> BinaryIO:
        with self._never_run(image, [volume]) as container, self._containers.archive(container, _place(0)) as stream:
            spool: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
            shutil.copyfileobj(stream, spool)
        spool.seek(0)
        return spool

    def remove_volume(self, volume: str) -> None:
        with contextlib.suppress(NotFound):
            self._http.call("DELETE", f"/volumes/{volume}", seconds=WORK_SECONDS)

    def sweep_path(self, path: Path) -> None:
        """Containers write as root or any other user; where we are not root, only a container can remove that.

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

    def with_layers(self, spec: ContainerSpec) -> ContainerSpec:
        """The spec with each layer ready: an overlay, or a copy where the engine has none. Raises OutOfSpace."""
        if all(mount.layer is None for mount in spec.mounts):
            return spec
        return replace(spec, mounts=tuple(self._with_layer(mount) for mount in spec.mounts))

    def _with_layer(self, mount: Mount) -> Mount:
        if mount.layer is None:
            return mount
        try:
            if layers.can_be_named(mount) and self._has_overlays():
                layers.prepare(mount.layer)
                return mount
            return replace(mount, source=layers.copied(mount.source, mount.layer), layer=None)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OutOfSpace(f"no space left for a copy of {mount.source}") from error
            raise StartFailed(f"{mount.source} cannot be mounted below a layer: {error}") from error

    # Containers whose folders the engine cannot see

    def create_with_copies(self, spec: ContainerSpec) -> str:
        """A container that has its folders as volumes with copies of what is in them, and its files copied into it.

        It gets its name last: a container of that name has all of its files, whenever we are killed.
        """
        folders, files = folder_copies.split(spec.mounts)
        volumes = [self.create_volume(f"{folder_copies.PREFIX}{uuid.uuid4().hex}", spec.labels) for _ in folders]
        try:
            with self._never_run(spec.image, volumes, spec.labels) as helper:
                for number, folder in enumerate(folders):
                    with folder_copies.tar_of(folder.source) as tar:
                        self._containers.put(helper, _place(number), tar)
                copies = (
                    VolumeMount(volume, folder.target, folder.read_only)
                    for volume, folder in zip(volumes, folders, strict=True)
                )
                copied = replace(spec, mounts=(), volumes=(*spec.volumes, *copies))
                return self._create_with_files(copied, files) if files else self._containers.create(copied)
        except BaseException:
            self._remove_volumes([volume.name for volume in volumes])
            raise

    def _create_with_files(self, spec: ContainerSpec, files: Sequence[Mount]) -> str:
        container = self._containers.create(replace(spec, name=None))
        try:
            with folder_copies.tar_of_files(files) as tar:
                self._containers.put(container, "/", tar)
            if spec.name is not None:
                self._http.call("POST", f"/containers/{container}/rename", parameters={"name": spec.name})
        except BaseException:
            self._containers.remove(container)
            raise
        return container

    def volumes_of(self, container: str) -> list[str]:
        """The names of the volumes that `create_with_copies` made for a container."""
        try:
            mounts = self._http.json("GET", f"/containers/{container}/json").get("Mounts") or ()
        except ContainerMissing:
            return []
        names = [mount.get("Name") or "" for mount in mounts if mount.get("Type") == "volume"]
        return [name for name in names if name.startswith(folder_copies.PREFIX)]

    def _remove_volumes(self, names: Sequence[str]) -> None:
        for name in names:
            with contextlib.suppress(Conflict):  # another container has it: it goes with that one, or is swept
                self.remove_volume(name)

    # Containers that never run

    @contextlib.contextmanager
    def _never_run(
        self, image: str, volumes: Sequence[Volume], labels: Mapping[str, str] | None = None
    ) -> Iterator[str]:
        mounts = tuple(VolumeMount(volume, _place(number)) for number, volume in enumerate(volumes))
        container = self._containers.create(folder_copies.helper(image, labels or {}, volumes=mounts))
        try:
            yield container
        finally:
            self._containers.remove(container)

    def _probe(self) -> bool:
        """Whether a file that we write is seen in a container that has its folder."""
        token = self._folder / f".samebox-{uuid.uuid4().hex}"
        try:
            token.write_text(token.name)
        except OSError:
            return False
        try:
            mounts = (Mount(self._folder, _place(0), read_only=True),)
            container = self._containers.create(folder_copies.helper(self._empty_image(), {}, mounts=mounts))
            try:
                with self._containers.archive(container, f"{_place(0)}/{token.name}") as stream:
                    return folder_copies.first_file(stream) == token.name.encode()
            finally:
                self._containers.remove(container)
        except (StartFailed, PathMissing):  # the engine's host has no such folder, or another one
            return False
        finally:
            token.unlink(missing_ok=True)

    def _has_overlays(self) -> bool:
        """Whether a folder below a layer is seen in a container. Tried out once."""
        with self._probing:
            if self._overlays is None:
                self._overlays = self._probe_overlay()
            return self._overlays

    def _probe_overlay(self) -> bool:
        folder = self._folder / f".samebox-{uuid.uuid4().hex}"
        mount = Mount(folder / "lower", _place(0), layer=folder / "layer")
        try:
            mount.source.mkdir(parents=True)
            (mount.source / "token").write_text(folder.name)
            layers.prepare(folder / "layer")
            container = self._containers.create(folder_copies.helper(self._empty_image(), {}, mounts=(mount,)))
            try:
                with self._containers.archive(container, f"{_place(0)}/token") as stream:
                    return folder_copies.first_file(stream) == folder.name.encode()
            finally:
                self._containers.remove(container)
        except EngineUnavailable:
            raise
        except (EngineError, OSError) as error:
            log.info("the engine has no overlays: folders below layers are copied: %s", error)
            return False
        finally:
            self.sweep_path(folder)

    def _sweep_as_root(self, path: Path) -> None:
        container = self._containers.create(janitor.spec(self._empty_image(), path))
        try:
            self._containers.put(container, janitor.FOLDER, janitor.replacement(path))
        finally:
            self._containers.remove(container)
        path.unlink()

    def _empty_image(self) -> str:
        name = f"{janitor.REPOSITORY}:{janitor.TAG}"
        if self._images.image(name) is None:
            self._http.call(
                "POST",
                "/images/create",
                parameters={"fromSrc": "-", "repo": janitor.REPOSITORY, "tag": janitor.TAG},
                data=janitor.empty_image(),
                seconds=WORK_SECONDS,
            )
        return name


def _place(number: int) -> str:
    return f"/samebox/{number}"
