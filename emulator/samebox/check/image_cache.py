"""A cache of images that were read, by image id, in the user's cache folder.

An engine takes ten seconds and more to save an image of some gigabytes; the content of an id never changes.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox.check.archive import Blob, ImageArchive
from samebox.check.files import KEPT_FORM, Layer

if TYPE_CHECKING:
    from collections.abc import Callable

# Another form of what is kept, or another byte order of this machine, is another file.
_FORM = f"1-{KEPT_FORM}-{sys.byteorder}"
MOST_BYTES = 256 << 20  # of all that is kept; the oldest goes first
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class ImageCache:
    """The folder, which is made when something is kept. What cannot be kept, or read, is read anew from the engine."""

    folder: Path

    def archive(self, image_id: str, read: Callable[[], ImageArchive]) -> ImageArchive:
        """What is kept of this image; else what `read` gives, which is kept then."""
        path = self._path(image_id)
        with contextlib.suppress(*_DAMAGED):
            kept = _archive(json.loads(gzip.decompress(path.read_bytes())))
            os.utime(path)
            return kept
        found = read()
        with contextlib.suppress(OSError):
            self._keep(path, found)
        return found

    def _path(self, image_id: str) -> Path:
        return self.folder / f"{hashlib.sha256(image_id.encode()).hexdigest()[:32]}.{_FORM}.json.gz"

    def _keep(self, path: Path, archive: ImageArchive) -> None:
        # Small files of the image are in it, keys and passwords included: it is its owner's alone.
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        packed = gzip.compress(json.dumps(_packed(archive)).encode(), compresslevel=1)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as file:
            file.write(packed)
        Path(file.name).rename(path)
        self._bound()

    def _bound(self) -> None:
        left = MOST_BYTES
        for path in sorted(self.folder.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True):
            left -= path.stat().st_size
            if left < 0:
                path.unlink(missing_ok=True)


def _packed(archive: ImageArchive) -> dict[str, Any]:
    fields = {name: getattr(archive, name) for name in _PLAIN}
    return {
        **fields,
        "layers": [layer.packed() for layer in archive.layers],
        "manifest": None if archive.manifest is None else asdict(archive.manifest),
    }


def _archive(packed: dict[str, Any]) -> ImageArchive:
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value := packed[name], list) else value for name in _PLAIN
    }
    return ImageArchive(
        **plain,
        layers=[Layer.unpacked(one) for one in packed["layers"]],
        manifest=None if packed["manifest"] is None else Blob(**packed["manifest"]),
    )


_PLAIN = (
    "config",
    "layer_media_types",
    "attestations",
    "platforms",
    "docker_manifest",
    "index_media_types",
    "compressed_sizes",
)
