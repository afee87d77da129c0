"""What UpdateTrainingJob may change of a training job, and when. The words of its refusals are ours."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.store import Resource
from samebox.services.sagemaker import training_rules


def check(job: Resource, params: Mapping[str, Any]) -> None:
    """Raise ValidationException for a change that the job's stage does not allow."""
    if "ResourceConfig" in params:
        _check_warm_pool(job)
    if "RemoteDebugConfig" in params:
        _check_remote_debug(job, params)
    if "ProfilerConfig" in params and job.status != "InProgress":
        raise _refused(job, "ProfilerConfig can be updated", "its TrainingJobStatus is InProgress", job.status)


def applied(job: Resource, params: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it was accepted, with the changes."""
    spec, given = dict(job.spec), params.get("ProfilerConfig")
    for member in ("ResourceConfig", "RemoteDebugConfig"):
        if member in params:
            spec[member] = {**spec.get(member, {}), **params[member]}
    if given is not None:
        # Turned on, it forgets that it was turned off.
        kept = {name: value for name, value in spec.get("ProfilerConfig", {}).items() if name != "DisableProfiler"}
        spec["ProfilerConfig"] = {**kept, **given}
    return spec


def _check_warm_pool(job: Resource) -> None:
    # DG:train-warm-pools, "Update a warm pool".
    status = (job.state.get("WarmPoolStatus") or {}).get("Status")
    if status != "Available":
        raise _refused(job, "KeepAlivePeriodInSeconds can be updated", "its warm pool is Available", status or "absent")


def _check_remote_debug(job: Resource, params: Mapping[str, Any]) -> None:
    # SM:UpdateTrainingJob.RemoteDebugConfig
    stage = str(job.state["SecondaryStatus"])
    if stage not in ("Downloading", "Training"):
        raise _refused(job, "RemoteDebugConfig can be updated", "its SecondaryStatus is Downloading or Training", stage)
    training_rules.check_remote_debug({**job.spec, **params})


def _refused(job: Resource, what: str, when: str, status: str) -> ValidationException:
    return ValidationException(f"{what} for training job {job.arn} only while {when}; it is {status}.")
