"""A training job as a plan: what a CreateTrainingJob request makes of each host (contract §1). Pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from samebox.containers.engine import Mount
from samebox.data import opt_ml
from samebox.platform import job
from samebox.platform.job import HostPlan, JobPlan, Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from samebox.platform.job import HostLimits, Placement

MODEL_DIRECTORY = "/opt/ml/model"
OUTPUT_DIRECTORY = "/opt/ml/output/data"
FAILURE_FILE = "/opt/ml/output/failure"
# Debugger's library writes to such a file and renames it (SMD:core/access_layer/file.py, §1.8).
UNFINISHED = ".tmp"
DATA_FOLDER = "input/data"  # of a host: channels, and their manifests


def plan(
    request: Mapping[str, Any],
    image: str,
    known: opt_ml.TrainingFacts,
    placement: Placement,
    limits: Sequence[HostLimits],
    surroundings: Surroundings | None = None,
    cache: Path | None = None,
) -> JobPlan:
    """The hosts of a training job, each with its /opt/ml, and their network. `limits` are of each instance group.

    `cache` has a folder for each host that outlives the job, where its hosts are in a warm pool.
    """
    hosts = opt_ml.hosts(request)
    of_group = dict(zip(dict.fromkeys(host.group for host in hosts), limits, strict=True))
    planned = []
    for number, host in enumerate(hosts, 1):
        root, own = placement.root / host.name, of_group[host.group]
        channels = frozenset(one["ChannelName"] for one in opt_ml.channels(request, host.group))
        container = job.container(
            image,
            host.name,
            number,
            opt_ml.command(request),
            opt_ml.environment(request, replace(known, has_gpu=own.gpus > 0)),
            (*_mounts(root, request), *_kept(cache, host.name)),
            placement,
            own,
            surroundings or Surroundings(),
        )
        tree = opt_ml.tree(request, known, hosts, host.name)
        planned.append(HostPlan(host.name, root, tree, container, channels))
    isolated = bool(request.get("EnableNetworkIsolation"))
    return job.plan(tuple(planned), placement, isolated)


def model_uri(request: Mapping[str, Any], name: str) -> str:
    """ModelArtifacts.S3ModelArtifacts of a job of this name (contract §1.8)."""
    return f"{output_uri(request, name)}/{'model' if is_uncompressed(request) else 'model.tar.gz'}"


def output_uri(request: Mapping[str, Any], name: str) -> str:
    """Below which a job of this name leaves what it made."""
    return f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{name}/output"


def mirror_uris(request: Mapping[str, Any], name: str) -> dict[str, str]:
    """Where the files of `opt_ml.local_paths` go, by what is in them (contract §1.8); what has no place is left out."""
    places = (
        ("tensors", "DebugHookConfig", "debug-output"),
        ("tensorboard", "TensorBoardOutputConfig", "tensorboard-output"),
        ("profiles", "ProfilerConfig", "profiler-output"),
    )
    known = opt_ml.local_paths(request)
    uris = {
        kind: f"{path.rstrip('/')}/{name}/{last}"
        for kind, member, last in places
        if kind in known and (path := request[member].get("S3OutputPath"))
    }
    if "checkpoints" in known:
        uris["checkpoints"] = request["CheckpointConfig"]["S3Uri"].rstrip("/")
    return uris


def is_uncompressed(request: Mapping[str, Any]) -> bool:
    """Whether files are uploaded as they are, and not as gzip tars."""
    return bool(request["OutputDataConfig"].get("CompressionType") == "NONE")


def facts(arn: str, region: str) -> opt_ml.TrainingFacts:
    """Facts of a job that no emulator runs: without credentials, and without a way to AWS's API."""
    return opt_ml.TrainingFacts(arn, region)


def _mounts(root: Path, request: Mapping[str, Any]) -> tuple[Mount, ...]:
    mounts = [Mount(root / part, f"/opt/ml/{part}") for part in opt_ml.MOUNTED]
    # The outer first: what lies in it is mounted with it.
    for local in sorted({PurePosixPath(path) for path in opt_ml.local_paths(request).values()}):
        if not any(local.is_relative_to(mount.target) for mount in mounts):
            mounts.append(Mount(root / opt_ml.local_folder(str(local)), str(local)))
    return tuple(mounts)


def _kept(cache: Path | None, host: str) -> tuple[Mount, ...]:
    return () if cache is None else (Mount(cache / host, opt_ml.WARM_POOL_CACHE),)
