"""Algorithms of CreateAlgorithm: what a training job that names one runs, and which requests fit it.

The rules are those of SM:TrainingSpecification, and of the SDK's AlgorithmEstimator, which checks them before it sends
a request. AWS's words are not known.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.stored_kinds import ALGORITHM
from samebox.services.context import Services
from samebox.services.members.refusal import not_run
from samebox.wire.caller import Caller

Specification = Mapping[str, Any]


def of_request(services: Services, params: Mapping[str, Any], caller: Caller) -> Specification | None:
    """The TrainingSpecification of the algorithm that a request names; None where it names an image."""
    name = params["AlgorithmSpecification"].get("AlgorithmName")
    if name is None:
        return None
    found = services.resources.named(ALGORITHM, caller, {"AlgorithmName": name})
    specification: Specification = found.spec["TrainingSpecification"]
    if "AdditionalS3DataSource" in specification:
        why = "Where its additional data is put is not known."
        raise not_run("sagemaker", "CreateTrainingJob", "AlgorithmSpecification.AlgorithmName", name, why)
    return specification


def image_of(specification: Specification) -> str:
    """Its image, by the digest, where it has one."""
    image, digest = str(specification["TrainingImage"]), specification.get("TrainingImageDigest")
    if digest is None or "@" in image:
        return image
    place, _, tag = image.rpartition(":")
    return f"{image if not place or '/' in tag else place}@{digest}"


def check(params: Mapping[str, Any], specification: Specification) -> None:
    """Raise ValidationException for a request that its algorithm does not support."""
    _check_instances(params["ResourceConfig"], specification)
    _check_channels(params, specification["TrainingChannels"])
    _check_hyperparameters(params.get("HyperParameters") or {}, specification.get("SupportedHyperParameters") or ())


def completed(params: Mapping[str, Any], specification: Specification) -> dict[str, Any]:
    """The request with the hyperparameters and metrics that the algorithm gives where the request has none."""
    defaults = {
        one["Name"]: one["DefaultValue"]
        for one in specification.get("SupportedHyperParameters") or ()
        if "DefaultValue" in one
    }
    hyperparameters = {**defaults, **(params.get("HyperParameters") or {})}
    metrics = specification.get("MetricDefinitions")
    algorithm = {**({"MetricDefinitions": metrics} if metrics else {}), **params["AlgorithmSpecification"]}
    further = {"HyperParameters": hyperparameters} if hyperparameters else {}
    return {**params, **further, "AlgorithmSpecification": algorithm}


def _check_instances(resources: Mapping[str, Any], specification: Specification) -> None:
    groups = resources.get("InstanceGroups") or [resources]
    supported = specification["SupportedTrainingInstanceTypes"]
    for group in groups:
        if group["InstanceType"] not in supported:
            raise ValidationException(
                f"Instance type {group['InstanceType']} is not supported by the algorithm. "
                f"Supported are: {', '.join(supported)}."
            )
    if sum(group["InstanceCount"] for group in groups) > 1 and not specification.get("SupportsDistributedTraining"):
        raise ValidationException("The algorithm does not support distributed training: InstanceCount must be 1.")


def _check_channels(params: Mapping[str, Any], supported: Iterable[Mapping[str, Any]]) -> None:
    known = {one["Name"]: one for one in supported}
    given = {one["ChannelName"]: one for one in params.get("InputDataConfig") or ()}
    for name, channel in known.items():
        if channel.get("IsRequired") and name not in given:
            raise ValidationException(f'The algorithm requires the channel "{name}", which was not given.')
    default = params["AlgorithmSpecification"]["TrainingInputMode"]
    for name, channel in given.items():
        if name not in known:
            raise ValidationException(f'Channel "{name}" is not supported by the algorithm, but {", ".join(known)}.')
        _check_values(name, {"InputMode": default, **channel}, known[name])


def _check_values(name: str, channel: Mapping[str, Any], supported: Mapping[str, Any]) -> None:
    for member, values in (
        ("InputMode", supported["SupportedInputModes"]),
        ("ContentType", supported["SupportedContentTypes"]),
        ("CompressionType", ["None", *(supported.get("SupportedCompressionTypes") or ())]),
    ):
        if member in channel and values and channel[member] not in values:
            raise ValidationException(
                f'Channel "{name}": {member} {channel[member]} is not supported by the algorithm, '
                f"but {', '.join(dict.fromkeys(values))}."
            )


def _check_hyperparameters(given: Mapping[str, str], supported: Iterable[Mapping[str, Any]]) -> None:
    known = {one["Name"]: one for one in supported}
    for name, one in known.items():
        if one.get("IsRequired") and name not in given:
            raise ValidationException(f"The algorithm requires the hyperparameter {name}, which was not given.")
    for name, value in given.items():
        if name not in known:
            raise ValidationException(f"Hyperparameter {name} is not supported by the algorithm.")
        if (wanted := _violated(value, known[name])) is not None:
            raise ValidationException(f"Invalid value '{value}' of the hyperparameter {name}: {wanted}.")


def _violated(value: str, hyperparameter: Mapping[str, Any]) -> str | None:
    """What the value should be and is not."""
    kind, ranges = hyperparameter["Type"], hyperparameter.get("Range") or {}
    if kind == "Categorical":
        values = (ranges.get("CategoricalParameterRangeSpecification") or {}).get("Values")
        return f"one of {', '.join(values)} is wanted" if values and value not in values else None
    if kind == "FreeText":
        return None
    number, words = (int, "an integer") if kind == "Integer" else (float, "a number")
    bounds = ranges.get(f"{kind}ParameterRangeSpecification")
    try:
        found = number(value)
        if bounds is None or number(bounds["MinValue"]) <= found <= number(bounds["MaxValue"]):
            return None
    except ValueError:
        pass
    return f"{words} is wanted" + (f" from {bounds['MinValue']} to {bounds['MaxValue']}" if bounds else "")
