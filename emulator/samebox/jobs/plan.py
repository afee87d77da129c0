"""Plans: what a training job comes to, decided before anything is done. Same row, same plan, after a restart too.

Names, folders and ids are made from the job's ARN and its creation time, so that whoever goes on after a crash finds
the container and the files of the one who began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, ContainerSpec, Mount
from samebox.containers.instances import Limits
from samebox.data import opt_ml
from samebox.jobs import package_cache, surroundings
from samebox.jobs.package_cache import Cache
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Resource
from samebox.resources.unique_id import credentials_id, unique_id
from samebox.settings import Settings

TRAINING_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
MODEL_DIRECTORY = "/opt/ml/model"
OUTPUT_DIRECTORY = "/opt/ml/output/data"
FAILURE_FILE = "/opt/ml/output/failure"
# StoppingCondition's defaults, SM:StoppingCondition.
MAX_RUNTIME_SECONDS = 86_400


@dataclass(frozen=True)
class EmulatorInfo:
    """What is the same for all work of one emulator. `label` is the id of its data directory, `secret` its secret.

    `credentials` says that somebody answers at 169.254.170.2 for containers on `network`; `endpoint_url` is where
    containers on it reach this emulator, None if they cannot.
    """

    data_dir: Path
    label: str
    settings: Settings
    secret: bytes = field(repr=False)
    credentials: bool = False
    network: str = "bridge"
    endpoint_url: str | None = None


@dataclass(frozen=True)
class Upload:
    """A directory of the container that becomes a gzip tar in S3, if there is anything in it (contract.md §1.8)."""

    source: str
    uri: str


@dataclass(frozen=True)
class Plan:
    """A training job on one host."""

    arn: str
    name: str
    root: Path  # becomes /opt/ml, piece by piece
    request: Mapping[str, Any]
    facts: opt_ml.TrainingFacts
    host: opt_ml.Host
    container: ContainerSpec
    volume_bytes: int | None
    uploads: tuple[Upload, ...]
    log_stream: str
    stop_seconds: float
    max_runtime_seconds: float
    warning: str | None  # for the person who asked for a larger machine than this one
    packages: Cache | None = None

    @property
    def channels(self) -> tuple[Mapping[str, Any], ...]:
        """InputDataConfig."""
        return tuple(self.request.get("InputDataConfig") or ())

    @property
    def labels(self) -> Mapping[str, str]:
        """By these the container is found again."""
        return self.container.labels

    @property
    def model_uri(self) -> str:
        """ModelArtifacts.S3ModelArtifacts."""
        return self.uploads[0].uri


def log_stream(resource: Resource, host: str = "algo-1") -> str:
    """`<job>/algo-1-<epoch>`; in seconds, as the documentation's text has it (contract.md §1.9)."""
    return f"{resource.name}/{host}-{int(resource.created)}"


def jobs_folder(data_dir: Path) -> Path:
    """Where all jobs' folders are."""
    return data_dir / "jobs"


def training(resource: Resource, limits: Limits, emulator: EmulatorInfo) -> Plan:
    """The plan of a training job. Pure."""
    request, own = resource.spec, unique_id(resource)
    root = jobs_folder(emulator.data_dir) / own[:16]
    isolated = bool(request.get("EnableNetworkIsolation"))
    with_credentials = emulator.credentials and not isolated  # contract.md §1.4.5
    own_credentials = credentials_id(resource, emulator.secret)
    facts = opt_ml.TrainingFacts(
        arn=resource.arn,
        region=resource.region,
        has_gpu=limits.gpus > 0,
        credentials_path=f"/v2/credentials/{own_credentials}" if with_credentials else None,
        metadata_id=own_credentials if with_credentials else None,
        endpoint_url=emulator.endpoint_url,
    )
    (host,) = opt_ml.hosts(request)
    command = opt_ml.command(request)
    image, limit = job_facts(resource).resolved_image, emulator.settings.package_cache_bytes
    packages = None if isolated else package_cache.of(emulator.data_dir, resource.account, image, limit)
    container = ContainerSpec(
        image=image,
        name=f"samebox-{resource.name}-{host.name}-{own[:8]}",
        command=command.command,
        entrypoint=command.entrypoint,
        environment={
            **({} if isolated else surroundings.variables(emulator.settings)),
            **package_cache.variables(packages),
            **opt_ml.environment(request, facts),
        },
        labels={INSTANCE_LABEL: emulator.label, ARN_LABEL: resource.arn},
        mounts=(*_mounts(root, request), *(() if isolated else surroundings.mounts(emulator.settings))),
        # The host has an EC2 name; algo-1 is only what others call it (contract.md §1.1).
        hostname=ec2_name(own),
        extra_hosts={host.name: "127.0.0.1"},
        network="none" if isolated else emulator.network,
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        gpus=limits.gpus,
        shm_bytes=emulator.settings.shm_bytes or None,
        pids_limit=emulator.settings.pids_limit or None,
        log_bytes=emulator.settings.log_bytes or None,
    )
    output = f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{resource.name}/output"
    volume = request["ResourceConfig"].get("VolumeSizeInGB")
    return Plan(
        arn=resource.arn,
        name=resource.name,
        root=root,
        request=request,
        facts=facts,
        host=host,
        container=container,
        volume_bytes=volume * 1024**3 if volume else None,
        uploads=(
            Upload(MODEL_DIRECTORY, f"{output}/model.tar.gz"),
            Upload(OUTPUT_DIRECTORY, f"{output}/output.tar.gz"),
        ),
        log_stream=log_stream(resource, host.name),
        stop_seconds=emulator.settings.training_stop_seconds,
        max_runtime_seconds=(request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds") or MAX_RUNTIME_SECONDS,
        warning=limits.warning,
        packages=packages,
    )


def ec2_name(own: str) -> str:
    """A host name as EC2 gives them, from an identity."""
    numbers = (str(int(own[place : place + 2], 16)) for place in (0, 2, 4))
    return f"ip-10-{'-'.join(numbers)}.ec2.internal"


def _mounts(root: Path, request: Mapping[str, Any]) -> tuple[Mount, ...]:
    # Piece by piece, so that the image's /opt/ml/code survives (contract.md §1.1).
    mounts = [Mount(root / part, f"/opt/ml/{part}") for part in ("input", "model", "output")]
    if "CheckpointConfig" in request:
        local = PurePosixPath(request["CheckpointConfig"].get("LocalPath") or opt_ml.CHECKPOINTS)
        if not any(local.is_relative_to(mount.target) for mount in mounts):
            inside = local.is_relative_to("/opt/ml")
            source = root / local.relative_to("/opt/ml") if inside else root / "checkpoints"
            mounts.append(Mount(source, str(local)))
    return tuple(mounts)
