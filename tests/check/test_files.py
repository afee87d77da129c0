"""The view of an image's files is what a container sees, however many there are."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from samebox.check import tar
from samebox.check.files import ImageFiles, Layer
from tests.check.images import LayerFile, elf, layer, script

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 200_000


def files_of(*layers: bytes) -> ImageFiles:
    read = []
    for data in layers:
        one = Layer()
        one.read(io.BytesIO(data), lambda: None)
        read.append(one)
    return ImageFiles(read)


# Layers


def test_a_later_layer_replaces_deletes_and_hides() -> None:
    files = files_of(
        layer(
            LayerFile("a/"),
            LayerFile("a/one", b"1"),
            LayerFile("a/two", b"22"),
            LayerFile("b/"),
            LayerFile("b/x", b"x"),
            LayerFile("c", b"c"),
        ),
        layer(
            LayerFile("a/.wh.one"),
            LayerFile("a/two", b"newer"),
            LayerFile("b/"),
            LayerFile("b/.wh..wh..opq"),
            LayerFile("b/y", b"y"),
        ),
        layer(LayerFile(".wh.a")),
    )
    assert sorted(files.paths) == ["/b", "/b/y", "/c"]
    assert files.wasted_bytes == len("1") + len("22") + len("x") + len("newer")
    assert len(list(files.everything())) == 9


def test_a_folder_that_becomes_a_link_takes_its_files_with_it() -> None:
    files = files_of(
        layer(LayerFile("bin/"), elf("bin/sh")), layer(LayerFile("usr/bin/"), LayerFile("bin", link="usr/bin"))
    )
    assert sorted(files.paths) == ["/bin", "/usr/bin"]


def test_names_are_made_absolute_however_they_are_written() -> None:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as archive:
        for name in ("./etc/a", "etc//b", "/etc/c", "etc/./d", "./"):
            archive.addfile(tarfile.TarInfo(name))
    assert sorted(files_of(spool.getvalue()).paths) == ["/", "/etc/a", "/etc/b", "/etc/c", "/etc/d"]


# Links and PATH


def test_links_are_followed_in_every_part_of_a_path() -> None:
    files = files_of(
        layer(
            LayerFile("bin", link="usr/bin"),
            LayerFile("usr/bin/python3", link="python3.10"),
            elf("usr/bin/python3.10"),
            LayerFile("opt/here", link="../usr"),
            LayerFile("loop", link="loop"),
        )
    )
    for path in ("/bin/python3", "/opt/here/bin/python3", "/usr/../bin/python3.10", "bin/./python3"):
        found = files.resolve(path)
        assert found is not None, path
        assert found.path == "/usr/bin/python3.10"
    assert files.resolve("/loop") is None
    assert files.resolve("/bin/ruby") is None


def test_path_is_searched_in_order_for_what_may_be_run() -> None:
    files = files_of(layer(LayerFile("a/tool", b"x"), script("b/tool"), script("home/c/tool"), LayerFile("c/tool/")))
    assert [found.path for path in ("/a:/b", "/c:/b") if (found := files.which("tool", path))] == ["/b/tool", "/b/tool"]
    without = files.which("tool", "/a")
    assert without is not None
    assert not without.executable
    assert files.which("tool", "/nowhere") is None
    assert (relative := files.which("c/tool", "/a", "/home")) is not None
    assert relative.path == "/home/c/tool"


# Tars of every sort


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes_is_read_alike(form: int) -> None:
    long = "/".join(["folder" * 6] * 5)
    members = [tarfile.TarInfo(f"{long}/x"), tarfile.TarInfo("link"), tarfile.TarInfo("big")]
    members[0].size, members[0].uid, members[0].mode = 3, 2_000_000, 0o4755
    members[1].type, members[1].linkname = tarfile.SYMTYPE, (long if form != tarfile.USTAR_FORMAT else "elsewhere")
    members[2].size = 700
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w", format=form) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    spool.seek(0)
    found = [entry for entry, _ in tar.entries(spool)]
    assert [(one.name, one.size, one.uid, one.mode, one.link) for one in found] == [
        (one.name, one.size, one.uid, one.mode, one.linkname) for one in members
    ]


def test_a_size_beyond_eight_gigabytes_is_read() -> None:
    member = tarfile.TarInfo("huge")
    member.size = 10 << 30
    header = io.BytesIO(member.tobuf(tarfile.GNU_FORMAT))
    entry, _ = next(tar.entries(header))
    assert entry.size == 10 << 30


@pytest.mark.parametrize("cut", [100, 512, 700, 1100])
def test_a_tar_that_ends_too_early_is_bad(cut: int) -> None:
    data = layer(LayerFile("a", b"x" * 600), LayerFile("b", b"y"))
    with pytest.raises(tar.BadTar):
        files_of(data[:cut])


def test_what_is_no_tar_is_bad() -> None:
    with pytest.raises(tar.BadTar, match="not a tar header"):
        files_of(b"x" * 2048)


# Many


class Headers(io.RawIOBase):
    """A layer of so many empty files, written while it is read."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._blocks = self._all(count)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._left:
            self._left = next(self._blocks, b"")
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    @staticmethod
    def _all(count: int) -> Iterator[bytes]:
        header = tarfile.TarInfo("x" * 60).tobuf(tarfile.USTAR_FORMAT)
        # The checksum is not of these names: magic, which is there, is enough.
        for start in range(0, count, 1000):
            yield b"".join(
                b"usr/lib/python3.10/site-packages/package%04d/file%07d.py.." % (number % 997, number) + header[61:]
                for number in range(start, min(start + 1000, count))
            )
        yield bytes(1024)


def read_many(count: int) -> ImageFiles:
    one = Layer()
    one.read(io.BufferedReader(Headers(count), 1 << 20), lambda: None)
    return ImageFiles([one])


def test_hundreds_of_thousands_of_files_are_read() -> None:
    files = read_many(MANY)
    assert len(files) == MANY
    assert files.get("/usr/lib/python3.10/site-packages/package0007/file0000007.py..") is not None


def test_a_file_costs_some_hundreds_of_bytes() -> None:
    tracemalloc.start()
    files = read_many(20_000)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(files) == 20_000
    assert taken / 20_000 < 500
