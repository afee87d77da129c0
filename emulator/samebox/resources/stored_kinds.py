"""Kinds that are stored, shown, listed and changed, and that is all there is to them: nothing here runs them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from samebox.errors import AwsError, ResourceInUse, ResourceNotFound, ValidationException
from samebox.resources.kind import Kind, WholeNoun
from samebox.resources.lifecycle import settled
from samebox.resources.nouns import arn_type

Error = Callable[[str], AwsError]


def _error(make: Callable[[str], AwsError], text: str) -> Error:
    """The error of an ARN, of which `{arn}` and `{name}` stand in the text."""
    return lambda arn: make(text.format(arn=arn, name=arn.rpartition("/")[2]))


def _conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message)


def _stored(
    noun: str,
    taken: Callable[[str], AwsError] | Error = ValidationException,
    missing: Callable[[str], AwsError] = ValidationException,
    **more: Any,
) -> Kind:
    """A kind whose errors are those that the model declares. AWS's texts are not known, but where they are given."""
    words = arn_type(noun).replace("-", " ")
    return Kind(
        noun,
        more.pop("taken_text", None) or _error(taken, f'Cannot create already existing {words} "{{arn}}".'),
        more.pop("missing_text", None) or _error(missing, f'Could not find {words} "{{arn}}".'),
        updates=True,
        **more,
    )


# Experiments (S13). Until 2026 the texts had "already exists" and now begin as those of jobs do
# (github.com/aws/sagemaker-python-sdk pull request 6256); SDKs look for either, so that this text has both.


def _tracked(noun: str, words: str, **more: Any) -> Kind:
    return Kind(
        noun,
        taken=_error(
            ValidationException,
            f"{words.capitalize()} names must be unique within an AWS account and region, "
            f"and {'an' if words[0] in 'aeiou' else 'a'} {words} with this name already exists ({{arn}})",
        ),
        missing=_error(ResourceNotFound, f"{noun} '{{arn}}' does not exist."),
        completed=_displayed(f"{noun}Name"),
        updates=True,
        **more,
    )


