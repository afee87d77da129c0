"""A deployment as the exact requests. Pure, so that --dry-run prints what a run would send."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from samebox.commands import bucket

# By this tag --delete knows what samebox deploy made for an endpoint.
TAG = "samebox:endpoint"
VARIANT = "AllTraffic"
LONGEST_NAME = 63
_STAMP = re.compile(r"-[0-9]{4}(-[0-9]{2}){5}")
_STAMP_CHARACTERS = 20


def beginning(endpoint: str) -> str:
    """How the names of what is made for an endpoint begin."""
    return endpoint[: LONGEST_NAME - _STAMP_CHARACTERS].rstrip("-")


def is_name_for(name: str, endpoint: str) -> bool:
    """Whether a model or an endpoint configuration is named as one that was made for an endpoint."""
    begins = beginning(endpoint)
    return name.startswith(begins) and _STAMP.fullmatch(name, len(begins)) is not None


@dataclass(frozen=True)
class AwsCall:
    """One call of AWS, by boto3's names. A Path as a value stands for the bytes of that file."""

    service: str
    operation: str
    params: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        shown = {name: f"<{value}>" if isinstance(value, Path) else value for name, value in self.params.items()}
        return {"service": self.service, "operation": self.operation, "params": shown}


@dataclass(frozen=True)
class Deployment:
    """The wanted endpoint."""

    endpoint: str
    image: str
    model_data: str | None
    role: str
    instance_type: str
    count: int
    at: datetime
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of model and endpoint configuration: the endpoint's and the moment. Neither can be changed later."""
        return beginning(self.endpoint) + self.at.strftime("-%Y-%m-%d-%H-%M-%S")

    def model(self) -> AwsCall:
        container: dict[str, Any] = {"Image": self.image}
        if self.model_data:
            container["ModelDataUrl"] = self.model_data
        if self.environment:
            container["Environment"] = dict(self.environment)
        params = {"ModelName": self.name, "PrimaryContainer": container, "ExecutionRoleArn": self.role}
        return AwsCall("sagemaker", "CreateModel", {**params, "Tags": self._tags()})

    def configuration(self) -> AwsCall:
        variant = {
            "VariantName": VARIANT,
            "ModelName": self.name,
            "InstanceType": self.instance_type,
            "InitialInstanceCount": self.count,
            "InitialVariantWeight": 1.0,
        }
        params = {"EndpointConfigName": self.name, "ProductionVariants": [variant], "Tags": self._tags()}
        return AwsCall("sagemaker", "CreateEndpointConfig", params)

    def endpoint_request(self, update: bool) -> AwsCall:
        params: dict[str, Any] = {"EndpointName": self.endpoint, "EndpointConfigName": self.name}
        if update:
            return AwsCall("sagemaker", "UpdateEndpoint", params)
        return AwsCall("sagemaker", "CreateEndpoint", {**params, "Tags": self._tags()})

    def _tags(self) -> list[dict[str, str]]:
        return [{"Key": TAG, "Value": self.endpoint}]


def upload(archive: Path, endpoint: str, bucket_name: str) -> AwsCall:
    """The upload of a model archive, under a name with its hash, so that the same archive is uploaded once."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = f"models/{endpoint}/{digest[:16]}/model.tar.gz"
    return AwsCall("s3", "PutObject", {"Bucket": bucket_name, "Key": key, "Body": archive})


def creation_of(bucket_name: str, region: str) -> AwsCall:
    return AwsCall("s3", "CreateBucket", bucket.creation(bucket_name, region))


def teardown(endpoint: str | None, configurations: Sequence[str], models: Sequence[str]) -> list[AwsCall]:
    """What undoes a deployment, in the order in which AWS takes it."""
    return [
        *([AwsCall("sagemaker", "DeleteEndpoint", {"EndpointName": endpoint})] if endpoint else []),
        *(AwsCall("sagemaker", "DeleteEndpointConfig", {"EndpointConfigName": name}) for name in configurations),
        *(AwsCall("sagemaker", "DeleteModel", {"ModelName": name}) for name in models),
    ]


def method(operation: str) -> str:
    """boto3's name of an operation: CreateEndpointConfig -> create_endpoint_config."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
