"""The golden trees of tests/contract, and what a container finds that is to be compared with them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from samebox.containers.fake_process import Process

GOLDEN = Path(__file__).parent / "opt_ml"
PROCESSING = Path(__file__).parent / "processing"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/request.json"))


# A case is the name of one of training jobs, or the folder of any.


def read(case: str | Path, name: str) -> Any:
    return json.loads((GOLDEN / case / name).read_text())


def tree(case: str | Path) -> list[str]:
    """Lines of mode, kind and path."""
    return (GOLDEN / case / "tree.txt").read_text().splitlines()


def files(case: str | Path) -> dict[str, bytes]:
    """Paths below /opt/ml, and their bytes."""
    root = GOLDEN / case / "opt_ml"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def found_by(process: Process) -> tuple[list[str], dict[str, bytes]]:
    """The same of what a training container has at its start."""
    checkpoints = ("checkpoints",) if "checkpoints" in mounted(process) else ()
    return found_at(process, (*checkpoints, "input", "model", "output"))


def mounted(process: Process) -> list[str]:
    """What is mounted below /opt/ml, relative to it."""
    return [mount.target.removeprefix("/opt/ml/") for mount in process.spec.mounts]


def found_at(process: Process, parts: Iterable[str]) -> tuple[list[str], dict[str, bytes]]:
    """The same of what a container has at these places below /opt/ml."""
    lines, contents = set(), {}
    # What is mounted deeper is not below the folder of the mount above it, as it is in a real container.
    inner = [one for one in mounted(process) if any(one.startswith(f"{part}/") for part in parts)]
    for part in (*parts, *inner):
        root = process.path(f"/opt/ml/{part}")
        for path in (root, *root.rglob("*")):
            name = f"{part}/{path.relative_to(root).as_posix()}".removesuffix("/.")
            kind = "d" if path.is_dir() else "p" if path.is_fifo() else "f"
            lines.add(f"{stat.S_IMODE(path.stat().st_mode):04o} {kind} {name}")
            if path.is_file():
                contents[name] = path.read_bytes()
    return sorted(lines, key=lambda line: line.split(" ", 2)[2]), contents
