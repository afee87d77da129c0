"""ImageApi in memory: an image is a set of Python functions."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from samebox.containers.engine import ImageFacts, ImageMissing
from samebox.containers.fake_host import FakeHost
from samebox.containers.fake_process import FakeImage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from samebox.containers.engine import PullProgress
    from samebox.containers.fake_process import Program


class FakeImages(FakeHost):
    """The images of the host; those that have to be pulled are elsewhere until then."""

    def add_image(
        self,
        reference: str,
        programs: Mapping[str, Program],
        entrypoint: tuple[str, ...] | None = None,
        command: tuple[str, ...] | None = None,
        stop_signal: str = "SIGTERM",
        remote: bool = False,
        **facts: object,
    ) -> ImageFacts:
        """`programs`: by the name they have "on PATH"; ANY takes every command. `remote`: it has to be pulled."""
        known = ImageFacts(
            id=f"sha256:{next(self._numbers):064x}", tags=(reference,), entrypoint=entrypoint, command=command
        )
        image = FakeImage(replace(known, **facts), dict(programs), stop_signal)  # type: ignore[arg-type]
        (self._remote if remote else self._images)[reference] = image
        return image.facts

    def programs_of(self, reference: str) -> dict[str, Program]:
        """To add programs to an image."""
        return self._images[reference].programs

    def remove_image(self, reference: str) -> None:
        del self._images[reference]

    def image(self, reference: str) -> ImageFacts | None:
        found = self._image(reference)
        return found.facts if found else None

    def pull(
        self,
        reference: str,
        username: str | None = None,  # noqa: ARG002
        password: str | None = None,  # noqa: ARG002
        progress: Callable[[PullProgress], None] | None = None,  # noqa: ARG002
    ) -> ImageFacts:
        self._answer()
        if reference not in self._remote:
            raise ImageMissing(reference, f"manifest for {reference} not found: manifest unknown")
        self.pulled.append(reference)
        self._images[reference] = self._remote[reference]
        return self._images[reference].facts

    def export(self, reference: str) -> BinaryIO:
        image = self._image(reference)
        if image is None:
            raise ImageMissing(reference)
        return io.BytesIO(self.exports.get(reference) or _saved(reference, image.facts))

    def tag(self, image: str, name: str) -> None:
        found = self._image(image)
        if found is None:
            raise ImageMissing(image)
        with self._changed:
            tags = tuple(sorted({*(tag for tag in found.facts.tags if tag != name), name}))
            tagged = replace(found, facts=replace(found.facts, tags=tags))
            # An image is kept once for each of its names.
            again = {one: tagged for one, image in self._images.items() if image.facts.id == found.facts.id}
            self._images = {**self._images, **again, name: tagged}

    def untag(self, name: str) -> None:
        found = self._image(name)
        if found is None:
            return
        with self._changed:
            is_last = set(found.facts.tags) == {name}
            if is_last and any(one.image.facts.id == found.facts.id for one in self._containers.values()):
                return
            left = replace(found, facts=replace(found.facts, tags=tuple(t for t in found.facts.tags if t != name)))
            self._images = {
                one: left if image.facts.id == found.facts.id else image
                for one, image in self._images.items()
                if one != name
            }

    def tags(self, repository: str) -> list[str]:
        self._answer()
        names = {tag for image in self._images.values() for tag in image.facts.tags}
        return sorted(name for name in names if name.rpartition(":")[0] == repository)

    def untagged(self, registry: str) -> list[str]:
        self._answer()
        tags = {tag for image in self._images.values() for tag in image.facts.tags}
        repositories = {tag.rpartition(":")[0] for tag in tags}
        names = [name for name in self._images if name.startswith(f"{registry}/") and "@" in name]
        return sorted(name for name in names if name.partition("@")[0] not in repositories)

    def _required(self, reference: str) -> FakeImage:
        found = self._image(reference)
        if found is None:
            raise ImageMissing(reference)
        return found

    def _image(self, reference: str) -> FakeImage | None:
        self._answer()
        for name, image in self._images.items():
            if reference in (name, name.removesuffix(":latest"), image.facts.id, *image.facts.digests):
                return image
        return None


def _saved(reference: str, facts: ImageFacts) -> bytes:
    """As `docker save` writes an image that has no layers."""
    inside: dict[str, object] = {
        "config.json": {
            "architecture": facts.architecture,
            "os": facts.operating_system,
            "config": {
                "Entrypoint": facts.entrypoint,
                "Cmd": facts.command,
                "Env": [f"{name}={value}" for name, value in facts.environment.items()],
                "Labels": dict(facts.labels),
                "User": facts.user,
                "WorkingDir": facts.working_directory,
            },
            "rootfs": {"type": "layers", "diff_ids": []},
        },
        "manifest.json": [{"Config": "config.json", "RepoTags": [reference], "Layers": []}],
    }
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, value in inside.items():
            member = tarfile.TarInfo(name)
            content = json.dumps(value).encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()
