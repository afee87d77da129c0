"""Training jobs: the plan of one, and what they have that other container jobs have not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL
from samebox.containers.instances import Limits
from samebox.data import opt_ml
from samebox.jobs import attempts, package_cache, warm_pools
from samebox.jobs.job_type import Instances, JobType, SecondsMembers, Stages
from samebox.jobs.plan import (
    ArtifactUpload,
    EmulatorInfo,
    FileSystem,
    FolderUpload,
    Inputs,
    MessageFile,
    MirrorPlan,
    Plan,
    SpotPlan,
    host_limits,
    job_folder,
    keys_of,
    layout_of,
    log_stream,
    surroundings_of,
)
from samebox.platform import training
from samebox.platform.job import Placement
from samebox.resources import spot_tags
from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.outcome import TRAINING_ENDINGS
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Resource
from samebox.resources.unique_id import credentials_id, unique_id
from samebox.settings import Settings, list_of_seconds

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
# StoppingCondition's defaults, SM:StoppingCondition.
MAX_RUNTIME_SECONDS = 86_400


def plan(resource: Resource, limits: Sequence[Limits], emulator: EmulatorInfo) -> Plan:
    """The plan of a training job; `limits` are of each instance group. Pure."""
    request, own = resource.spec, unique_id(resource)
    root = job_folder(emulator.data_dir, resource)
    isolated = bool(request.get("EnableNetworkIsolation"))
    pool = warm_pools.identity_of(resource)
    image, limit = job_facts(resource).resolved_image, emulator.settings.package_cache_bytes
    packages = None if isolated else package_cache.of(emulator.data_dir, resource.account, image, limit)
    labels = {INSTANCE_LABEL: emulator.label, ARN_LABEL: resource.arn}
    job = training.plan(
        request,
        image,
        _facts(resource, emulator, isolated),
        Placement(root, own, f"samebox-{resource.name}", labels),
        [host_limits(one, emulator.settings) for one in limits],
        surroundings_of(
            emulator,
            isolated,
            [host.name for host in opt_ml.hosts(request)],
            packages,
            keys_of(emulator, resource, request.get("RoleArn"), request.get("Environment") or {}),
        ),
        warm_pools.folder(emulator.data_dir) / pool if pool else None,
    )
    volume = request["ResourceConfig"].get("VolumeSizeInGB")
    return Plan(
        arn=resource.arn,
        root=root,
        job=job,
        inputs=_inputs(request, emulator.settings),
        volume_bytes=volume * 1024**3 if volume else None,
        uploads=_uploads(request, resource.name),
        uploaded={"ModelArtifacts": {"S3ModelArtifacts": training.model_uri(request, resource.name)}},
        message_file=MessageFile(training.FAILURE_FILE),
        log_group=LOG_GROUP,
        log_streams={host.name: log_stream(resource, host.name) for host in job.hosts},
        stop_seconds=emulator.settings.training_stop_seconds,
        max_runtime_seconds=(request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds") or MAX_RUNTIME_SECONDS,
        warning=" ".join(dict.fromkeys(one.warning for one in limits if one.warning)) or None,
        metrics_seconds=emulator.settings.host_metrics_seconds,
        stand_ins=job_facts(resource).stand_ins,
        metrics=tuple(request["AlgorithmSpecification"].get("MetricDefinitions") or ()),
        packages=packages,
        mirrors=_mirrors(request, resource.name, emulator.settings),
        spot=_spot(resource, emulator.settings),
    )


def _uploads(request: Mapping[str, Any], name: str) -> tuple[ArtifactUpload | FolderUpload, ...]:
    model, output = training.model_uri(request, name), training.output_uri(request, name)
    if training.is_uncompressed(request):
        # Where the second goes is not known (contract §1.8).
        return (
            FolderUpload(training.MODEL_DIRECTORY, model),
            FolderUpload(training.OUTPUT_DIRECTORY, f"{output}/data"),
        )
    return (
        ArtifactUpload(training.MODEL_DIRECTORY, model),
        ArtifactUpload(training.OUTPUT_DIRECTORY, f"{output}/output.tar.gz"),
    )


def _mirrors(request: Mapping[str, Any], name: str, settings: Settings) -> tuple[MirrorPlan, ...]:
    uris = training.mirror_uris(request, name)
    return tuple(
        MirrorPlan(
            name=kind,
            uri=uris[kind],
            folder=opt_ml.local_folder(path),
            directory=path,
            seconds=settings.checkpoint_seconds,
            restored_from=request["CheckpointConfig"]["S3Uri"] if kind == "checkpoints" else "",
            unfinished="" if kind == "checkpoints" else training.UNFINISHED,
        )
        for kind, path in opt_ml.local_paths(request).items()
        if kind in uris
    )


def _interruptions(resource: Resource, settings: Settings) -> tuple[float, ...]:
    tagged = resource.tags.get(spot_tags.AFTER_TAG)
    if tagged is None:
        return settings.spot_interruptions
    try:
        return list_of_seconds(tagged)
    except ValueError:  # a tag from before such tags were refused: as then, it interrupts nothing
        return ()


def _spot(resource: Resource, settings: Settings) -> SpotPlan | None:
    request = resource.spec
    if not request.get("EnableManagedSpotTraining"):
        return None
    return SpotPlan(
        max_wait_seconds=request["StoppingCondition"]["MaxWaitTimeInSeconds"],
        capacity_seconds=settings.spot_capacity_seconds,
        interrupt_after=_interruptions(resource, settings),
        interrupt_at=resource.tags.get(spot_tags.AT_TAG, ""),
        savings_percent=attempts.savings_percent(request, settings),
    )


def _inputs(request: Mapping[str, Any], settings: Settings) -> Inputs:
    files, pipes, fast, file_systems = [], [], set(), []
    for channel in request.get("InputDataConfig") or ():
        mode, name = opt_ml.input_mode(channel, request), channel["ChannelName"]
        if (source := channel["DataSource"].get("FileSystemDataSource")) is not None:
            # An id that the settings have no folder for any more is a folder that is not there.
            root = settings.file_system_folders.get(source["FileSystemId"], Path("/nonexistent"))
            is_read_only = source["FileSystemAccessMode"] == "ro"
            file_systems.append(FileSystem(name, root, source["DirectoryPath"], is_read_only))
        elif mode == "Pipe":
            pipes.append(channel)
        else:
            files.append(channel)
            if mode == "FastFile":
                fast.add(name)
    return Inputs(
        tuple(files),
        training.DATA_FOLDER,
        pipes=tuple(pipes),
        pipe_paths=tuple(f"{training.DATA_FOLDER}/{channel['ChannelName']}" for channel in pipes),
        fast=frozenset(fast),
        fast_manifests=settings.fast_file_manifests,
        file_systems=tuple(file_systems),
        layout=layout_of(settings),
    )


def _facts(resource: Resource, emulator: EmulatorInfo, isolated: bool) -> opt_ml.TrainingFacts:
    own = credentials_id(resource, emulator.secret) if emulator.credentials and not isolated else None  # §1.4.5
    return opt_ml.TrainingFacts(
        arn=resource.arn,
        region=resource.region,
        credentials_path=f"/v2/credentials/{own}" if own else None,
        metadata_id=own,
        endpoint_url=emulator.endpoint_url,
        in_warm_pool=warm_pools.identity_of(resource) is not None,
        fast_file=emulator.settings.fast_file_shown_as,
    )


def _instances(request: Mapping[str, Any]) -> Sequence[Instances]:
    resources = request["ResourceConfig"]
    groups = resources.get("InstanceGroups") or [resources]
    return [Instances(group["InstanceType"], group["InstanceCount"]) for group in groups]


TRAINING = JobType(
    kind=TRAINING_JOB,
    stages=Stages("Downloading", "Training", "Uploading", pulling="Downloading the training image"),
    endings=TRAINING_ENDINGS,
    instances=_instances,
    plan=plan,
    began="TrainingStartTime",
    ended="TrainingEndTime",
    seconds=SecondsMembers("TrainingTimeInSeconds", "BillableTimeInSeconds"),
)
