"""Training jobs: what only the service can know before one is written down, and what Describe fills in."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.run_facts import JobFacts, job_facts
from samebox.resources.store import Resource
from samebox.services import images
from samebox.services.context import Image, Operation, Services
from samebox.services.members.refusal import not_run
from samebox.services.members.tables import refuse
from samebox.services.sagemaker import (
    algorithms,
    instance_groups,
    job_ends,
    training_channels,
    training_rules,
    training_updates,
)
from samebox.services.sagemaker.required import missing
from samebox.wire.caller import Caller

_KEY_BYTES = 1024


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateTrainingJob. Names, image and data are checked before the job exists, as AWS does (contract.md §6.4)."""
    image, algorithm = _check(services, params, caller)
    stopping = {"MaxRuntimeInSeconds": training_rules.MAX_RUNTIME_SECONDS, **params.get("StoppingCondition", {})}
    completed = params if algorithm is None else algorithms.completed(params, algorithm)
    request = {**completed, "StoppingCondition": stopping}
    job = services.resources.create(TRAINING_JOB, caller, request, JobFacts(image.reference, stand_in=image.stand_in))
    return {"TrainingJobArn": job.arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeTrainingJob."""
    job = services.resources.get(TRAINING_JOB, caller, params["TrainingJobName"])
    retained = _retained(job, services.resources.now())
    return {**_defaults(job), **services.resources.present(job), **_filled(job.spec), **retained}


def stop(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """StopTrainingJob."""
    job_ends.stop(services, services.resources.get(TRAINING_JOB, caller, params["TrainingJobName"]))


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteTrainingJob."""
    job_ends.delete(services, services.resources.get(TRAINING_JOB, caller, params["TrainingJobName"]))


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateTrainingJob."""
    job = services.resources.get(TRAINING_JOB, caller, params["TrainingJobName"])
    refuse("sagemaker", "UpdateTrainingJob", params)
    training_updates.check(job, params)
    services.resources.replace_spec(job, lambda row: training_updates.applied(row, params))
    return {"TrainingJobArn": job.arn}


def _check(
    services: Services, params: Mapping[str, Any], caller: Caller
) -> tuple[Image, algorithms.Specification | None]:
    # The model calls these two optional since serverless jobs exist, which need neither.
    if "ServerlessJobConfig" not in params:
        for member in ("AlgorithmSpecification", "ResourceConfig"):
            if member not in params:
                raise missing(member[0].lower() + member[1:])
    resources = params.get("ResourceConfig", {})
    instance_groups.check(params)
    instance_groups.check_counts(params)
    algorithm = params.get("AlgorithmSpecification")
    if algorithm and ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        # SM:AlgorithmSpecification: exactly one is needed; the text is ours.
        raise ValidationException(
            "Exactly one of TrainingImage and AlgorithmName must be specified in AlgorithmSpecification."
        )
    training_rules.check_registry(params)
    refuse("sagemaker", "CreateTrainingJob", params)
    for member in ("InstanceType", "InstanceCount"):
        if member not in resources and not resources.get("InstanceGroups"):
            raise missing(f"resourceConfig.{member[0].lower()}{member[1:]}")
    training_rules.check_stopping(params)
    training_rules.check_spot_tags(params)
    training_rules.check_warm_pool(params)
    training_rules.check_remote_debug(params)
    training_rules.check_mirrored(services, params, caller)
    training_channels.check(params, services.settings)
    specification = algorithms.of_request(services, params, caller)
    if specification is not None:
        algorithms.check(params, specification)
    name = (
        params["AlgorithmSpecification"]["TrainingImage"]
        if specification is None
        else algorithms.image_of(specification)
    )
    image = resolve(services, name, params["RoleArn"], caller)
    training_channels.check_data(services, params, caller)
    _check_output(services, params, caller)
    return image, specification


def resolve(services: Services, name: str, role: str, caller: Caller) -> Image:
    """The image of a training job, or CreateTrainingJob's words for why not (contract.md §6.4)."""
    try:
        return services.images.resolve(name, caller)
    except images.MalformedName:
        raise ValidationException(
            "Invalid training image. Please provide a valid Amazon Elastic Container Registry path of the Docker "
            "image to run."
        ) from None
    except images.Foreign:
        # "provideTrainingImageConfig" is as AWS has it.
        raise ValidationException(
            "TrainingImageConfig with TrainingRepositoryAccessMode set to VPC must be provided when using a training "
            "image from a private Docker registry. Please provideTrainingImageConfig and TrainingRepositoryAccessMode "
            "set to VPC when using a training image from a private Docker registry."
        ) from None
    except images.OtherRegion as other:
        raise ValidationException(
            f"Invalid DNS suffix '{other.suffix}' for region '{other.given}' in training image. Please provide the "
            f"valid <region>.<dns-suffix>: '{other.wanted}.{other.wanted_suffix}'"
        ) from None
    except images.Absent as absent:
        raise access_denied(absent, role) from None


def access_denied(absent: images.Absent, role: str) -> ValidationException:
    """The refusal of an image that is not in its repository (contract.md §6.4)."""
    return ValidationException(
        f"Access denied for repository: {absent.repository} in registry ID: {absent.account}. Please check if "
        f"your ECR repository and image exist and role {role} has proper pull permissions for SageMaker: "
        "ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer"
    )


def _check_output(services: Services, params: Mapping[str, Any], caller: Caller) -> None:
    """Where the model will go, looked at before hours of training and not after them."""
    path = params["OutputDataConfig"]["S3OutputPath"]
    place = services.objects.place(_model_archive(params, params["TrainingJobName"]))
    if place is None or not services.objects.bucket_exists(path):
        # Choice: AWS's words are not known; these follow those for input data.
        bucket = path.partition("://")[2].partition("/")[0]
        raise ValidationException(
            f'No S3 bucket found under S3 URL "{path}" given in output data config. Please ensure that the bucket '
            f'exists in the selected region ({caller.region}), and that the role "{params["RoleArn"]}" has '
            f'"s3:PutObject" permissions on bucket "{bucket}".'
        )
    _, key = place
    if len(key.encode()) > _KEY_BYTES:
        why_not = f"the model's key would have more than {_KEY_BYTES} bytes, the most that S3 takes."
        raise not_run("sagemaker", "CreateTrainingJob", "OutputDataConfig.S3OutputPath", path, why_not)


def _model_archive(spec: Mapping[str, Any], job_name: str) -> str:
    output = spec["OutputDataConfig"]
    name = "model" if output.get("CompressionType") == "NONE" else "model.tar.gz"  # contract.md §1.8
    return f"{output['S3OutputPath'].rstrip('/')}/{job_name}/output/{name}"


def _defaults(job: Resource) -> dict[str, Any]:
    # ModelArtifacts is required in the answer and its S3ModelArtifacts must be an S3 URI, also before there is one
    # (contract.md §1.6: unverified). Until the job knows better we say where the archive will be.
    return {
        "ModelArtifacts": {"S3ModelArtifacts": _model_archive(job.spec, job.name)},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "ProfilingStatus": "Disabled",
    }


def _retained(job: Resource, now: float) -> dict[str, Any]:
    """For how long an available warm pool has been kept; one that has ended shows what was written down then."""
    status, pool = job.state.get("WarmPoolStatus", {}), job_facts(job).run.pool
    if status.get("Status") != "Available" or pool is None or pool.retained_at is None:
        return {}
    return {"WarmPoolStatus": {**status, "ResourceRetainedBillableTimeInSeconds": int(now - pool.retained_at)}}


def _filled(spec: Mapping[str, Any]) -> dict[str, Any]:
    # As DescribeTrainingJob is publicly seen to answer: inner defaults spelled out.
    filled: dict[str, Any] = {"OutputDataConfig": {"KmsKeyId": "", **spec["OutputDataConfig"]}}
    if "InputDataConfig" in spec:
        filled["InputDataConfig"] = [_filled_channel(channel) for channel in spec["InputDataConfig"]]
    algorithm = {"EnableSageMakerMetricsTimeSeries": False, **spec["AlgorithmSpecification"]}
    return {**filled, "AlgorithmSpecification": algorithm}


def _filled_channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    filled = {"CompressionType": "None", "RecordWrapperType": "None", **channel}
    if (given := channel["DataSource"].get("S3DataSource")) is None:
        return filled
    source = {"S3DataDistributionType": "FullyReplicated", **given}
    return {**filled, "DataSource": {"S3DataSource": source}}


OPERATIONS: dict[str, Operation] = {
    "CreateTrainingJob": create,
    "DescribeTrainingJob": describe,
    "StopTrainingJob": stop,
    "DeleteTrainingJob": delete,
    "UpdateTrainingJob": update,
}
