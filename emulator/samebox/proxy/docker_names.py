"""The ECR names that a Docker daemon was taught (`samebox docker-setup`), as a file of the data folder keeps them.

Either the daemon's machine has these names in its hosts file, at an address at which the emulator then listens for TLS
on port 443, or the daemon uses the forward proxy.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILE = "docker-names.json"
PORT = 443  # that a registry's name means without a port


@dataclass(frozen=True)
class DockerNames:
    """`address` is "" where the daemon uses the proxy; `proxy` is then the URL that its settings name."""

    hosts: tuple[str, ...] = ()
    address: str = ""
    proxy: str = ""


def read(data_dir: Path) -> DockerNames:
    """What was set up; nothing where nothing was, or where the file is none of ours."""
    try:
        found = json.loads((data_dir / FILE).read_text())
        return DockerNames(tuple(map(str, found["hosts"])), str(found["address"]), str(found.get("proxy", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return DockerNames()


def write(data_dir: Path, names: DockerNames) -> None:
    """Keep it for the emulator's next start; nothing is kept of no names."""
    if names.hosts:
        (data_dir / FILE).write_text(json.dumps(asdict(names)) + "\n")
    else:
        (data_dir / FILE).unlink(missing_ok=True)
