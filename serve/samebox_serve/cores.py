"""How many processes and threads to use, by the cores and memory that this container may use, not the host's."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * 1024
# TensorFlow with a small model: about 340 MB resident, of which two thirds are code that processes share. [measured]
PROCESS_BYTES = 150 * MEGABYTE
# Variables, and the copy TensorFlow makes of them while it loads.
MODEL_FACTOR = 2.5
USABLE_SHARE = 0.8


@dataclass(frozen=True)
class Concurrency:
    """`workers` processes, each running `threads` predictions at once and each prediction `computing_threads` wide."""

    workers: int
    threads: int
    computing_threads: int


def plan(
    cores: int,
    memory: int | None,
    model_bytes: int,
    gpus: int,
    own_handlers: bool,
    workers: int | None = None,
    threads: int | None = None,
) -> Concurrency:
    """The numbers to use; `workers` and `threads` as set by the user win.

    Handlers that come with the model get one call at a time per process: sagemaker-inference's server promises that,
    and code written for it relies on it. TensorFlow's own signatures may be called from several threads.
    """
    if workers is None:
        # A GPU's memory is for one process; sharing it needs settings that only the model's author can choose.
        workers = 1 if gpus else cores
        if memory is not None:
            need = PROCESS_BYTES + model_bytes * MODEL_FACTOR
            workers = max(1, min(workers, int(memory * USABLE_SHARE // need)))
    share = max(1, cores // workers)
    if threads is None:
        threads = 1 if own_handlers else share
    return Concurrency(workers, threads, max(1, share // threads))


def usable_cores(root: Path = Path("/")) -> int:
    """Cores by affinity and cgroup quota (v2, then v1), at least 1. Half a core counts as one."""
    cores = len(os.sched_getaffinity(0))
    quota = _quota(root)
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


def usable_memory(root: Path = Path("/")) -> int | None:
    """The container's memory limit in bytes (cgroup v2, then v1), else the machine's memory."""
    for name in ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limit = int((root / name).read_text())
            # In v1 a number near 2**63 means "no limit".
            if limit < 2**60:
                return limit
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    return None


def visible_gpus(root: Path = Path("/")) -> int:
    return len([path for path in root.glob("dev/nvidia[0-9]*") if path.name[6:].isdigit()])


def bytes_below(folder: Path) -> int:
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(directory) / name).stat().st_size
    return total


def _quota(root: Path) -> float | None:
    with suppress(OSError, ValueError):
        quota, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    for folder in ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"):
        with suppress(OSError, ValueError):
            quota_v1 = int((root / folder / "cpu.cfs_quota_us").read_text())
            return None if quota_v1 <= 0 else quota_v1 / int((root / folder / "cpu.cfs_period_us").read_text())
    return None
