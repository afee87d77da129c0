"""One processing job for a check: its containers under /opt/ml/processing, and how they ended.

The command is the image's own ENTRYPOINT and CMD, or what is given as ContainerEntrypoint and ContainerArguments. Each
folder of --data is an input at /opt/ml/processing/input/<name>; files are the input at /opt/ml/processing/input itself.
The outputs are those of --output, or /opt/ml/processing/output.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samebox.check import hosts
from samebox.check.checks import LOG_BYTES
from samebox.check.ended import HostOutput, HostResult, LeftFile
from samebox.check.hosts import EC2_NAME, Hosts
from samebox.containers.engine import ContainerSpec, Mount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from samebox.check.checks import Context
    from samebox.containers.engine import Engine

ROOT = "/opt/ml/processing"
INPUT = f"{ROOT}/input"
OUTPUT = f"{ROOT}/output"
MESSAGE = "/opt/ml/output/message"
_BUCKET = "samebox-check"


@dataclass(frozen=True)
class ProcessingJob:
    """What a check asks for; whatever is left out is as SageMaker has it."""

    hosts: int = 1
    read_only_outputs: bool = False
    read_only_root: bool = False  # with /opt/ml, /tmp and /dev/shm to write to
    # What departs from the platform, to find out what an image trips over:
    environment: Mapping[str, str] = field(default_factory=dict)
    hostname: str = EC2_NAME
    user: str | None = None
    command: tuple[str, ...] | None = None
    training_files: bool = False  # /opt/ml/input and /opt/ml/model, which are of training jobs


class RunningProcessing(Hosts):
    """The hosts of a processing job."""

    def __init__(self, context: Context, job: ProcessingJob) -> None:
        self._job = job
        names = tuple(f"algo-{number}" for number in range(1, job.hosts + 1))
        super().__init__(context, names, self._spec, self._left, "output/data")

    def elsewhere(self, host: int = 0) -> tuple[LeftFile, ...]:
        """Files below /opt/ml that are in no output, and are lost therefore."""
        if self.start_error:
            return ()
        known = tuple(f"{path.removeprefix('/opt/ml/')}/" for path in (*outputs_of(self._context).values(), INPUT))
        found = hosts.found(self._engine, self.containers[host], "/opt/ml")
        given = {file.path for file in self._context.subject.files if file.path.startswith("/opt/ml/")}
        return tuple(
            file
            for file in found
            if not file.path.startswith((*known, "config/", "output/")) and f"/opt/ml/{file.path}" not in given
        )

    def _left(self, engine: Engine, container: str) -> HostOutput:
        files = tuple(
            LeftFile(f"{path}/{file.path}", file.size, file.link)
            for path in outputs_of(self._context).values()
            for file in hosts.found(engine, container, path)
        )
        return HostOutput(files, hosts.content(engine, container, MESSAGE), MESSAGE)

    def _spec(self, place: Path, host: str, network: str) -> ContainerSpec:
        job, context = self._job, self._context
        root = place / host
        assert context.options.workbench is not None
        assert context.subject.reference is not None
        request = _request(context, job)
        prepared = context.options.workbench.processing(root, request, host)
        mounts = []
        if job.read_only_root and not any(file.path.startswith("/opt/ml/") for file in context.subject.files):
            (root / "all").mkdir()
            mounts.append(Mount(root / "all", "/opt/ml"))
        mounts += [Mount(root / "config", "/opt/ml/config"), Mount(root / "output", "/opt/ml/output")]
        for name, folder in hosts.folders_of(context, "").items():
            copy = root / "inputs" / (name or "all")
            target = f"{INPUT}/{name}".rstrip("/")
            large = list(hosts.given_folder(folder, copy, target))
            mounts += large or [Mount(copy, target)]
        for name, path in outputs_of(context).items():
            mounts.append(Mount(root / "output" / "data" / name, path, job.read_only_outputs))
        if job.training_files:
            mounts += _of_training(context, root / "training", host)
        if job.read_only_root:
            mounts += hosts.writable_on_read_only_root(root)
        return ContainerSpec(
            image=context.subject.reference,
            command=job.command or prepared.command,
            entrypoint=prepared.entrypoint,
            environment={**prepared.environment, **job.environment},
            labels=context.labels,
            mounts=tuple(mounts),
            user=job.user,
            hostname=job.hostname if job.hosts == 1 else hosts.name_of(host, job.hosts),
            network=network,
            aliases=(host,),
            memory_bytes=hosts.memory_of(context, job.hosts),
            pids_limit=hosts.PIDS,
            log_bytes=LOG_BYTES,
            read_only_root=job.read_only_root,
        )


@contextlib.contextmanager
def running(context: Context, job: ProcessingJob) -> Iterator[RunningProcessing]:
    """The job, started, or with a `start_error`; removed at the end of the block."""
    context.deadline.check()
    with hosts.kept(RunningProcessing(context, job)) as started:
        yield started


def run(context: Context, job: ProcessingJob, seconds: float) -> HostResult:
    """The job to its end, or to the end of `seconds`. Raises OutOfTime when the check's own time is over."""
    with running(context, job) as started:
        return hosts.to_the_end(context, started, seconds)


def outputs_of(context: Context) -> dict[str, str]:
    """OutputName -> LocalPath."""
    return {f"output-{number}": path for number, path in enumerate(context.options.outputs or (OUTPUT,), 1)}


def _request(context: Context, job: ProcessingJob) -> dict[str, Any]:
    given = {
        "ContainerEntrypoint": list(context.options.entrypoint),
        "ContainerArguments": list(context.options.arguments),
    }
    return {
        "ProcessingJobName": "samebox-check-2026-11-22-12-00-00-000",
        "AppSpecification": {
            "ImageUri": context.subject.reference,
            **{name: words for name, words in given.items() if words},
        },
        "ProcessingInputs": [
            {
                "InputName": name or "input",
                "S3Input": {
                    "LocalPath": f"{INPUT}/{name}".rstrip("/"),
                    "S3Uri": f"s3://{_BUCKET}/{name or 'input'}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for name in hosts.folders_of(context, "")
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": name,
                    "S3Output": {"LocalPath": path, "S3Uri": f"s3://{_BUCKET}/{name}", "S3UploadMode": "EndOfJob"},
                }
                for name, path in outputs_of(context).items()
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": job.hosts,
                "InstanceType": context.options.instance_type,
                "VolumeSizeInGB": 30,
            }
        },
        "RoleArn": "arn:aws:iam::000000000000:role/samebox-check",
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    }


def _of_training(context: Context, root: Path, host: str) -> Iterator[Mount]:
    assert context.options.workbench is not None
    request = {
        "TrainingJobName": "samebox-check",
        "AlgorithmSpecification": {"TrainingImage": context.subject.reference, "TrainingInputMode": "File"},
        "HyperParameters": dict(context.options.hyperparameters),
        "ResourceConfig": {
            "InstanceType": context.options.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
    }
    context.options.workbench.training(root, request, host)
    for name, folder in hosts.folders_of(context, "training").items():
        yield from hosts.given_folder(folder, root / "input" / "data" / name, f"/opt/ml/input/data/{name}")
    yield Mount(root / "input", "/opt/ml/input")
    yield Mount(root / "model", "/opt/ml/model")
