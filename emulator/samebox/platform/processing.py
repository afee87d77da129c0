"""A processing job as a plan: what a CreateProcessingJob request makes of each host (contract §4). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samebox.containers.engine import Mount
from samebox.data import processing
from samebox.platform import job
from samebox.platform.job import HostPlan, JobPlan, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from samebox.platform.job import HostLimits, Placement

MESSAGE_FILE = "/opt/ml/output/message"
INPUTS_FOLDER = "inputs"  # of a host: a folder for each input, mounted at its LocalPath
OUTPUTS_FOLDER = "output/data"  # and for each output


def plan(
    request: Mapping[str, Any],
    arn: str,
    region: str,
    placement: Placement,
    limits: HostLimits,
    surroundings: Surroundings | None = None,
) -> JobPlan:
    """The hosts of a processing job, each with its /opt/ml, and their network. Its image is the request's own."""
    planned = []
    for number, host in enumerate(processing.hosts(request), 1):
        root = placement.root / host
        container = job.container(
            request["AppSpecification"]["ImageUri"],
            host,
            number,
            processing.command(request),
            processing.environment(request, region),
            _mounts(root, request),
            placement,
            limits,
            surroundings or Surroundings(),
        )
        planned.append(HostPlan(host, root, processing.tree(request, arn, host), container))
    isolated = bool(request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))
    return job.plan(tuple(planned), placement, isolated)


def _mounts(root: Path, request: Mapping[str, Any]) -> Iterator[Mount]:
    yield Mount(root / "config", "/opt/ml/config")
    yield Mount(root / "output", "/opt/ml/output")
    for one in request.get("ProcessingInputs", []):
        if "S3Input" in one:
            yield Mount(root / INPUTS_FOLDER / one["InputName"], one["S3Input"]["LocalPath"])
    for name, path in processing.outputs(request).items():
        yield Mount(root / OUTPUTS_FOLDER / name, path)
