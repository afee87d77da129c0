"""Transform jobs: the plan of one, and what they have that other container jobs have not (contract.md §3)."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
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
from samebox.jobs.transform_instance import DATA_LOG, TransformWork
from samebox.jobs.transform_run import TransformRun
from samebox.platform import transform
from samebox.platform.job import Placement
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
    root, settings = job_folder(emulator.data_dir, resource), emulator.settings
    isolated, url = model.enable_network_isolation, model.container.model_data_url
    facts = opt_ml.ModelFacts(
        region=resource.region,
        has_gpu=limits.gpus > 0,
        credentials_path=credentials_path(resource, emulator, isolated) if model.execution_role_arn else None,
        endpoint_url=emulator.endpoint_url,
    )
    folder, definition = root / "model", {"Environment": model.container.environment}
    labels = {INSTANCE_LABEL: emulator.label, ARN_LABEL: resource.arn}
    job = transform.plan(
        request,
        definition,
        model.container.resolved_image,
        facts,
        Placement(root, own, f"samebox-{resource.name}", labels),
        host_limits(limits, settings),
        folder if url else None,
        isolated,
        surroundings_of(
            emulator,
            isolated,
            keys=keys_of(emulator, resource, model.execution_role_arn, transform.environment(request, definition)),
        ),
    )
    streams = {host.name: _stream(resource, host.name) for host in job.hosts}
    data_logs = {f"{name}/{DATA_LOG}": f"{stream}/{DATA_LOG}" for name, stream in streams.items()}
    return Plan(
        arn=resource.arn,
        root=root,
        job=job,
        inputs=Inputs((), ""),
        model=ModelDownload(url, folder) if url else None,
        volume_bytes=None,
        uploads=(),
        uploaded={},
        message_file=None,
        log_group=LOG_GROUP,
        log_streams={**streams, **data_logs},
        stop_seconds=settings.serving_stop_seconds,
        max_runtime_seconds=_WITHOUT_END,
        warning=limits.warning,
        metrics_seconds=emulator.settings.host_metrics_seconds,
        stand_in=model.container.stand_in,
        startup_seconds=settings.transform_startup_seconds,
        retries_client_errors=settings.transform_retries_client_errors,
    )


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
    work = TransformWork(resource.spec, found.root, found.startup_seconds, found.retries_client_errors, capture)
    return TransformRun(work, deps, containers, deps.wake.notify)


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
