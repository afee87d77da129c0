"""Metrics of a job's hosts, while they run: processor, memory, GPUs and disk, as SageMaker publishes them (§1.9)."""

import contextlib
import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from threading import Event

from samebox.containers import gpu_usage
from samebox.containers.engine import ContainerMissing, EngineError
from samebox.containers.gpu_usage import GpuUsage
from samebox.containers.reservations import gpus_of
from samebox.jobs import side_work
from samebox.jobs.phases import JobDependencies
from samebox.jobs.plan import Plan
from samebox.jobs.record import Record
from samebox.platform.job import HostPlan

log = logging.getLogger(__name__)

# The first look comes early, so that a short job has a value, too.
FIRST_SECONDS = 5.0


class HostMetrics:
    """Those of one job. The load of GPUs is the driver's, where the engine is on this machine: no engine reports it."""

    def __init__(self, plan: Plan, deps: JobDependencies, record: Record) -> None:
        self._plan = plan
        self._deps = deps
        self._record = record
        self._gpus: dict[str, tuple[str, ...]] = {}  # host -> the driver's indices of its GPUs
        self._seen: dict[str, tuple[float, float]] = {}  # host -> time, and the processor seconds until then

    def while_running(self) -> AbstractContextManager[None]:
        """Publish in a thread, until the end of the block."""
        if not self._plan.metrics_seconds:
            return contextlib.nullcontext()
        return side_work.beside(self._repeat, "metrics of a job")

    def _repeat(self, over: Event) -> None:
        pause = min(FIRST_SECONDS, self._plan.metrics_seconds)
        while not over.wait(pause):
            pause = self._plan.metrics_seconds
            gpus = self._gpu_usage()
            for host in self._plan.job.hosts:
                try:
                    self._publish(host, gpus)
                except (EngineError, ContainerMissing, OSError) as error:
                    log.debug("%s: nothing is known of %s: %s", self._plan.arn, host.name, error)
                except Exception:
                    log.exception("%s: the metrics of %s are not published this time", self._plan.arn, host.name)

    def _gpu_usage(self) -> Mapping[str, GpuUsage]:
        """Asked for once for all hosts, and not where no host has a GPU."""
        if not any(host.container.gpus for host in self._plan.job.hosts) or not self._deps.engine.shares_disk():
            return {}
        return gpu_usage.read()

    def _publish(self, host: HostPlan, gpus: Mapping[str, GpuUsage]) -> None:
        usage, now = self._deps.engine.usage(host.container_name), self._record.now()
        if usage is None:
            return
        began, before = self._seen.get(host.name) or (self._record.run.began_at, 0.0)
        found = {}
        if began is not None:  # the first look may come before the start is written down
            self._seen[host.name] = (now, usage.cpu_seconds)
        if began is not None and now > began:
            # Of all processors together: 200 where two are busy.
            found["CPUUtilization"] = 100 * max(0.0, usage.cpu_seconds - before) / (now - began)
        if limit := host.container.memory_bytes:
            found["MemoryUtilization"] = 100 * usage.memory_bytes / limit
        if gpus:
            if host.name not in self._gpus:
                # Its labels, as a plan that was made anew after a restart does not have them.
                self._gpus[host.name] = gpus_of(self._deps.engine.inspect(host.container_name).labels)
            found |= _of_gpus([gpus[one] for one in self._gpus[host.name] if one in gpus])
        # Of the file system that the host's folders are on.
        disk = shutil.disk_usage(host.root)
        found["DiskUtilization"] = 100 * disk.used / disk.total
        for name, value in found.items():
            self._deps.publish_usage(host.name, name, value, now)


def _of_gpus(used: Sequence[GpuUsage]) -> dict[str, float]:
    """Of all GPUs of a host together: 200 where two are busy (the CloudWatch page of SageMaker's guide)."""
    values = {
        "GPUUtilization": [one.busy for one in used if one.busy is not None],
        "GPUMemoryUtilization": [one.memory for one in used if one.memory is not None],
    }
    return {name: sum(known) for name, known in values.items() if known}
