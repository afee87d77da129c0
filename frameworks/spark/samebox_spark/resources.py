"""What a host may use, and Spark's settings for it: those of a user come before ours."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEGABYTE = 1024 * 1024
# An input of the job, in the form of EMR's configurations, which the SDK makes of `configuration`.
CONFIGURATION = Path("/opt/ml/processing/input/conf/configuration.json")
# As on AWS: 3 % of the memory stay free, and the driver has 2 GB; where there is less, a quarter.
USABLE_SHARE, DRIVER_MEGABYTES, OVERHEAD_SHARE = 0.97, 2048, 0.1
LEAST_MEGABYTES = 512


@dataclass(frozen=True)
class HostResources:
    """Cores, and memory in megabytes, of which the driver has a part on the first host."""

    cores: int
    megabytes: int

    @property
    def driver_megabytes(self) -> int:
        return max(LEAST_MEGABYTES, min(DRIVER_MEGABYTES, self.megabytes // 4))

    @property
    def executor_megabytes(self) -> int:
        left = self.megabytes * USABLE_SHARE - self.driver_megabytes * (1 + OVERHEAD_SHARE)
        return max(LEAST_MEGABYTES, int(left / (1 + OVERHEAD_SHARE)))


def of_this_host(root: Path = Path("/")) -> HostResources:
    """By the limits of the container (cgroup v2, then v1), else of the machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [pages]
    for name in ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limits.append(int((root / name).read_text()))
    cores = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
        cores = max(1, min(cores, -(-int(quota) // int(period))))
    return HostResources(cores, min(limits) // MEGABYTE)


def defaults(resources: HostResources, hosts: int) -> dict[str, str]:
    """Spark's settings, of which a user's own are the last word."""
    return {
        "spark.driver.memory": f"{resources.driver_megabytes}m",
        "spark.executor.memory": f"{resources.executor_megabytes}m",
        "spark.default.parallelism": str(hosts * resources.cores * 2),
        "spark.ui.enabled": "false",
        "spark.pyspark.python": "python3.10",
    }


def of_user(configurations: Any) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Spark's settings, variables of its processes, and the classifications that mean nothing here."""
    settings: dict[str, str] = {}
    variables: dict[str, str] = {}
    others: list[str] = []
    for classification, properties in _flat(configurations):
        if classification == "spark-defaults":
            settings |= properties
        elif classification in ("spark-env", "export"):
            variables |= properties
        else:
            others.append(classification)
    return settings, variables, others


def read_configuration() -> Any:
    """The user's configuration; an empty one where there is none."""
    return json.loads(CONFIGURATION.read_text()) if CONFIGURATION.exists() else []


def _flat(configurations: Any) -> Iterator[tuple[str, Mapping[str, str]]]:
    for one in configurations if isinstance(configurations, list) else [configurations]:
        nested = one.get("Configurations") or []
        if one.get("Properties") or not nested:
            yield one["Classification"], {str(name): str(value) for name, value in one.get("Properties", {}).items()}
        yield from _flat(nested)
