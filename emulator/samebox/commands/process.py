"""Facts about processes: whether one is still the same, and which one listens on a port. From /proc, or `ps`."""

import subprocess
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"


def started_at(pid: int) -> str | None:
    """The start time of a process in the system's format; None if it has ended or is a zombie.

    Process ids are reused; with the start time they are unique.
    """
    if (_PROC / "self").exists():
        try:
            words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return None
        return None if words[0] in "ZX" else words[19]
    told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout.strip() or None


def listener(port: int) -> str | None:
    """The process that listens on a TCP port of this machine, such as "nginx (process 812)"; None if unknown."""
    sockets = _listening_sockets(port)
    if not sockets:
        return None
    for process in _PROC.iterdir():
        if process.name.isdigit() and _holds(process, sockets):
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _listening_sockets(port: int) -> set[str]:
    found = set()
    for table in (_PROC / "net" / "tcp", _PROC / "net" / "tcp6"):
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{words[9]}]")
    return found


def _holds(process: Path, sockets: set[str]) -> bool:
    try:
        return any(str(one.readlink()) in sockets for one in (process / "fd").iterdir())
    except OSError:
        return False  # another user's process, or one that just ended
