"""The list of Kinds: the only registry of nouns."""

from collections.abc import Callable

from samebox.errors import AwsError, ResourceInUse, ValidationException
from samebox.resources import lifecycle
from samebox.resources.kind import Kind
from samebox.resources.query import Compare, JsonPath
from samebox.resources.stored_kinds import STORED as STORED


def _already_existing(noun: str) -> Callable[[str], AwsError]:
    # Observed 2018-25, contract.md §2.14.
    return lambda arn: ValidationException(f'Cannot create already existing {noun} "{arn}".')


def _could_not_find(noun: str) -> Callable[[str], AwsError]:
    # contract.md §6.3.
    return lambda arn: ValidationException(f'Could not find {noun} "{arn}".')


def _job_names_are_unique(noun: str) -> Callable[[str], AwsError]:
    # Observed 2022-24, contract.md §6.3.
    return lambda arn: ResourceInUse(
        f"{noun.capitalize()} names must be unique within an AWS account and region, "
        f"and a {noun} with this name already exists ({arn})"
    )


def _could_not_find_job(arn: str) -> AwsError:
    # contract.md §6.3, where the end of the sentence is left out.
    return ValidationException(f"Could not find requested job with name: {arn.rpartition('/')[2]}")


TRAINING_JOB = Kind(
    "TrainingJob",
    taken=_job_names_are_unique("training job"),
    missing=lambda _: ValidationException("Requested resource not found."),
    lifecycle=lifecycle.TRAINING_JOB,
    filters_status_last=True,
    retained=Compare(JsonPath("state", "WarmPoolStatus", "Status"), "=", "Available"),
)
PROCESSING_JOB = Kind(
    "ProcessingJob",
    taken=_job_names_are_unique("processing job"),
    missing=_could_not_find_job,
    lifecycle=lifecycle.PROCESSING_JOB,
)
TRANSFORM_JOB = Kind(
    "TransformJob",
    taken=_job_names_are_unique("transform job"),
    missing=_could_not_find_job,
    lifecycle=lifecycle.TRANSFORM_JOB,
)
# Jobs that run containers.
CONTAINER_JOBS = (TRAINING_JOB, PROCESSING_JOB, TRANSFORM_JOB)
MODEL = Kind("Model", _already_existing("model"), _could_not_find("model"))
ENDPOINT_CONFIG = Kind(
    "EndpointConfig",
    _already_existing("endpoint configuration"),
    _could_not_find("endpoint configuration"),
)
ENDPOINT = Kind(
    "Endpoint",
    _already_existing("endpoint"),
    _could_not_find("endpoint"),
    lifecycle=lifecycle.ENDPOINT,
    ignores_case=True,
)

REPOSITORY = Kind(
    "Repository",
    taken=lambda arn: _repository("RepositoryAlreadyExistsException", "already exists", arn),
    missing=lambda arn: _repository("RepositoryNotFoundException", "does not exist", arn),
    service="ecr",
)

# Temporary credentials by their access key. STS has no operations on them; they are here to be recognised.
SESSION = Kind(
    "Session",
    taken=lambda arn: ResourceInUse(f"{arn} exists already"),
    missing=lambda arn: ValidationException(f"{arn} does not exist"),
    service="sts",
)

KINDS: tuple[Kind, ...] = (*CONTAINER_JOBS, MODEL, ENDPOINT_CONFIG, ENDPOINT, *STORED, REPOSITORY, SESSION)


def _repository(code: str, verb: str, arn: str) -> AwsError:
    # Observed in public logs of 2019-25.
    _, _, _, _, account, name = arn.split(":", 5)
    repository = name.removeprefix("repository/")
    return AwsError(code, f"The repository with name '{repository}' {verb} in the registry with id '{account}'")
