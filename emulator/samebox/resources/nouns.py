"""Nouns: what the service's model says of each, and the few things that it does not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from samebox.resources.identity import (
    HEXADECIMAL,
    UPPER_CASE,
    ByArn,
    ByName,
    Compound,
    Generated,
    Identity,
    NewId,
    PartOf,
    Versioned,
)
from samebox.wire.models import Service
from samebox.wire.schema import Shape

# Create operations that answer with a URL and make nothing that has a name.
_URLS = re.compile(r"Create(\w*Presigned\w*Urls?)")

# The nouns whose requests do not show how their resources are told apart, or whose id has a form of its own.
_IDENTITIES: Mapping[str, Identity | PartOf] = {
    "App": Compound((("DomainId",), ("UserProfileName", "SpaceName"), ("AppType",), ("AppName",))),
    "Artifact": ByArn(
        "ArtifactArn", "ArtifactName", (NewId(length=32, alphabet=HEXADECIMAL),), source=("Source", "SourceUri")
    ),
    "AutoMLJobV2": PartOf("AutoMLJob"),
    "Cluster": ByName("ClusterName", NewId(), id_in_arn=True),
    "ClusterExtension": ByArn("ExtensionArn", "ExtensionName", ("sagemaker-{ClusterArn}", "{ExtensionName}", NewId())),
    "Domain": Generated(NewId("DomainId", "d-"), "DomainName"),
    "EdgeDeploymentStage": PartOf("EdgeDeploymentPlan"),
    "HubContentReference": PartOf("HubContent"),
    "ImageVersion": Versioned(group="ImageName", version="Version", name="ImageName"),
    "MlflowApp": ByArn("Arn", "Name", (NewId(prefix="app-", alphabet=UPPER_CASE),)),
    "ModelCardExportJob": ByArn(
        "ModelCardExportJobArn",
        "ModelCardExportJobName",
        ("{ModelCardName}", "export-job", "{ModelCardExportJobName}"),
    ),
    "ModelPackage": Versioned(group="ModelPackageGroupName", version="ModelPackageVersion", name="ModelPackageName"),
    "PartnerApp": ByArn("Arn", "Name", (NewId(prefix="app-", alphabet=UPPER_CASE),)),
    "Project": ByName("ProjectName", NewId("ProjectId", "p-")),
}

# The type words of ARNs that are not the noun itself in lower case with hyphens.
_ARN_TYPES: Mapping[str, str] = {
    "AutoMLJob": "automl-job",
    "AutoMLJobV2": "automl-job",
    "ClusterExtension": "extension",
    "EdgeDeploymentPlan": "edge-deployment",
    "ModelCardExportJob": "model-card",
    "Trial": "experiment-trial",
    "TrialComponent": "experiment-trial-component",
}


@dataclass(frozen=True)
class Operations:
    """The operations of a noun; '' where it has none."""

    create: str
    describe: str
    list: str
    delete: str
    update: str

    def names(self) -> tuple[str, ...]:
        """Those that there are."""
        return tuple(name for name in (self.create, self.describe, self.list, self.delete, self.update) if name)


def nouns(service: Service) -> list[str]:
    """Every noun that a service can create, in alphabetical order."""
    return sorted(
        name.removeprefix("Create")
        for name in service.operations
        if name.startswith("Create") and not _URLS.fullmatch(name)
    )


def arn_type(noun: str) -> str:
    """The type word of the ARNs: TrainingJob's is training-job."""
    return _ARN_TYPES.get(noun) or "-".join(re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+", noun)).lower()


def operations(noun: str, service: Service) -> Operations:
    """The operations of a noun."""

    def known(*names: str) -> str:
        return next((name for name in names if name in service.operations), "")

    plurals = (f"{noun}s", f"{noun[:-1]}ies", f"{noun}es", noun)
    return Operations(
        create=known(f"Create{noun}"),
        describe=known(f"Describe{noun}"),
        # ECR describes where SageMaker lists.
        list=known(*(f"List{plural}" for plural in plurals), *(f"Describe{plural}" for plural in plurals[:-1])),
        delete=known(f"Delete{noun}"),
        update=known(f"Update{noun}"),
    )


def identity(noun: str, service: Service) -> Identity | PartOf:
    """How resources of the noun are told apart. Raises LookupError where neither the model nor a row shows it."""
    if noun in _IDENTITIES:
        return _IDENTITIES[noun]
    names = operations(noun, service)
    create = _members(service.operations[names.create].input) if names.create else {}
    asked = _required(service, names.describe or names.delete)
    if len(asked) == 1 and asked[0].endswith("Id") and asked[0] not in create:
        return Generated(NewId(asked[0]), "Name" if "Name" in create else f"{noun}Name")
    if not asked or not set(asked) <= set(create):
        # ECR's members begin with a small letter, and its requests have lists of names; STS makes sessions only.
        stem = noun if f"{noun[:1].lower()}{noun[1:]}Name" not in create else f"{noun[:1].lower()}{noun[1:]}"
        if names.create and f"{stem}Name" not in create:
            raise LookupError(f"{noun}: nothing shows how its resources are told apart")
        return ByName(f"{stem}Name")
    if len(asked) == 1:
        return ByName(asked[0])
    # The noun's own name is the last part of its ARN.
    return Compound(tuple((member,) for member in sorted(asked, key=lambda member: member == f"{noun}Name")))


def arn_member(noun: str, service: Service) -> str:
    """The member of Create's and Describe's responses that has the ARN."""
    names = operations(noun, service)
    stem = noun[:1].lower() + noun[1:]
    for operation in (names.create, names.describe):
        given = _members(service.operations[operation].output) if operation else {}
        found = [member for member in (f"{noun}Arn", f"{stem}Arn", "Arn") if member in given]
        found += [member for member in given if member.endswith("Arn")]
        if found:
            return found[0]
    # ECR answers with a structure in which the ARN is.
    return f"{noun}Arn" if service.name == "sagemaker" else f"{stem}Arn"


def _members(shape: Shape | None) -> Mapping[str, object]:
    return shape.members if shape is not None else {}


def _required(service: Service, operation: str) -> list[str]:
    shape = service.operations[operation].input if operation else None
    return [] if shape is None else [name for name in shape.members if name in shape.required]
