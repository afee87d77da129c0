"""What an image holds is read from every form that it comes in, and an error names what cannot be read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from typing import TYPE_CHECKING

import pytest
import zstandard

from samebox.check import subject
from samebox.check.archive import NotAnImage
from samebox.check.checks import LABEL, OutOfTime
from samebox.containers.engine import ImageMissing
from samebox.containers.fake import FakeEngine
from tests.check.images import DOCKER_MANIFEST, OCI_MANIFEST, ImageSource, LayerFile, layer, script, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TWO = ImageSource(
    (
        layer(
            LayerFile("etc/"),
            LayerFile("etc/motd", b"old"),
            LayerFile("srv/"),
            LayerFile("srv/a", b"a"),
            LayerFile("srv/b", b"b"),
        ),
        layer(LayerFile("etc/motd", b"newer"), LayerFile("srv/.wh.a"), script("usr/bin/serve")),
    ),
    {"Entrypoint": ["serve"], "User": "nobody", "ExposedPorts": {"8080/tcp": {}}},
)
BIG = ImageSource(
    (layer(LayerFile("noise", random.Random(1).randbytes(400_000))),)
)  # more than one block of any compression


def write(folder: Path, data: bytes) -> Path:
    path = folder / "image.tar"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "form",
    [
        ImageSource.docker_archive,
        ImageSource.oci_archive,
        lambda made: made.oci_archive(compression=""),
        lambda made: made.oci_archive(DOCKER_MANIFEST, attested=True),
        lambda made: gzip.compress(made.docker_archive()),
        lambda made: bz2.compress(made.docker_archive()),
        lambda made: lzma.compress(made.oci_archive()),
        lambda made: made.oci_archive(compression="zstd"),
        lambda made: zstandard.compress(made.docker_archive()),
    ],
    ids=[
        *("docker", "oci", "oci plain", "oci attested", "docker gzip", "docker bzip2", "oci xz"),
        *("oci of zstd layers", "docker zstd"),
    ],
)
def test_every_form_of_an_archive_is_read(tmp_path: Path, form: Callable[[ImageSource], bytes]) -> None:
    image = subject.from_path(write(tmp_path, form(TWO)))
    assert image.config.entrypoint == ("serve",)
    assert (image.config.user, image.config.exposed_ports) == ("nobody", ("8080/tcp",))
    assert sorted(image.files.paths) == ["/etc", "/etc/motd", "/srv", "/srv/b", "/usr/bin/serve"]
    assert image.files.wasted_bytes == 4
    found = image.which("serve")
    assert found is not None
    assert (found.path, found.layer, found.executable) == ("/usr/bin/serve", 1, True)
    assert image.read_file("/usr/bin/serve") == b"#!/bin/sh\necho\n"
    assert image.read_file("/etc/motd") == b"newer"


def test_a_folder_in_oci_layout_is_read(tmp_path: Path) -> None:
    for name, data in TWO.oci_files(OCI_MANIFEST).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert "/srv/b" in subject.from_path(tmp_path).files


def test_an_image_of_an_engine_is_read_without_running_it(tmp_path: Path) -> None:
    engine = FakeEngine(tmp_path)
    engine.add_image("mine:1", {})
    engine.exports["mine:1"] = TWO.docker_archive()
    image = subject.from_engine(engine, "mine:1", {LABEL: "run"})
    assert image.reference == "mine:1"
    assert image.which("serve") is not None
    assert engine.find({}) == []


def test_an_image_that_the_engine_has_not_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ImageMissing):
        subject.from_engine(FakeEngine(tmp_path), "mine:1", {})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, I am a text file, and a rather long one\n" * 40, "neither a docker nor an OCI archive"),
        (b"", "no image"),
        (layer(LayerFile("etc/motd", b"x")), "no image"),
        (tar_of({"index.json": b'{"manifests": []}'}), "names no manifest"),
        (tar_of({"manifest.json": b"{"}), "is not JSON"),
        (tar_of({"manifest.json": b'[{"Config": "c", "Layers": []}]'}), "configuration, c, is missing"),
        (TWO.docker_archive()[:3000], "cut off or damaged"),
        (gzip.compress(TWO.docker_archive())[:150], "cut off or damaged|neither"),
        (zstandard.compress(BIG.docker_archive())[:-40], "cut off or damaged"),
        (TWO.oci_archive(compression="")[:5000], "cut off or damaged"),
    ],
)
def test_an_incomplete_image_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    image = subject.from_path(write(tmp_path, data))
    with pytest.raises(NotAnImage, match=words):
        _ = image.contents
    with pytest.raises(NotAnImage, match=words):
        _ = image.files


def test_a_layer_that_is_missing_is_named(tmp_path: Path) -> None:
    files = {"config.json": b"{}", "manifest.json": b'[{"Config": "config.json", "Layers": ["gone/layer.tar"]}]'}
    with pytest.raises(NotAnImage, match=r"gone/layer\.tar is missing"):
        _ = subject.from_path(write(tmp_path, tar_of(files))).contents


def test_reading_has_a_limit(tmp_path: Path) -> None:
    image = subject.from_path(write(tmp_path, TWO.docker_archive()), seconds=0)
    with pytest.raises(OutOfTime):
        _ = image.contents
