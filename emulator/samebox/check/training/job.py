"""One training job for a check: its containers under the platform's /opt/ml, and how they ended."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from samebox.check import hosts
from samebox.check.checks import CannotCheck
from samebox.check.ended import HostOutput, HostResult
from samebox.check.hosts import Hosts
from samebox.containers.engine import Mount
from samebox.platform import training
from samebox.platform.container_files import content
from samebox.platform.pipes import Pipes, PipesUnavailable, epoch

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from samebox.check.checks import Context
    from samebox.containers.engine import Engine
    from samebox.platform.job import HostPlan, JobPlan, Placement

SINGLE_CHANNEL = "training"
_BUCKET = "samebox-check"
_DOCUMENTED = {
    f"input/config/{name}.json" for name in ("hyperparameters", "inputdataconfig", "resourceconfig", "checkpointconfig")
}


@dataclass(frozen=True)
class TrainingJob:
    """What a check asks for; whatever is left out is as SageMaker has it."""

    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    hosts: int = 1
    checkpoints: Path | None = None  # a folder that becomes /opt/ml/checkpoints; None: a job without CheckpointConfig
    pipe: bool = False  # TrainingInputMode Pipe
    # What departs from the platform, to find out what an image trips over:
    environment: Mapping[str, str] = field(default_factory=dict)
    hostname: str | None = None  # in place of an EC2 name
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
        super().__init__(context, partial(plan, context, job), _left, "model")

    @property
    def pipes(self) -> Pipes | None:
        return self._feeding[0] if self._feeding else None

    def remove(self) -> None:
        for pipes in self._feeding:
            pipes.close()
        super().remove()

    def fill(self, host: HostPlan) -> HostPlan:
        mounts = list(host.container.mounts)
        channels = channels_of(self._context)
        if self._job.pipe:
            self._feed(host.root / training.DATA_FOLDER, channels)
        else:
            mounts += _in_file_mode(host.root, channels)
        if self._job.read_only_root:
            mounts += hosts.writable_on_read_only_root(host.root)
        return replace(host, container=replace(host.container, mounts=tuple(mounts)))

    def _feed(self, data: Path, channels: Mapping[str, Path]) -> None:
        try:
            pipes = Pipes(data, late=not self._job.prompt_pipes)
        except PipesUnavailable as error:
            raise CannotCheck(str(error)) from error
        self._feeding.append(pipes)
        for channel, folder in channels.items():
            files = [folder / file for file in hosts.files_in(folder)]
            pipes.add(channel, partial(_epoch, files, self._context.options.record_io))


def plan(context: Context, job: TrainingJob, placement: Placement) -> JobPlan:
    """The platform's plan of the job, with what departs from it."""
    request = _request(context, job, channels_of(context))
    facts = training.facts(hosts.arn("training-job", request["TrainingJobName"]), hosts.REGION)
    limits = hosts.limits_of(context, job.hosts, job.memory_bytes)
    planned = training.plan(request, str(context.subject.reference), facts, placement, [limits])
    return replace(planned, hosts=tuple(_departing(host, context, job) for host in planned.hosts))


def _departing(host: HostPlan, context: Context, job: TrainingJob) -> HostPlan:
    spec, tree = host.container, host.tree
    sources = {"/opt/ml/checkpoints": job.checkpoints} if job.checkpoints is not None else {}
    mounts = [
        Mount(
            sources.get(one.target, one.source),
            one.target,
            one.read_only or (job.read_only_model and one.target == training.MODEL_DIRECTORY),
        )
        for one in spec.mounts
    ]
    if job.read_only_root and not any(
        file.path.startswith("/opt/ml/") and not file.is_folder for file in context.subject.files
    ):
        mounts.insert(0, Mount(host.root, "/opt/ml"))
    if job.only_documented_files:
        tree = replace(tree, files={name: content for name, content in tree.files.items() if name in _DOCUMENTED})
    container = replace(
        spec,
        command=None if job.without_argument else spec.command,
        environment={**spec.environment, **job.environment},
        mounts=tuple(mounts),
        user=job.user,
        hostname=job.hostname or spec.hostname,
        extra_hosts=job.extra_hosts,
        read_only_root=job.read_only_root,
    )
    return replace(host, tree=tree, container=container)


@contextlib.contextmanager
def running(context: Context, job: TrainingJob) -> Iterator[RunningTraining]:
    """The job, started, or with a `start_error`; removed at the end of the block."""
    context.deadline.check()
    job = replace(job, hyperparameters={**context.options.hyperparameters, **job.hyperparameters})
    with hosts.kept(RunningTraining(context, job)) as started:
        yield started


def run(context: Context, job: TrainingJob, seconds: float) -> HostResult:
    """The job to its end, or to the end of `seconds`. Raises OutOfTime when the check's own time is over."""
    with running(context, job) as started:
        return hosts.to_the_end(context, started, seconds)


def _epoch(files: Sequence[Path], record_io: bool, _number: int) -> Generator[bytes]:
    return epoch(files, record_io)


def channels_of(context: Context) -> dict[str, Path]:
    """--data: each folder in it is a channel; one that holds files is the channel `training`."""
    return hosts.folders_of(context, SINGLE_CHANNEL)


def _left(engine: Engine, container: str) -> HostOutput:
    return HostOutput(
        tuple(hosts.found(engine, container, training.MODEL_DIRECTORY)),
        content(engine, container, training.FAILURE_FILE),
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


def _in_file_mode(root: Path, channels: Mapping[str, Path]) -> Iterator[Mount]:
    """Copies, because a channel in File mode may be written to (contract §1.2.1)."""
    data = root / training.DATA_FOLDER
    for channel, folder in channels.items():
        lines = [f"{channel}/", *(f"s3://{_BUCKET}/{channel}/{file}" for file in hosts.files_in(folder))]
        (data / f"{channel}-manifest").write_text("".join(f"{line}\n" for line in lines))
        yield from hosts.given_folder(folder, data / channel, f"/opt/ml/input/data/{channel}")
