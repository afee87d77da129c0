"""An image of a megabyte and a half, made on the spot: Debian's static busybox, imported. Needs no registry.

`import_tiny` makes one with whatever ENTRYPOINT or LABEL a test wants; the fixture `tiny_image` is the plain one. The
images stay with the engine, so that the next run starts at once (tests/image_store.py).
"""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import image_store

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = f"{image_store.PREFIX}tiny"


@pytest.fixture(scope="session")
def tiny_image() -> str:
    """The name of an image that holds busybox under all its names, and no CMD."""
    return import_tiny("plain")


def import_tiny(tag: str, changes: Sequence[str] = ()) -> str:
    """`changes`: Dockerfile instructions, such as 'ENTRYPOINT ["echo"]'. An image that is there already is kept."""
    reference = f"{REPOSITORY}:{tag}"
    if not image_store.use(reference):
        options = [word for change in ("LABEL samebox-test=tiny", *changes) for word in ("--change", change)]
        with tempfile.TemporaryDirectory() as folder:
            tar = _root(_busybox(Path(folder)))
        command = ["docker", "import", *options, "-", reference]
        subprocess.run(command, input=tar, check=True, capture_output=True, timeout=120)
    return reference


def _busybox(folder: Path) -> Path:
    """The host's own if it is static, else Debian's package, which any user of a Debian may download."""
    installed = shutil.which("busybox")
    if installed and _is_static(Path(installed)):
        return Path(installed)
    # apt drops its rights to the user _apt for a download, who must be able to write here.
    folder.chmod(0o777)
    _output("apt-get", "download", "--quiet", "busybox-static", folder=folder)
    (package,) = folder.glob("busybox-static_*.deb")
    _output("dpkg-deb", "--extract", str(package), str(folder / "root"))
    return next(path for path in folder.glob("root/**/bin/busybox"))


def _is_static(program: Path) -> bool:
    """Whether a 64-bit ELF program needs no loader (a program header of type PT_INTERP, 3)."""
    data = program.read_bytes()
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return all(struct.unpack_from("<I", data, start + number * size) != (3,) for number in range(count))


def _root(busybox: Path) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("opt/ml", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        program = tarfile.TarInfo("bin/busybox")
        program.mode, program.size = 0o755, busybox.stat().st_size
        with busybox.open("rb") as file:
            tar.addfile(program, file)
        for applet in _output(str(busybox), "--list").decode().split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "/bin/busybox"
            if applet != "busybox":
                tar.addfile(link)
        users = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
        passwd = tarfile.TarInfo("etc/passwd")
        passwd.size = len(users)
        tar.addfile(passwd, io.BytesIO(users))
    return spool.getvalue()


def _output(*command: str, folder: Path | None = None) -> bytes:
    with contextlib.suppress(FileNotFoundError):  # `file` is not on every host
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300).stdout
    return b""
