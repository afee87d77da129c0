"""A processing job as a plan: what a CreateProcessingJob request makes of each host (contract §4). Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from samebox.containers.engine import Mount
from samebox.data import processing
from samebox.data.processing import ProcessingFacts
from samebox.platform import job
from samebox.platform.job import HostPlan, JobPlan, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from samebox.data.tree import Tree
    from samebox.platform.job import HostLimits, Placement

MESSAGE_FILE = "/opt/ml/output/message"
INPUTS_FOLDER = "inputs"  # of a host: a folder for each input by its number, mounted at its LocalPath
OUTPUTS_FOLDER = "output/data"  # and for each output
PIPES_FOLDER = "pipes"  # of a host: what is mounted above both where an input is in Pipe mode


def plan(
    request: Mapping[str, Any],
    image: str,
    known: ProcessingFacts,
    placement: Placement,
    limits: HostLimits,
    surroundings: Surroundings | None = None,
) -> JobPlan:
    """The hosts of a processing job, each with its /opt/ml, and their network."""
    planned = []
    for number, host in enumerate(processing.hosts(request), 1):
        root = placement.root / host
        container = job.container(
            image,
            host,
            number,
            processing.command(request),
            processing.environment(request, known),
            _mounts(root, request),
            placement,
            limits,
            surroundings or Surroundings(),
        )
        planned.append(HostPlan(host, root, _tree(request, known, host), container))
    return job.plan(tuple(planned), placement, processing.is_isolated(request))


def facts(arn: str, region: str) -> ProcessingFacts:
    """Facts of a job that no emulator runs: without credentials, and without a way to AWS's API."""
    return ProcessingFacts(arn, region)


def input_folder(number: int) -> str:
    """The folder of an input, in INPUTS_FOLDER: names of inputs are any text, so its number, which counts from 1."""
    return str(number)


def _tree(request: Mapping[str, Any], known: ProcessingFacts, host: str) -> Tree:
    """Its /opt/ml, and the folders that pipes are made in."""
    found = processing.tree(request, known.arn, host)
    of_pipes = (f"{PIPES_FOLDER}/{pipe_path(one)}".rpartition("/")[0] for one in processing.pipes(request))
    return replace(found, directories=(*found.directories, *of_pipes))


def pipe_path(one: Mapping[str, Any]) -> str:
    """Where in PIPES_FOLDER the pipes of an input are, without the number of the epoch.

    Choice: beside its LocalPath, as those of a channel are beside the folder that the channel would have. The
    documentation has "named pipes" and no names.
    """
    place: str = one["S3Input"]["LocalPath"]
    return place.rstrip("/").removeprefix(f"{processing.ROOT}/")


def _mounts(root: Path, request: Mapping[str, Any]) -> Iterator[Mount]:
    yield Mount(root / "config", "/opt/ml/config")
    yield Mount(root / "output", "/opt/ml/output")
    if processing.pipes(request):
        yield Mount(root / PIPES_FOLDER, processing.ROOT)
    for number, one in enumerate(processing.inputs(request), 1):
        yield Mount(root / INPUTS_FOLDER / input_folder(number), one["S3Input"]["LocalPath"])
    for one in processing.outputs(request):
        yield Mount(root / OUTPUTS_FOLDER / one["OutputName"], one["S3Output"]["LocalPath"])
