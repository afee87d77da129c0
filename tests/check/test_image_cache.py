"""What was read of an image is kept, and is the same when it is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check import archive, image_cache, subject
from samebox.check.files import ImageFiles
from samebox.check.image_cache import ImageCache
from samebox.containers.fake import FakeEngine
from tests.check.images import DOCKER_MANIFEST, ImageSource, LayerFile, elf, layer, script

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from samebox.check.archive import ImageArchive

IMAGE = ImageSource(
    (
        layer(
            LayerFile("etc/"),
            LayerFile("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"),
            LayerFile("srv/a", b"a", 0o4755, uid=70_000),
        ),
        layer(
            elf("bin/sh"),
            script("usr/bin/train"),
            LayerFile("usr/bin/serve", link="train"),
            LayerFile("srv/.wh.a"),
            LayerFile("var/.wh..wh..opq"),
            LayerFile("srv/h\udcffé", b"x"),
        ),
    ),
    {"Entrypoint": ["serve"], "User": "nobody"},
)


class CountingEngine(FakeEngine):
    """One that counts how often an image is read from it."""

    exported = 0

    def export(self, reference: str) -> BinaryIO:
        self.exported += 1
        return super().export(reference)


def read(folder: Path) -> ImageArchive:
    path = folder / "image.tar"
    path.write_bytes(IMAGE.oci_archive(DOCKER_MANIFEST, attested=True))
    return archive.read_path(path)


def never() -> ImageArchive:
    raise AssertionError("it is read again")


def test_an_image_that_was_read_is_the_same_without_being_read_again(tmp_path: Path) -> None:
    kept = ImageCache(tmp_path / "kept")
    first = kept.archive("sha256:1", lambda: read(tmp_path))
    again = kept.archive("sha256:1", never)

    for name in ("config", "manifest", "attestations", "platforms", "layer_media_types", "compressed_sizes"):
        assert getattr(again, name) == getattr(first, name), name
    before, after = ImageFiles(first.layers), ImageFiles(again.layers)
    assert sorted(after, key=lambda one: one.path) == sorted(before, key=lambda one: one.path)
    assert list(after.everything()) == list(before.everything())
    for one in before:
        assert (after.kept(one), after.head(one)) == (before.kept(one), before.head(one))
    assert after.wasted_bytes == before.wasted_bytes


def test_another_image_is_read(tmp_path: Path) -> None:
    kept = ImageCache(tmp_path / "kept")
    kept.archive("sha256:1", lambda: read(tmp_path))

    with pytest.raises(AssertionError, match="read again"):
        kept.archive("sha256:2", never)


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    kept = ImageCache(tmp_path / "kept")
    kept.archive("sha256:1", lambda: read(tmp_path))

    (file,) = kept.folder.iterdir()
    assert (kept.folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("damage", [b"", b"no gzip", bytes(100)])
def test_what_is_damaged_is_read_anew_and_kept(tmp_path: Path, damage: bytes) -> None:
    kept = ImageCache(tmp_path / "kept")
    kept.archive("sha256:1", lambda: read(tmp_path))
    (file,) = kept.folder.iterdir()
    file.write_bytes(damage)

    kept.archive("sha256:1", lambda: read(tmp_path))

    assert kept.archive("sha256:1", never).config == read(tmp_path).config


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")

    assert ImageCache(tmp_path / "kept" / "x").archive("sha256:1", lambda: read(tmp_path)).config


def test_the_oldest_goes_when_more_is_kept_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ImageCache(tmp_path / "kept")
    kept.archive("sha256:1", lambda: read(tmp_path))
    (file,) = kept.folder.iterdir()
    monkeypatch.setattr(image_cache, "MOST_BYTES", file.stat().st_size + 10)

    kept.archive("sha256:2", lambda: read(tmp_path))

    assert len(list(kept.folder.iterdir())) == 1


def test_an_engines_image_is_read_from_it_once(tmp_path: Path) -> None:
    engine = CountingEngine(tmp_path / "containers")
    engine.add_image("mine:1", {})
    engine.exports["mine:1"] = IMAGE.docker_archive()
    kept = ImageCache(tmp_path / "kept")

    for _ in range(2):
        assert subject.from_engine(engine, "mine:1", {}, cache=kept).which("train") is not None

    assert engine.exported == 1
