"""Transform jobs: the plan of one, and what they have that other container jobs have not (contract.md §3)."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL
from samebox.containers.instances import Limits
from samebox.data import opt_ml
from samebox.jobs import hosting
from samebox.jobs.job_type import Instances, JobType, Stages
from samebox.jobs.phases import JobDependencies
from samebox.jobs.plan import (
    EmulatorInfo,
    Inputs,
    ModelDownload,
    Plan,
    credentials_path,
    host_limits,
    job_folder,
    keys_of,
    surroundings_of,
)
from samebox.jobs.transform_instance import DATA_LOG, RunningModel, TransformWork
from samebox.jobs.transform_run import TransformRun
from samebox.platform import transform
from samebox.platform.job import Placement
from samebox.platform.pipelines import PipelinePlace
from samebox.platform.transform import ModelContainer
from samebox.resources.deployment import ServedContainer
from samebox.resources.kinds import TRANSFORM_JOB
from samebox.resources.outcome import TRANSFORM_ENDINGS
from samebox.resources.run_facts import ServedModel, job_facts
from samebox.resources.store import Resource
from samebox.resources.unique_id import unique_id

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_WITHOUT_END = float("inf")  # a transform job has no StoppingCondition


def plan(resource: Resource, groups: Sequence[Limits], emulator: EmulatorInfo) -> Plan:
    """The plan of a transform job. Pure."""
    (limits,) = groups
    request, own, model = resource.spec, unique_id(resource), _model(resource)
    root, settings, isolated = (
        job_folder(emulator.data_dir, resource),
        emulator.settings,
        model.enable_network_isolation,
    )
    facts = opt_ml.ModelFacts(
        region=resource.region,
        has_gpu=limits.gpus > 0,
        credentials_path=credentials_path(resource, emulator, isolated) if model.execution_role_arn else None,
        endpoint_url=emulator.endpoint_url,
    )
    labels = {INSTANCE_LABEL: emulator.label, ARN_LABEL: resource.arn}
    containers = _containers(resource, model, root, emulator)
    job = transform.plan(
        request,
        containers,
        facts,
        Placement(root, own, f"samebox-{resource.name}", labels),
        host_limits(limits, settings),
        isolated,
    )
    urls = [one.model_data_url for one in model.containers]
    return Plan(
        arn=resource.arn,
        root=root,
        job=job,
        inputs=Inputs((), ""),
        models=tuple(
            ModelDownload(url, one.model) for url, one in zip(urls, containers, strict=True) if url and one.model
        ),
        volume_bytes=None,
        uploads=(),
        uploaded={},
        message_file=None,
        log_group=LOG_GROUP,
        log_streams=_log_streams(resource, [one.place for one in containers]),
        stop_seconds=settings.serving_stop_seconds,
        max_runtime_seconds=_WITHOUT_END,
        warning=limits.warning,
        metrics_seconds=emulator.settings.host_metrics_seconds,
        stand_ins=job_facts(resource).stand_ins,
        startup_seconds=settings.transform_startup_seconds,
        retries_client_errors=settings.transform_retries_client_errors,
        pipeline_bytes=settings.pipeline_payload_mb * transform.MEGABYTE,
        line_ends=settings.transform_line_ends,
        whole_keys=settings.transform_output_keys == "whole",
    )


def _containers(
    resource: Resource, model: ServedModel, root: Path, emulator: EmulatorInfo
) -> tuple[ModelContainer, ...]:
    isolated, role = model.enable_network_isolation, model.execution_role_arn

    def planned(place: PipelinePlace, given: ServedContainer) -> ModelContainer:
        definition = {"Environment": given.environment}
        environment = transform.environment(resource.spec, definition)
        around = surroundings_of(emulator, isolated, keys=keys_of(emulator, resource, role, environment))
        folder = root / (f"model-{place.number}" if place.name else "model")
        return ModelContainer(place, definition, given.resolved_image, folder if given.model_data_url else None, around)

    return tuple(map(planned, places(model), model.containers))


def places(model: ServedModel) -> tuple[PipelinePlace, ...]:
    """The places of a model's containers."""
    return PipelinePlace.all([one.container_hostname for one in model.containers])


def _log_streams(resource: Resource, of_model: Sequence[PipelinePlace]) -> Mapping[str, str]:
    """Those of the containers, and those with the platform's own lines (contract.md §3.5)."""
    found: dict[str, str] = {}
    for instance in transform.instances(resource.spec):
        stream = _stream(resource, instance)
        found |= {one.host(instance): f"{stream}/{one.name}" if one.name else stream for one in of_model}
    data_logs = {
        f"{instance}/{DATA_LOG}": f"{_stream(resource, instance)}/{DATA_LOG}"
        for instance in transform.instances(resource.spec)
    }
    return {**found, **data_logs}


def _model(resource: Resource) -> ServedModel:
    model = job_facts(resource).model
    if model is None:
        raise LookupError(f"{resource.arn} has no model")
    return model


def _stream(resource: Resource, host: str) -> str:
    instance = hosting.instance_id(f"{unique_id(resource)} {host}")
    return f"{resource.name}/{instance}-{int(resource.created)}"


def _instances(request: Mapping[str, Any]) -> Sequence[Instances]:
    resources = request["TransformResources"]
    return [Instances(resources["InstanceType"], resources["InstanceCount"])]


def _work(resource: Resource, found: Plan, deps: JobDependencies, containers: Mapping[str, str]) -> TransformRun:
    hour = datetime.fromtimestamp(resource.created, UTC).strftime("%Y/%m/%d/%H")
    capture = f"{hour}/{uuid.UUID(unique_id(resource)[:32])}.json"
    of_model = places(_model(resource))
    work = TransformWork(
        resource.spec,
        found.root,
        found.startup_seconds,
        found.retries_client_errors,
        found.pipeline_bytes,
        capture,
        float(resource.state["TransformStartTime"]),
        found.line_ends,
        found.whole_keys,
    )
    servers = {
        instance: [RunningModel(one, one.host(instance), containers[one.host(instance)]) for one in of_model]
        for instance in transform.instances(resource.spec)
    }
    return TransformRun(work, deps, servers, deps.wake.notify)


TRANSFORM = JobType(
    kind=TRANSFORM_JOB,
    stages=Stages("InProgress", "InProgress", "InProgress", pulling="Downloading the model's image"),
    endings=TRANSFORM_ENDINGS,
    instances=_instances,
    plan=plan,
    began="TransformStartTime",
    ended="TransformEndTime",
    work=_work,
)
