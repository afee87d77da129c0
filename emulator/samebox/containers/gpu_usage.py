"""What the GPUs of this machine do, as NVIDIA's driver reports it: the table of `nvidia-smi --query-gpu`."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

# The driver's own index, by which containers get them (reservations.py); memory in MiB.
_COMMAND = (
    "nvidia-smi",
    "--query-gpu=index,utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
)
SECONDS = 10.0  # it takes some tenths; longer where the driver is loaded anew each time


@dataclass(frozen=True)
class GpuUsage:
    """Of one GPU, in percent; None where the driver does not report it, as of a part of a GPU (MIG)."""

    busy: float | None
    memory: float | None


def read() -> Mapping[str, GpuUsage]:
    """Each GPU of this machine by the driver's index; empty without a driver that answers."""
    try:
        done = subprocess.run(_COMMAND, capture_output=True, text=True, check=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("the load of GPUs is not known: %s", error)
        return {}
    return parse(done.stdout)


def parse(table: str) -> Mapping[str, GpuUsage]:
    """The rows of its table; what is not a number, such as `[N/A]`, is None."""
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != 4:
            continue
        index, busy, used, total = cells[0], *map(_number, cells[1:])
        memory = 100 * used / total if used is not None and total else None
        found[index] = GpuUsage(busy, memory)
    return found


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
