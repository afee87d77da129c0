"""One training job for a check: its containers under the platform's /opt/ml, and how they ended."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samebox.check import hosts
from samebox.check.checks import LOG_BYTES, CannotCheck
from samebox.check.ended import HostOutput, HostResult
from samebox.check.hosts import EC2_NAME, Hosts
from samebox.containers.engine import ContainerSpec, Mount
from samebox.platform.pipes import Pipes, PipesUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from samebox.check.checks import Context
    from samebox.containers.engine import Engine

CHECKPOINTS = "/opt/ml/checkpoints"
SINGLE_CHANNEL = "training"
_BUCKET = "samebox-check"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class TrainingJob:
    """What a check asks for; whatever is left out is as SageMaker has it."""

    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    hosts: int = 1
    checkpoints: Path | None = None  # a folder that becomes /opt/ml/checkpoints; None: a job without CheckpointConfig
    pipe: bool = False  # TrainingInputMode Pipe
    # What departs from the platform, to find out what an image trips over:
    environment: Mapping[str, str] = field(default_factory=dict)
    hostname: str = EC2_NAME
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    without_argument: bool = False  # the image's own CMD in place of "train"
    only_documented_files: bool = False  # in /opt/ml/input/config
    read_only_model: bool = False
    read_only_root: bool = False  # with /opt/ml, /tmp and /dev/shm to write to
    prompt_pipes: bool = False  # the next epoch's pipe is there before the last one has ended
    memory_bytes: int | None = None


class RunningTraining(Hosts):
    """The hosts of a training job; `pipes` of the first, in Pipe mode."""

    def __init__(self, context: Context, job: TrainingJob) -> None:
        self._job = job
        self._feeding: list[Pipes] = []
        names = tuple(f"algo-{number}" for number in range(1, job.hosts + 1))
        super().__init__(context, names, self._spec, _left, "model")

    @property
    def pipes(self) -> Pipes | None:
        return self._feeding[0] if self._feeding else None

    def remove(self) -> None:
        for pipes in self._feeding:
            pipes.close()
        super().remove()

    def _spec(self, place: Path, host: str, network: str) -> ContainerSpec:
        job, context = self._job, self._context
        root = place / host
        assert context.options.workbench is not None
        assert context.subject.reference is not None
        channels = channels_of(context)
        prepared = context.options.workbench.training(root, _request(context, job, channels), host)
        if job.only_documented_files:
            _keep_documented(root / "input" / "config")
        mounts = [
            Mount(root / "input", "/opt/ml/input"),
            Mount(root / "model", "/opt/ml/model", job.read_only_model),
            Mount(root / "output", "/opt/ml/output"),
        ]
        if job.pipe:
            self._feed(root / "input" / "data", channels)
        else:
            mounts += _in_file_mode(root, channels)
        if job.checkpoints is not None:
            mounts.append(Mount(job.checkpoints, CHECKPOINTS))
        if job.read_only_root:
            if not any(file.path.startswith("/opt/ml/") and not file.is_folder for file in context.subject.files):
                mounts.insert(0, Mount(root, "/opt/ml"))
            mounts += hosts.writable_on_read_only_root(place)
        return ContainerSpec(
            image=context.subject.reference,
            command=None if job.without_argument else prepared.command,
            entrypoint=prepared.entrypoint,
            environment={**prepared.environment, **job.environment},
            labels=context.labels,
            mounts=tuple(mounts),
            user=job.user,
            hostname=job.hostname if job.hosts == 1 else hosts.name_of(host, job.hosts),
            extra_hosts=job.extra_hosts,
            network=network,
            aliases=(host,),
            memory_bytes=job.memory_bytes or hosts.memory_of(context, job.hosts),
            pids_limit=hosts.PIDS,
            log_bytes=LOG_BYTES,
            read_only_root=job.read_only_root,
        )

    def _feed(self, data: Path, channels: Mapping[str, Path]) -> None:
        try:
            pipes = Pipes(data, late=not self._job.prompt_pipes)
        except PipesUnavailable as error:
            raise CannotCheck(str(error)) from error
        self._feeding.append(pipes)
        for channel, folder in channels.items():
            pipes.add(channel, _epoch(self._context, folder))


@contextlib.contextmanager
def running(context: Context, job: TrainingJob) -> Iterator[RunningTraining]:
    """The job, started, or with a `start_error`; removed at the end of the block."""
    context.deadline.check()
    job = dataclasses.replace(job, hyperparameters={**context.options.hyperparameters, **job.hyperparameters})
    with hosts.kept(RunningTraining(context, job)) as started:
        yield started


def run(context: Context, job: TrainingJob, seconds: float) -> HostResult:
    """The job to its end, or to the end of `seconds`. Raises OutOfTime when the check's own time is over."""
    with running(context, job) as started:
        return hosts.to_the_end(context, started, seconds)


