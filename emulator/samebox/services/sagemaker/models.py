"""Models: an image and an archive, looked at before they are written down."""

from collections.abc import Mapping, Sequence
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.kinds import MODEL
from samebox.services import images
from samebox.services.context import Image, Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sagemaker.required import missing
from samebox.wire.caller import Caller

# What CreateModel accepts of the many that a registry may hold.
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateModel (contract.md §2.7, §2.14)."""
    refuse("sagemaker", "CreateModel", params)
    many = params.get("Containers", [])
    if ("PrimaryContainer" in params) == bool(many):
        # SM:CreateModelInput; the words are ours.
        raise ValidationException("Exactly one of PrimaryContainer and Containers must be specified.")
    if len(many) > 1:
        _check_hostnames(many)
    for container in images.model_containers(params):
        _check(services, container, params, caller)
    return {"ModelArn": services.resources.create(MODEL, caller, params).arn}


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeModel."""
    model = services.resources.get(MODEL, caller, params["ModelName"])
    shown = {"EnableNetworkIsolation": False, **services.resources.present(model)}
    if "PrimaryContainer" in shown:
        shown["PrimaryContainer"] = _filled(shown["PrimaryContainer"])
    if "Containers" in shown:
        shown["Containers"] = [_filled(container) for container in shown["Containers"]]
    return shown


def model_data(container: Mapping[str, Any]) -> str | None:
    """The S3 URI of the container's archive; a gzipped S3Object is the same thing as a ModelDataUrl."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    uri: str | None = source["S3Uri"] if source else container.get("ModelDataUrl")
    return uri


def resolve(services: Services, name: str, caller: Caller) -> Image:
    """The image of a container, or CreateModel's words for why not (contract.md §2.14, §6.4)."""
    try:
        return services.images.resolve(name, caller)
    except images.MalformedName:
        raise ValidationException(f'ECR image "{name}" is invalid.') from None
    except images.Foreign:
        raise ValidationException(
            f'Using non-ECR image "{name}" without Vpc repository access mode is not supported.'
        ) from None
    except images.OtherRegion:
        # Choice: AWS's error for another region's image is not known.
        raise ValidationException(f'ECR image "{name}" is invalid. It must be in region {caller.region}.') from None
    except images.Absent:
        # Choice: the words are those that people report of CreateModel; no thread was found that quotes them whole.
        raise ValidationException(f"Requested image {name} not found.") from None


def _check(services: Services, container: Mapping[str, Any], params: Mapping[str, Any], caller: Caller) -> None:
    if "Image" not in container:
        raise missing("primaryContainer.image" if "PrimaryContainer" in params else "containers.1.member.image")
    image = resolve(services, container["Image"], caller)
    if image.media_type not in ("", _DOCKER_MANIFEST):
        # Observed 2025, github.com/aws/amazon-sagemaker-feedback issue 180. Training jobs do take such images.
        raise ValidationException(
            f"Unsupported manifest media type {image.media_type} for image {container['Image']}. Ensure that valid "
            "manifest media type is used for specified image."
        )
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        # SM:ContainerDefinition.ModelDataSource; the words are ours.
        raise ValidationException("ModelDataUrl and ModelDataSource cannot both be specified for a container.")
    uri = model_data(container)
    if uri is not None and not services.objects.exists(uri):
        raise ValidationException(f"Could not find model data at {uri}.")


def _check_hostnames(containers: Sequence[Mapping[str, Any]]) -> None:
    # SM:ContainerDefinition.ContainerHostname; the words are ours.
    names = [one["ContainerHostname"] for one in containers if "ContainerHostname" in one]
    if names and len(names) < len(containers):
        raise ValidationException(
            "ContainerHostname must be specified for every container in the pipeline, or for none."
        )
    if len(set(names)) < len(names):
        raise ValidationException("ContainerHostname must be unique among the containers of the model.")


def _filled(container: Mapping[str, Any]) -> dict[str, Any]:
    return {"Mode": "SingleModel", "Environment": {}, **container}


OPERATIONS: dict[str, Operation] = {"CreateModel": create, "DescribeModel": describe}
