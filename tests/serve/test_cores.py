"""Processes and threads from what the container may really use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from samebox_serve import cores
from samebox_serve.cores import Concurrency

if TYPE_CHECKING:
    from pathlib import Path

GIGABYTE = 1024**3


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))


@pytest.mark.parametrize(
    ("files", "usable"),
    [
        ({}, 8),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),
        ({"sys/fs/cgroup/cpu.max": "1600000 100000\n"}, 8),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 4),
    ],
)
def test_cores_are_counted_by_affinity_and_quota(
    tmp_path: Path, eight_cores: None, files: dict[str, str], usable: int
) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)

    assert cores.usable_cores(tmp_path) == usable


@pytest.mark.parametrize(
    ("files", "usable"),
    [
        ({"sys/fs/cgroup/memory.max": f"{GIGABYTE}\n"}, GIGABYTE),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIGABYTE}\n"}, GIGABYTE),
        ({"sys/fs/cgroup/memory.max": "max\n", "proc/meminfo": "MemTotal:  2048 kB\n"}, 2048 * 1024),
        (
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2**63 - 4096}\n", "proc/meminfo": "MemTotal: 1 kB\n"},
            1024,
        ),
        ({}, None),
    ],
)
def test_memory_is_the_cgroups_or_the_machines(tmp_path: Path, files: dict[str, str], usable: int | None) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)

    assert cores.usable_memory(tmp_path) == usable


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"cores": 4, "memory": 16 * GIGABYTE, "model_bytes": 10**6, "gpus": 0}, Concurrency(4, 1, 1)),
        ({"cores": 4, "memory": 4 * GIGABYTE, "model_bytes": GIGABYTE // 2, "gpus": 0}, Concurrency(2, 2, 1)),
        ({"cores": 4, "memory": GIGABYTE, "model_bytes": 3 * GIGABYTE, "gpus": 0}, Concurrency(1, 4, 1)),
        ({"cores": 8, "memory": None, "model_bytes": 0, "gpus": 1}, Concurrency(1, 8, 1)),
        ({"cores": 4, "memory": None, "model_bytes": 0, "gpus": 0, "workers": 1}, Concurrency(1, 4, 1)),
        ({"cores": 4, "memory": None, "model_bytes": 0, "gpus": 0, "workers": 1, "own": True}, Concurrency(1, 1, 4)),
        ({"cores": 4, "memory": None, "model_bytes": 0, "gpus": 0, "workers": 2, "threads": 8}, Concurrency(2, 8, 1)),
    ],
)
def test_the_plan_fits_cores_memory_and_handlers(case: dict[str, int | None], expected: Concurrency) -> None:
    plan = cores.plan(
        cores=case["cores"] or 0,
        memory=case["memory"],
        model_bytes=case["model_bytes"] or 0,
        gpus=case["gpus"] or 0,
        own_handlers=bool(case.get("own")),
        workers=case.get("workers"),
        threads=case.get("threads"),
    )

    assert plan == expected