def channels_of(context: Context) -> dict[str, Path]:
    """--data: each folder in it is a channel; one that holds files is the channel `training`."""
    return hosts.folders_of(context, SINGLE_CHANNEL)


def _left(engine: Engine, container: str) -> HostOutput:
    return HostOutput(
        tuple(hosts.found(engine, container, "/opt/ml/model")),
        hosts.content(engine, container, "/opt/ml/output/failure"),
    )


def _request(context: Context, job: TrainingJob, channels: Mapping[str, Path]) -> dict[str, Any]:
    name = "samebox-check-2026-11-22-12-00-00-000"
    output = f"s3://{_BUCKET}/output"
    wrapped = {"RecordWrapperType": "RecordIO"} if job.pipe and context.options.record_io else {}
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": context.subject.reference,
            "TrainingInputMode": "Pipe" if job.pipe else "File",
        },
        "RoleArn": "arn:aws:iam::000000000000:role/samebox-check",
        "HyperParameters": dict(job.hyperparameters),
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{_BUCKET}/{channel}/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                **wrapped,
            }
            for channel in channels
        ],
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {
            "InstanceType": context.options.instance_type,
            "InstanceCount": job.hosts,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    }
    if not job.only_documented_files:
        # SageMaker's SDK puts this into every job; programs do not expect it.
        request["DebugHookConfig"] = {"S3OutputPath": output, "CollectionConfigurations": []}
        request["ProfilerConfig"] = {"S3OutputPath": output, "ProfilingIntervalInMilliseconds": 500}
    if job.checkpoints is not None:
        request["CheckpointConfig"] = {"S3Uri": f"s3://{_BUCKET}/checkpoints"}
    return request


def _keep_documented(folder: Path) -> None:
    documented = {"hyperparameters.json", "inputdataconfig.json", "resourceconfig.json", "checkpointconfig.json"}
    for path in folder.iterdir():
        if path.name not in documented:
            path.unlink()


def _in_file_mode(root: Path, channels: Mapping[str, Path]) -> Iterator[Mount]:
    """Copies, because a channel in File mode may be written to (contract §1.2.1)."""
    data = root / "input" / "data"
    for channel, folder in channels.items():
        lines = [f"{channel}/", *(f"s3://{_BUCKET}/{channel}/{file}" for file in hosts.files_in(folder))]
        (data / f"{channel}-manifest").write_text("".join(f"{line}\n" for line in lines))
        yield from hosts.given_folder(folder, data / channel, f"/opt/ml/input/data/{channel}")


def _epoch(context: Context, folder: Path) -> Callable[[], Iterator[bytes]]:
    """A channel's objects one after another, as one epoch's pipe gives them."""
    workbench = context.options.workbench
    assert workbench is not None

    def chunks() -> Iterator[bytes]:
        for file in hosts.files_in(folder):
            if context.options.record_io:
                yield workbench.record((folder / file).read_bytes())
                continue
            with (folder / file).open("rb") as opened:
                while chunk := opened.read(_CHUNK):
                    yield chunk

    return chunks
