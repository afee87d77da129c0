"""What is examined: an image in a container engine, or an archive of one that needs no engine to be read."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samebox.check import archive, tar
from samebox.check.checks import Deadline
from samebox.check.files import ImageFiles, read_all
from samebox.containers.engine import ContainerSpec, ImageMissing, PathMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from samebox.check.archive import ImageArchive
    from samebox.check.files import File
    from samebox.check.image_cache import ImageCache
    from samebox.containers.engine import Engine, ImageFacts

READ_SECONDS = 300.0  # for the one pass over an image
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # docker's, for an image without one


@dataclass(frozen=True)
class ImageConfig:
    """The image's configuration: environment, command, user, labels and ports."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_directory: str = ""
    exposed_ports: tuple[str, ...] = ()  # "8080/tcp"
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    architecture: str = ""
    operating_system: str = ""
    history: tuple[str, ...] = ()  # the instruction of each layer that has one, the root's first
    layer_history: tuple[str, ...] = ()  # of the layers that hold files, in their order

    @property
    def path(self) -> str:
        return self.environment.get("PATH", DEFAULT_PATH)


@dataclass(frozen=True)
class Contents:
    """All that is inside, read once."""

    config: ImageConfig
    files: ImageFiles
    archive: ImageArchive

    @property
    def size_bytes(self) -> int:
        """What its files are in all, uncompressed, what later layers hide included: the size a registry counts from."""
        return sum(layer.bytes for layer in self.files.layers)


class Subject:
    """One image. `contents` reads it whole at the first use, which may take seconds; later uses are free.

    `reference` is what a ContainerSpec takes; None for an archive, which cannot be run. `name` is for people.
    """

    def __init__(
        self,
        name: str,
        open_archive: Callable[[Callable[[int], None]], ImageArchive],
        reference: str | None = None,
        facts: ImageFacts | None = None,
        read_slowly: Callable[[str, int], bytes | None] | None = None,
        seconds: float = READ_SECONDS,
    ) -> None:
        self.name = name
        self.reference = reference
        self.facts = facts
        self.progress: Callable[[str], None] = lambda _: None
        self._open = open_archive
        self._read_slowly = read_slowly
        self.seconds = seconds
        self._lock = threading.Lock()
        self._contents: Contents | None = None
        self._failed: Exception | None = None
        self.deadline = Deadline(seconds)

    @property
    def contents(self) -> Contents:
        """Raises archive.NotAnImage, EngineError, OSError, OutOfTime; the same again at every further use."""
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if self._contents is None:
                try:
                    self._contents = self._read()
                except Exception as error:
                    self._failed = error
                    raise
            return self._contents

    @property
    def files(self) -> ImageFiles:
        return self.contents.files

    @property
    def config(self) -> ImageConfig:
        return self.contents.config

    def which(self, program: str) -> File | None:
        """As the image's own PATH and WORKDIR find it."""
        return self.files.which(program, self.config.path, self.config.working_directory or "/")

    def read_file(self, path: str, limit: int = 1 << 20) -> bytes | None:
        """Links followed; None where there is no such file, or it is larger than `limit`."""
        found = self.files.resolve(path)
        if found is None or not found.is_file:
            return None
        found = self.files.target(found)
        if found.size > limit:
            return None
        kept = self.files.kept(found)
        if kept is not None or found.size == 0:
            return kept or b""
        return self._read_slowly(found.path, limit) if self._read_slowly else None

    def _read(self) -> Contents:
        self.deadline = Deadline(self.seconds)
        said = 0

        def tick(done: int) -> None:
            nonlocal said
            self.deadline.check()
            if done >> 24 != said:  # every 16 MB
                said = done >> 24
                self.progress(f"reading {self.name}: {done / 1e6:,.0f} MB")

        found = self._open(tick)
        files = ImageFiles(found.layers, self.deadline.check)
        return Contents(image_config(found.config), files, found)


def from_path(path: Path, seconds: float = READ_SECONDS) -> Subject:
    """An archive on this machine: a tar of `docker save` or buildx, compressed or not, or a folder in OCI layout."""

    def read_slowly(inside: str, limit: int) -> bytes | None:
        # A second pass over the archive; checks ask for few files beside those that the first pass keeps.
        deadline = Deadline(seconds)
        again = archive.read_path(path, lambda _: deadline.check(), keep=frozenset({inside}))
        found = ImageFiles(again.layers).get(inside)
        return ImageFiles(again.layers).kept(found) if found is not None and found.size <= limit else None

    return Subject(path.name or str(path), lambda tick: archive.read_path(path, tick), None, None, read_slowly, seconds)


def from_engine(
    engine: Engine,
    reference: str,
    labels: Mapping[str, str],
    seconds: float = READ_SECONDS,
    cache: ImageCache | None = None,
) -> Subject:
    """An image that an engine holds; `labels` for the containers that are made to read single files, never started.

    `cache`: where it may be found without reading it from the engine.

    Raises ImageMissing, EngineUnavailable.
    """
    facts = engine.image(reference)
    if facts is None:
        raise ImageMissing(reference)

    platform = f"{facts.operating_system}/{facts.architecture}"

    def open_archive(tick: Callable[[int], None]) -> ImageArchive:
        if cache is None:
            return saved(tick)
        # An id may be that of an index, of which an engine has one platform now and another later.
        return cache.archive(f"{facts.id} {platform}", lambda: saved(tick))

    def saved(tick: Callable[[int], None]) -> ImageArchive:
        with contextlib.closing(engine.export(reference)) as stream:
            return archive.read_stream(stream, tick, platform)

    def read_slowly(inside: str, limit: int) -> bytes | None:
        container = engine.create(ContainerSpec(reference, command=("true",), labels=labels, network="none"))
        try:
            with contextlib.closing(engine.archive(container, inside)) as stream:
                for _, read in tar.entries(stream):
                    return read_all(read, limit)
        except PathMissing:
            return None
        finally:
            engine.remove(container)
        return None

    return Subject(reference, open_archive, reference, facts, read_slowly, seconds)


def image_config(document: Mapping[str, Any]) -> ImageConfig:
    """From the configuration as registries hold it."""
    inner = document.get("config") or {}
    history = [one for one in document.get("history") or [] if isinstance(one, dict)]
    return ImageConfig(
        tuple(inner.get("Entrypoint") or ()),
        tuple(inner.get("Cmd") or ()),
        dict(one.partition("=")[::2] for one in inner.get("Env") or ()),
        dict(inner.get("Labels") or {}),
        str(inner.get("User") or ""),
        str(inner.get("WorkingDir") or ""),
        tuple(inner.get("ExposedPorts") or {}),
        tuple(inner.get("Volumes") or {}),
        str(inner.get("StopSignal") or ""),
        str(document.get("architecture") or ""),
        str(document.get("os") or ""),
        tuple(str(one.get("created_by", "")) for one in history),
        tuple(str(one.get("created_by", "")) for one in history if not one.get("empty_layer")),
    )
