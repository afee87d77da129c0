"""Processing jobs: what only the service can know before one is written down, and what Describe fills in.

Data and outputs are looked at when the job runs, as on AWS; only what no run could make right is refused at once. AWS's
words for these refusals are not known.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.kinds import PROCESSING_JOB
from samebox.resources.run_facts import JobFacts
from samebox.services import images
from samebox.services.context import Image, Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sagemaker import job_ends
from samebox.services.sagemaker.required import missing
from samebox.services.sagemaker.training_jobs import access_denied
from samebox.wire.caller import Caller

ROOT = "/opt/ml/processing/"
# The documentation's sample; SM:ProcessingStoppingCondition has no default.
MAX_RUNTIME_SECONDS = 86_400


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateProcessingJob (contract.md §4)."""
    refuse("sagemaker", "CreateProcessingJob", params)
    cluster = params["ProcessingResources"]["ClusterConfig"]
    for member in ("InstanceType", "InstanceCount"):
        if member not in cluster:
            raise missing(f"processingResources.clusterConfig.{member[0].lower()}{member[1:]}")
    inputs = params.get("ProcessingInputs") or []
    outputs = params.get("ProcessingOutputConfig", {}).get("Outputs") or []
    _check_names("Processing input", [one["InputName"] for one in inputs])
    _check_names("Processing output", [one["OutputName"] for one in outputs])
    for one in outputs:
        _check_folder_name(one["OutputName"])
    _check_places([*_places(inputs, "S3Input", "InputName"), *_places(outputs, "S3Output", "OutputName")])
    _check_pipes(inputs, outputs)
    image = _resolve(services, params["AppSpecification"]["ImageUri"], params["RoleArn"], caller)
    request = {"StoppingCondition": {"MaxRuntimeInSeconds": MAX_RUNTIME_SECONDS}, **params}
    job = services.resources.create(PROCESSING_JOB, caller, request, JobFacts(image.reference, stand_in=image.stand_in))
    return {"ProcessingJobArn": job.arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeProcessingJob."""
    job = services.resources.get(PROCESSING_JOB, caller, params["ProcessingJobName"])
    return {**services.resources.present(job), **_filled(job.spec)}


def stop(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """StopProcessingJob."""
    job_ends.stop(services, services.resources.get(PROCESSING_JOB, caller, params["ProcessingJobName"]))


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteProcessingJob."""
    job_ends.delete(services, services.resources.get(PROCESSING_JOB, caller, params["ProcessingJobName"]))


def _check_names(noun: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationException(f"{noun} names must be unique; given more than once: {', '.join(twice)}.")


def _check_folder_name(name: str) -> None:
    # It is a directory of /opt/ml/output/data (contract.md §4.2).
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name.encode()) > 255:
        raise ValidationException(f"Processing output name '{name}' must be usable as the name of a directory.")


def _places(ones: Iterable[Mapping[str, Any]], member: str, name: str) -> Iterable[tuple[str, str]]:
    """(name, LocalPath) of what the platform mounts."""
    for one in ones:
        if member not in one:
            raise ValidationException(f"{member} must be specified for '{one[name]}'.")
        if not one.get("AppManaged"):
            if "LocalPath" not in one[member]:
                # SM:ProcessingS3Input.LocalPath
                raise ValidationException(f"LocalPath must be specified for '{one[name]}' unless AppManaged is true.")
            yield one[name], one[member]["LocalPath"]


def _check_places(places: Iterable[tuple[str, str]]) -> None:
    taken: dict[str, str] = {}
    for name, path in places:
        parts = path.removeprefix(ROOT).rstrip("/").split("/")
        if not path.startswith(ROOT) or any(part in ("", ".", "..") or "\0" in part for part in parts):
            # SM:ProcessingS3Input.LocalPath: it "should start with /opt/ml/processing/".
            raise ValidationException(f"LocalPath '{path}' of '{name}' must be a path that starts with {ROOT}.")
        other = taken.setdefault(path.rstrip("/"), name)
        if other != name:
            raise ValidationException(f"LocalPath '{path}' is used by both '{other}' and '{name}'.")


def _check_pipes(inputs: Iterable[Mapping[str, Any]], outputs: Iterable[Mapping[str, Any]]) -> None:
    pipes = {}
    for one in inputs:
        source, name = one["S3Input"], one["InputName"]
        is_pipe = source.get("S3InputMode") == "Pipe"
        if source.get("S3CompressionType") == "Gzip" and not is_pipe:
            # SM:ProcessingS3Input.S3CompressionType; the words are ours.
            raise ValidationException(
                f"S3CompressionType Gzip of '{name}' can only be used when Pipe mode is specified as the S3InputMode."
            )
        if is_pipe and not one.get("AppManaged"):
            pipes[source["LocalPath"].rstrip("/")] = name
    for other, path in (*_places(inputs, "S3Input", "InputName"), *_places(outputs, "S3Output", "OutputName")):
        place = path.rstrip("/")
        pipe, _, number = place.rpartition("_")
        if pipe in pipes and number.isdecimal():
            raise ValidationException(f"LocalPath '{path}' of '{other}' is that of a pipe of '{pipes[pipe]}'.")
        for pipe, name in pipes.items():
            # The folder of the one would hide the pipes of the other.
            if place not in pipes and pipe.startswith(f"{place}/"):
                raise ValidationException(f"LocalPath '{pipe}' of '{name}' in Pipe mode lies in that of '{other}'.")


def _resolve(services: Services, name: str, role: str, caller: Caller) -> Image:
    try:
        return services.images.resolve(name, caller)
    except images.Absent as absent:
        raise access_denied(absent, role) from None
    except images.Unresolved:
        raise ValidationException(
            f"Invalid image URI {name}. Please provide a valid Amazon Elastic Container Registry path of the Docker "
            f"image to run, in region {caller.region}."
        ) from None


def _filled(spec: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    if "ProcessingInputs" in spec:
        filled["ProcessingInputs"] = [_filled_input(one) for one in spec["ProcessingInputs"]]
    if "ProcessingOutputConfig" in spec:
        config = spec["ProcessingOutputConfig"]
        filled["ProcessingOutputConfig"] = {
            **config,
            "Outputs": [{"AppManaged": False, **one} for one in config.get("Outputs", [])],
        }
    return filled


def _filled_input(one: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {"S3InputMode": "File", "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}
    return {"AppManaged": False, **one, "S3Input": {**defaults, **one["S3Input"]}}


OPERATIONS: dict[str, Operation] = {
    "CreateProcessingJob": create,
    "DescribeProcessingJob": describe,
    "StopProcessingJob": stop,
    "DeleteProcessingJob": delete,
}
