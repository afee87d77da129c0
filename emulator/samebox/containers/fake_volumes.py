"""VolumeApi in memory: folders."""

from __future__ import annotations

import io
import shutil
import tarfile
from typing import TYPE_CHECKING, BinaryIO

from samebox.containers import layers
from samebox.containers.engine import EngineError, Volume
from samebox.containers.fake_host import carries
from samebox.containers.fake_images import FakeImages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from samebox.containers.engine import Mount


class FakeVolumes(FakeImages):
    """Files come and go by way of a container, and so of an image."""

    def shares_disk(self) -> bool:
        self._answer()
        return self._shares_disk

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Volume:
        self._answer()
        with self._changed:
            self._volume_folder(name).mkdir(parents=True, exist_ok=True)
            return self._volumes.setdefault(name, Volume(name, dict(labels)))

    def volumes(self, labels: Mapping[str, str | None], unused: bool = False) -> list[Volume]:
        self._answer()
        with self._changed:
            used = {one.volume.name for container in self._containers.values() for one in container.spec.volumes}
            found = [volume for volume in self._volumes.values() if carries(volume.labels, labels)]
        return [volume for volume in found if not unused or volume.name not in used]

    def files(self, volume: Volume, image: str) -> BinaryIO:
        self._required(image)
        spool = io.BytesIO()
        with tarfile.open(fileobj=spool, mode="w") as tar:
            tar.add(self._volume_folder(volume.name), "files")
        spool.seek(0)
        return spool

    def remove_volume(self, volume: str) -> None:
        names, unused = ({one.name for one in self.volumes({}, only)} for only in (False, True))
        if volume in names - unused:
            raise EngineError(f"remove {volume}: volume is in use")
        with self._changed:
            if self._volumes.pop(volume, None) is not None:
                shutil.rmtree(self._volume_folder(volume))

    def sweep_path(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def _volume_folder(self, name: str) -> Path:
        return self._root / "volumes" / name

    def _source(self, mount: Mount, own: Path) -> Path:
        """What a container sees: our folder, or a copy of it."""
        if self._shares_disk and mount.layer is not None:
            return layers.copied(mount.source, mount.layer)
        if self._shares_disk:
            return mount.source
        copy = own / "mounts" / mount.target.strip("/").replace("/", "_")
        copy.parent.mkdir(exist_ok=True)
        if mount.source.is_dir():
            shutil.copytree(mount.source, copy, symlinks=True)
        else:
            shutil.copy(mount.source, copy)
        return copy