def _displayed(name: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    # SM:CreateExperiment.DisplayName: without one, the name is displayed.
    return lambda params: {"DisplayName": params[name], **params}


def _linked(noun: str, others: str) -> Error:
    # Observed 2020 for TrialComponent, github.com/aws/sagemaker-python-sdk pull request 1515. Choice for the others.
    return _error(ValidationException, f"{noun} '{{arn}}' is linked to 1 or more {others} and cannot be deleted.")


_EXPERIMENTS = (
    _tracked("Experiment", "experiment", in_use=_linked("Experiment", "trials")),
    _tracked(
        "Trial",
        "trial",
        in_use=_linked("Trial", "trial components"),
        part_of=WholeNoun("Experiment", "ExperimentName"),
    ),
    _tracked("TrialComponent", "trial component", in_use=_linked("TrialComponent", "trials")),
)

_LINEAGE = tuple(
    _stored(noun, missing=ResourceNotFound, in_use=_linked(noun, "entities"))
    for noun in ("Action", "Artifact", "Context")
)


# The registry (S26)


_NO_STATUSES: Mapping[str, Any] = {"ValidationStatuses": [], "ImageScanStatuses": []}


def _registered(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A package that is not validated is complete at once; a version waits for approval."""
    approval = {"ModelApprovalStatus": "PendingManualApproval"} if "ModelPackageGroupName" in params else {}
    return {**approval, **params, "ModelPackageStatusDetails": _NO_STATUSES}


_REGISTRY = (
    Kind(
        "ModelPackageGroup",
        # Published by users of 2022-26, as "Model Package Group already exists"; the suffix of the other by ACK.
        taken=_error(ValidationException, "Model Package Group already exists: {arn}"),
        missing=_error(ValidationException, "ModelPackageGroup {arn} does not exist."),
        in_use=_error(_conflict, "Model Package Group {arn} cannot be deleted because it contains Model Packages."),
        lifecycle=settled("ModelPackageGroupStatus", "Completed"),
    ),
    Kind(
        "ModelPackage",
        taken=_error(_conflict, "Model Package {arn} already exists."),
        missing=_error(ValidationException, "ModelPackage {arn} does not exist."),  # contract.md §6.3
        part_of=WholeNoun("ModelPackageGroup", "ModelPackageGroupName"),
        lifecycle=settled("ModelPackageStatus", "Completed"),
        completed=_registered,
        updates=True,
    ),
    _stored(
        "Algorithm",
        lifecycle=settled("AlgorithmStatus", "Completed"),
        completed=lambda params: {
            **params,
            "AlgorithmStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        },
    ),
)

# Studio's images (S28)
_IMAGES = (
    _stored("AppImageConfig", ResourceInUse, ResourceNotFound),
    _stored(
        "Image",
        ResourceInUse,
        missing_text=_error(ResourceNotFound, "Image {arn} does not exist."),
        lifecycle=settled("ImageStatus", "CREATED"),
    ),
    _stored(
        "ImageVersion",
        ResourceInUse,
        missing_text=_error(ResourceNotFound, "ImageVersion {arn} does not exist."),
        lifecycle=settled("ImageVersionStatus", "CREATED"),
        part_of=WholeNoun("Image", "ImageName"),
        completed=lambda params: {**params, "ContainerImage": params["BaseImage"]},
    ),
)


# People who label and review (S33)


def _with_digest(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is shown of a template is its digest, and on AWS an address of its text."""
    digest = hashlib.sha256(params["UiTemplate"]["Content"].encode()).hexdigest()
    return {**params, "UiTemplate": {**params["UiTemplate"], "ContentSha256": digest}}


_PEOPLE = (
    _stored("FlowDefinition", ResourceInUse, ResourceNotFound, lifecycle=settled("FlowDefinitionStatus", "Active")),
    _stored(
        "HumanTaskUi",
        ResourceInUse,
        ResourceNotFound,
        lifecycle=settled("HumanTaskUiStatus", "Active"),
        completed=_with_digest,
    ),
    _stored(
        "Workforce",
        # The beginnings of this text and the next by the provider of Terraform.
        missing_text=_error(ValidationException, "No workforce found with name {name}"),
        in_use=_error(ResourceInUse, "Workforce {arn} has work teams. Delete them first."),  # SM:DeleteWorkforce
        lifecycle=settled("Status", "Active"),
    ),
    _stored(
        "Workteam",
        ResourceInUse,
        missing_text=_error(ValidationException, "The work team {arn} does not exist."),
        part_of=WholeNoun("Workforce", "WorkforceName"),
    ),
)

# What monitoring, which is absent, would run (S19-S23)
_DEFINITIONS = tuple(
    _stored(f"{noun}JobDefinition", ResourceInUse, ResourceNotFound)
    for noun in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")
)

# Documents of models. Versions of cards, and contents of hubs, are rows of modules in services/sagemaker.
_DOCUMENTS = (
    _stored(
        "ModelCard",
        _conflict,
        ResourceNotFound,
        completed=lambda params: {**params, "ModelCardVersion": 1},
    ),
    _stored(
        "Hub",
        ResourceInUse,
        ResourceNotFound,
        in_use=_error(ResourceInUse, "Hub {arn} has contents. Delete them first."),  # choice
        lifecycle=settled("HubStatus", "InService"),
    ),
)

STORED: tuple[Kind, ...] = (
    *_EXPERIMENTS,
    *_LINEAGE,
    *_REGISTRY,
    *_IMAGES,
    *_PEOPLE,
    *_DEFINITIONS,
    *_DOCUMENTS,
    _stored(
        "CodeRepository",
        # Its beginning by the provider of Terraform.
        missing_text=_error(ValidationException, 'Cannot find CodeRepository: "{arn}"'),
    ),
    _stored(
        "DeviceFleet",
        ResourceInUse,
        # Its beginning by the provider of Terraform.
        missing_text=_error(ValidationException, "No devicefleet with name [{name}] found"),
        in_use=_error(ResourceInUse, "Device fleet {arn} has registered devices."),  # choice
    ),
    _stored(
        "NotebookInstanceLifecycleConfig",
        # As Moto has it.
        missing_text=_error(
            ValidationException,
            "Unable to describe Notebook Instance Lifecycle Config '{arn}'. "
            "(Details: Notebook Instance Lifecycle Config does not exist.)",
        ),
    ),
    _stored("StudioLifecycleConfig", ResourceInUse, ResourceNotFound),
)


def _kind(noun: str) -> Kind:
    return next(kind for kind in STORED if kind.noun == noun)


EXPERIMENT, TRIAL, TRIAL_COMPONENT = _kind("Experiment"), _kind("Trial"), _kind("TrialComponent")
MODEL_PACKAGE, MODEL_PACKAGE_GROUP = _kind("ModelPackage"), _kind("ModelPackageGroup")
IMAGE, IMAGE_VERSION = _kind("Image"), _kind("ImageVersion")
MODEL_CARD, HUB, DEVICE_FLEET = _kind("ModelCard"), _kind("Hub"), _kind("DeviceFleet")
ALGORITHM, WORKTEAM = _kind("Algorithm"), _kind("Workteam")
