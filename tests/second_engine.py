"""A second Docker engine in namespaces of its own: another disk, another network, other processes. Needs root on Linux.

    with second_engine(folder) as host:      # tcp://10.213.77.2:2375, as DOCKER_HOST has it

What it sees of the disk is this machine's, but for /tmp and /run, which are empty. It ends with all its processes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.containers.docker import DockerEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_SECONDS = 120.0
END_SECONDS = 60.0

# In the new namespaces, as their first process: when it ends, the kernel ends all others in them.
_PROGRAM = """
set -eu
mount --make-rprivate /
mkdir -p "$1/data"
mount --bind "$1" /mnt
if [ -n "$6" ]; then
  mount --bind "$6/hosts" /etc/hosts
  mount --bind "$6/docker" /etc/docker
fi
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
ip link set lo up
until ip -4 address show engine0 2>/dev/null | grep -q inet; do sleep 0.05; done
trap 'kill -TERM "$engine"' TERM
while :; do
  dockerd --data-root /mnt/data --exec-root /run/engine --pidfile /run/engine.pid --host "tcp://$2:2375" \
    --tls=false --bip "$3.1/24" --default-address-pool "base=$4,size=26" --storage-driver "$5" &
  engine=$!
  while kill -0 "$engine" 2>/dev/null; do wait "$engine" || true; done
  [ -e /mnt/restart ] || exit 0
  rm /mnt/restart
done
"""


def missing() -> str:
    """What this machine lacks for a second engine; empty if nothing."""
    if os.geteuid() != 0:
        return "root"
    return ", ".join(
        program for program in ("dockerd", "setpriv", "unshare", "nsenter", "ip") if shutil.which(program) is None
    )


@contextlib.contextmanager
def second_engine(folder: Path, etc: Path | None = None) -> Iterator[str]:
    """`folder` is its disk, removed at the end. Gives its address.

    `etc` has what it sees as /etc/hosts and /etc/docker, where that is not to be this machine's.
    """
    with restartable_engine(folder, etc) as (host, _):
        yield host


@contextlib.contextmanager
def restartable_engine(folder: Path, etc: Path | None = None) -> Iterator[tuple[str, Callable[[], None]]]:
    """A second engine, with a function that restarts its daemon and returns when it answers again."""
    number = secrets.randbelow(200) + 20
    link, bridge, pool = f"10.213.{number}", f"10.214.{number}", f"10.215.{number}.0/24"
    interface = f"sb{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    arguments = [str(folder), f"{link}.2", bridge, pool, _storage_driver(), str(etc or "")]
    program = ["sh", "-c", _PROGRAM, "engine", *arguments]
    # It ends with us, however we end.
    command = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        *program,
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _join(process, interface, link)
            host = f"tcp://{link}.2:2375"
            _await_answer(process, host, folder / "log")
            yield host, lambda: _restart(process, host, folder)
        finally:
            _end(process)
            _remove(folder)


def copy_image(name: str, host: str) -> None:
    """As a person would, between engines that share no registry."""
    with subprocess.Popen(["docker", "save", name], stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "--host", host, "load"], stdin=saved.stdout, check=True, capture_output=True)
    assert saved.returncode == 0


def _join(process: subprocess.Popen[bytes], interface: str, link: str) -> None:
    inside = Path(f"/proc/{process.pid}/ns/net")
    until = time.monotonic() + START_SECONDS
    while inside.stat().st_ino == Path("/proc/self/ns/net").stat().st_ino:
        assert time.monotonic() < until, "no namespace of its own"
        time.sleep(0.01)
    peer = ["peer", "name", "engine0", "netns", str(process.pid)]
    _run("ip", "link", "add", interface, "type", "veth", *peer)
    _run("ip", "address", "add", f"{link}.1/24", "dev", interface)
    _run("ip", "link", "set", interface, "up")
    _run("nsenter", f"--net={inside}", "ip", "link", "set", "engine0", "up")
    _run("nsenter", f"--net={inside}", "ip", "address", "add", f"{link}.2/24", "dev", "engine0")


def _await_answer(process: subprocess.Popen[bytes], host: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    with contextlib.closing(DockerEngine(host)) as engine:
        while engine.available() is not None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)


def _restart(process: subprocess.Popen[bytes], host: str, folder: Path) -> None:
    (folder / "restart").touch()
    (shell,) = _children(process.pid)
    (daemon,) = (one for one in _children(shell) if Path(f"/proc/{one}/comm").read_text().strip() == "dockerd")
    os.kill(daemon, signal.SIGTERM)
    until = time.monotonic() + START_SECONDS
    while (folder / "restart").exists():  # removed once it has ended
        assert time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.05)
    _await_answer(process, host, folder / "log")


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the engine, which is the first process of its namespace: the kernel ends all others with it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in children.read_text().split():
                os.kill(int(child), number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
            return
    process.kill()


def _storage_driver() -> str:
    asked = ["docker", "info", "--format", "{{.Driver}}"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def _remove(folder: Path) -> None:
    # The mounts went with their namespace, as soon as the last process in it was gone.
    until = time.monotonic() + END_SECONDS
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
