"""Processing jobs: the plan of one, and what they have that other container jobs have not."""

from collections.abc import Mapping, Sequence
from typing import Any

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL
from samebox.containers.instances import Limits
from samebox.data import processing as data
from samebox.jobs.job_type import Instances, JobType, Stages
from samebox.jobs.plan import (
    EmulatorInfo,
    FolderUpload,
    Inputs,
    MessageFile,
    Plan,
    credentials_path,
    host_limits,
    job_folder,
    keys_of,
    layout_of,
    log_stream,
    surroundings_of,
)
from samebox.platform import processing
from samebox.platform.job import Placement
from samebox.resources.kinds import PROCESSING_JOB
from samebox.resources.outcome import PROCESSING_ENDINGS
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Resource
from samebox.resources.unique_id import unique_id

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


def plan(resource: Resource, groups: Sequence[Limits], emulator: EmulatorInfo) -> Plan:
    """The plan of a processing job. Pure."""
    (limits,) = groups
    request, own = resource.spec, unique_id(resource)
    root, isolated = job_folder(emulator.data_dir, resource), data.is_isolated(request)
    facts = data.ProcessingFacts(
        arn=resource.arn,
        region=resource.region,
        credentials_path=credentials_path(resource, emulator, isolated),
        endpoint_url=emulator.endpoint_url,
    )
    labels = {INSTANCE_LABEL: emulator.label, ARN_LABEL: resource.arn}
    job = processing.plan(
        request,
        job_facts(resource).resolved_image,
        facts,
        Placement(root, own, f"samebox-{resource.name}", labels),
        host_limits(limits, emulator.settings),
        surroundings_of(
            emulator,
            isolated,
            data.hosts(request),
            keys=keys_of(emulator, resource, request.get("RoleArn"), request.get("Environment") or {}),
        ),
    )
    inputs, pipes = data.inputs(request), data.pipes(request)
    return Plan(
        arn=resource.arn,
        root=root,
        job=job,
        inputs=Inputs(
            channels=tuple(_channel(one) for one in inputs),
            folder=processing.INPUTS_FOLDER,
            folders=tuple(processing.input_folder(number) for number in range(1, len(inputs) + 1)),
            pipes=tuple(_channel(one) for one in pipes),
            pipe_paths=tuple(f"{processing.PIPES_FOLDER}/{processing.pipe_path(one)}" for one in pipes),
            layout=layout_of(emulator.settings),
        ),
        volume_bytes=request["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] * 1024**3,
        uploads=tuple(_upload(one) for one in data.outputs(request)),
        uploaded={},
        message_file=MessageFile(processing.MESSAGE_FILE, "ExitMessage"),
        log_group=LOG_GROUP,
        log_streams={host.name: log_stream(resource, host.name) for host in job.hosts},
        stop_seconds=emulator.settings.processing_stop_seconds,
        stop_signal=emulator.settings.processing_stop_signal,
        max_runtime_seconds=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", data.MOST_SECONDS),
        warning=limits.warning,
        metrics_seconds=emulator.settings.host_metrics_seconds,
        stand_ins=job_facts(resource).stand_ins,
        upload_seconds=emulator.settings.processing_upload_seconds,
    )


def _channel(one: Mapping[str, Any]) -> dict[str, Any]:
    """An input as the channel of a training job that has the same files, or sends the same bytes."""
    source = one["S3Input"]
    kept = ("S3Uri", "S3DataType", "S3DataDistributionType")
    compression = {"CompressionType": source["S3CompressionType"]} if "S3CompressionType" in source else {}
    return {
        "ChannelName": one["InputName"],
        "DataSource": {"S3DataSource": {member: source[member] for member in kept if member in source}},
        **compression,
    }


def _upload(one: Mapping[str, Any]) -> FolderUpload:
    output = one["S3Output"]
    return FolderUpload(output["LocalPath"], output["S3Uri"], output["S3UploadMode"] == "Continuous")


def _instances(request: Mapping[str, Any]) -> Sequence[Instances]:
    cluster = request["ProcessingResources"]["ClusterConfig"]
    return [Instances(cluster["InstanceType"], cluster["InstanceCount"])]


PROCESSING = JobType(
    kind=PROCESSING_JOB,
    stages=Stages("InProgress", "InProgress", "InProgress", pulling="Downloading the processing image"),
    endings=PROCESSING_ENDINGS,
    instances=_instances,
    plan=plan,
    began="ProcessingStartTime",
    ended="ProcessingEndTime",
)
