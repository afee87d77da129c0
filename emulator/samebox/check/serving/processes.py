"""A container's processes as this machine's kernel shows them: memory, open files, and listening addresses.

Read from the host's /proc: nothing has to be installed in the image. Needs an engine on this machine, under Linux;
elsewhere there is no value, and callers report that.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_LISTENING = "0A"
_TICKS = os.sysconf("SC_CLK_TCK")  # a second
_ENGINES_OWN = ipaddress.ip_address("127.0.0.11")  # Docker's name server, on a network of our own


@dataclass(frozen=True)
class Listener:
    address: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def of_container(container: str, proc: Path = PROC) -> list[int]:
    """Their ids on this machine; empty when they cannot be seen."""
    found = []
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # ended since
                if container in (folder / "cgroup").read_text():
                    found.append(int(folder.name))
    return found


def listeners(container: str, proc: Path = PROC) -> list[Listener] | None:
    """Where the container's processes listen; None when that cannot be seen."""
    for process in of_container(container, proc):
        found = []
        try:
            for name in ("tcp", "tcp6"):
                path = proc / str(process) / "net" / name
                if path.exists():
                    found += _listening(path.read_text())
        except OSError:
            continue
        return sorted(set(found), key=str)
    return None


def memory_bytes(container: str, proc: Path = PROC) -> int | None:
    """Resident, of all its processes together; what they share counts for each. None when that cannot be seen."""
    sizes = []
    for process in of_container(container, proc):
        with contextlib.suppress(OSError):
            lines = (proc / str(process) / "status").read_text().splitlines()
            sizes += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")]
    return sum(sizes) if sizes else None


def open_files(container: str, proc: Path = PROC) -> int | None:
    """File descriptors of all its processes together; None when they cannot be seen, as without root's rights."""
    total, seen = 0, False
    for process in of_container(container, proc):
        try:
            total += sum(1 for _ in (proc / str(process) / "fd").iterdir())
            seen = True
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return total if seen else None


@dataclass(frozen=True)
class CpuUse:
    """Of one process: the processor's seconds that it took, and whether it waits for a disk at this moment."""

    seconds: float
    waits_for_disk: bool


def work(container: str, proc: Path = PROC) -> dict[int, CpuUse]:
    """Of all its processes, by their ids; empty when they cannot be seen."""
    found = {}
    for process in of_container(container, proc):
        with contextlib.suppress(OSError, ValueError, IndexError):  # ended since
            # A program's name stands in brackets, and may hold anything.
            words = (proc / str(process) / "stat").read_text().rpartition(")")[2].split()
            found[process] = CpuUse((int(words[11]) + int(words[12])) / _TICKS, words[0] == "D")
    return found


def programs(container: str, proc: Path = PROC) -> list[str]:
    """The names of its processes' programs, one each; empty when they cannot be seen."""
    found = []
    for process in of_container(container, proc):
        with contextlib.suppress(OSError):
            found.append((proc / str(process) / "comm").read_text().strip())
    return sorted(found)


def _listening(table: str) -> list[Listener]:
    found = []
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 3 and words[3] == _LISTENING:
            address, _, port = words[1].partition(":")
            # Words of 32 bits, each in the machine's own order, which is the little end first on all we run on.
            raw = b"".join(bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8))
            ip = ipaddress.ip_address(raw)
            if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
                ip = ip.ipv4_mapped
            if ip != _ENGINES_OWN:
                found.append(Listener(str(ip), int(port, 16)))
    return found
