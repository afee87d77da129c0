"""One processing job for a check: its containers under /opt/ml/processing, and how they ended.

The command is the image's own ENTRYPOINT and CMD, or what is given as ContainerEntrypoint and ContainerArguments. Each
folder of --data is an input at /opt/ml/processing/input/<name>; files are the input at /opt/ml/processing/input itself.
The outputs are those of --output, or /opt/ml/processing/output.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from samebox.check import hosts
from samebox.check.ended import HostOutput, HostResult, LeftFile
from samebox.check.hosts import Hosts
from samebox.containers.engine import Mount
from samebox.platform import processing, training
from samebox.platform.container_files import content
from samebox.platform.hosts import prepare
from samebox.platform.job import HostLimits, Placement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from samebox.check.checks import Context
    from samebox.containers.engine import Engine
    from samebox.platform.job import HostPlan, JobPlan

ROOT = "/opt/ml/processing"
INPUT = f"{ROOT}/input"
OUTPUT = f"{ROOT}/output"
_BUCKET = "samebox-check"


@dataclass(frozen=True)
class ProcessingJob:
    """What a check asks for; whatever is left out is as SageMaker has it."""

    hosts: int = 1
    read_only_outputs: bool = False
    read_only_root: bool = False  # with /opt/ml, /tmp and /dev/shm to write to
    # What departs from the platform, to find out what an image trips over:
    environment: Mapping[str, str] = field(default_factory=dict)
    hostname: str | None = None  # in place of an EC2 name
    user: str | None = None
    command: tuple[str, ...] | None = None
    training_files: bool = False  # /opt/ml/input and /opt/ml/model, which are of training jobs


class RunningProcessing(Hosts):
    """The hosts of a processing job."""

    def __init__(self, context: Context, job: ProcessingJob) -> None:
        self._job = job
        super().__init__(context, partial(plan, context, job), self._left, processing.OUTPUTS_FOLDER)

    def fill(self, host: HostPlan) -> HostPlan:
        mounts = {mount.target: mount for mount in host.container.mounts}
        for name, folder in hosts.folders_of(self._context, "").items():
            target = f"{INPUT}/{name}".rstrip("/")
            # One that is too large for a copy is mounted itself.
            for mount in hosts.given_folder(folder, mounts[target].source, target):
                mounts[target] = mount
        more = list(mounts.values())
        if self._job.training_files:
            more += _of_training(self._context, host.root / "training")
        if self._job.read_only_root:
            more += hosts.writable_on_read_only_root(host.root)
        return replace(host, container=replace(host.container, mounts=tuple(more)))

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
        return HostOutput(files, content(engine, container, processing.MESSAGE_FILE), processing.MESSAGE_FILE)


def plan(context: Context, job: ProcessingJob, placement: Placement) -> JobPlan:
    """The platform's plan of the job, with what departs from it."""
    request = _request(context, job)
    facts = processing.facts(hosts.arn("processing-job", request["ProcessingJobName"]), hosts.REGION)
    limits = hosts.limits_of(context, job.hosts)
    planned = processing.plan(request, context.subject.reference or "", facts, placement, limits)
    return replace(planned, hosts=tuple(_departing(host, context, job) for host in planned.hosts))


def _departing(host: HostPlan, context: Context, job: ProcessingJob) -> HostPlan:
    spec, outputs = host.container, outputs_of(context).values()
    mounts = [
        Mount(one.source, one.target, one.read_only or (job.read_only_outputs and one.target in outputs))
        for one in spec.mounts
    ]
    if job.read_only_root and not any(file.path.startswith("/opt/ml/") for file in context.subject.files):
        mounts.insert(0, Mount(host.root / "all", "/opt/ml"))
    container = replace(
        spec,
        command=job.command or spec.command,
        environment={**spec.environment, **job.environment},
        mounts=tuple(mounts),
        user=job.user,
        hostname=job.hostname or spec.hostname,
        read_only_root=job.read_only_root,
    )
    return replace(host, container=container)


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


def _of_training(context: Context, root: Path) -> Iterator[Mount]:
    """The folders of a training job beside those of the processing job, on one host."""
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
    facts = training.facts(hosts.arn("training-job", "samebox-check"), hosts.REGION)
    placement = Placement(root, uuid.uuid4().hex, "samebox-check", context.labels)
    (host,) = training.plan(request, "", facts, placement, [HostLimits()]).hosts
    prepare(host)
    for name, folder in hosts.folders_of(context, "training").items():
        copy = host.root / training.DATA_FOLDER / name
        yield from hosts.given_folder(folder, copy, f"/opt/ml/input/data/{name}")
    yield from (mount for mount in host.container.mounts if mount.target in ("/opt/ml/input", "/opt/ml/model"))
