"""One valid request for each Kind, and nothing else: what the laws create, list, tag and delete."""

from typing import Any

from samebox.resources import nouns
from samebox.resources.identity import ByArn, PartOf, Versioned
from samebox.resources.kinds import STORED
from samebox.wire.models import Models
from tests.wire.generate import value_of

ROLE = "arn:aws:iam::123456789012:role/service-role/Execution"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:latest"
DATA = "s3://samples/digits/train.csv"
MODEL_DATA = "s3://samples/digits/model.tar.gz"

TRAINING_JOB: dict[str, Any] = {
    "TrainingJobName": "digits",
    "HyperParameters": {"epochs": "2"},
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samples/digits/"}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://samples/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}

PROCESSING_JOB: dict[str, Any] = {
    "ProcessingJobName": "digits",
    "AppSpecification": {
        "ImageUri": IMAGE,
        "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/clean.py"],
        "ContainerArguments": ["--rows", "10"],
    },
    "Environment": {"LEVEL": "info"},
    "RoleArn": ROLE,
    "ProcessingInputs": [
        {
            "InputName": "raw",
            "S3Input": {
                "S3Uri": "s3://samples/digits/",
                "LocalPath": "/opt/ml/processing/input/raw",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ],
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "clean",
                "S3Output": {
                    "S3Uri": "s3://samples/clean",
                    "LocalPath": "/opt/ml/processing/output",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}

TRANSFORM_JOB: dict[str, Any] = {
    "TransformJobName": "digits",
    "ModelName": "digits",
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samples/digits/"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    },
    "TransformOutput": {"S3OutputPath": "s3://samples/predictions", "Accept": "text/csv", "AssembleWith": "Line"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
}

MODEL: dict[str, Any] = {
    "ModelName": "digits",
    "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": MODEL_DATA, "Environment": {"LEVEL": "info"}},
    "ExecutionRoleArn": ROLE,
}

ENDPOINT_CONFIG: dict[str, Any] = {
    "EndpointConfigName": "digits",
    "ProductionVariants": [
        {
            "VariantName": "AllTraffic",
            "ModelName": "digits",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1.0,
        }
    ],
}

ENDPOINT: dict[str, Any] = {"EndpointName": "digits", "EndpointConfigName": "digits"}


# Members that are refused, or that exclude others.
_OMITTED: dict[str, set[str]] = {
    "ModelPackage": {"ModelPackageName", "ValidationSpecification", "SourceAlgorithmSpecification"},
    "Algorithm": {"ValidationSpecification"},
    "ModelCard": {"Content"},
}


# Members of Create whose text has a form that the model does not show.
_GIVEN: dict[str, dict[str, Any]] = {"ModelCard": {"Content": "{}"}}


def of_stored(noun: str, verb: str = "Create") -> dict[str, Any]:
    """A request with every member, of a Kind that is only stored: made up by the model."""
    made = {name: one for name, one in everything(noun, verb).items() if name not in {"Tags", *_OMITTED.get(noun, ())}}
    return made if verb != "Create" else {**made, **_GIVEN.get(noun, {}), **named(noun, "digits")}


def everything(noun: str, verb: str = "Create") -> dict[str, Any]:
    """A request with every member that the model has."""
    shape = Models().operation("sagemaker", f"{verb}{noun}").input
    assert shape is not None
    made: dict[str, Any] = value_of(shape)
    return made


def named(noun: str, name: str) -> dict[str, Any]:
    """The members that identify a resource in its Create: its own name, and that of what it is part of."""
    if noun not in _STORED:
        return {f"{noun}Name": name}
    identity, part_of = nouns.identity(noun, Models().service("sagemaker")), _STORED[noun].part_of
    assert not isinstance(identity, PartOf)
    whole = {} if part_of is None else {part_of.member: name}
    if isinstance(identity, ByArn):
        return {identity.name: name, "Source": {"SourceUri": f"s3://samples/{name}", "SourceTypes": []}}
    return whole if isinstance(identity, Versioned) else {identity.name: name, **whole}


_STORED = {kind.noun: kind for kind in STORED}

OF_KIND: dict[str, dict[str, Any]] = {
    "TrainingJob": TRAINING_JOB,
    "ProcessingJob": PROCESSING_JOB,
    "Model": MODEL,
    "TransformJob": TRANSFORM_JOB,
    "EndpointConfig": ENDPOINT_CONFIG,
    "Endpoint": ENDPOINT,
    **{kind.noun: of_stored(kind.noun) for kind in STORED},
}

# What must be there before a Kind's own sample is accepted.
NEEDS: dict[str, tuple[str, ...]] = {
    "TransformJob": ("Model",),
    "EndpointConfig": ("Model",),
    "Endpoint": ("Model", "EndpointConfig"),
    **{kind.noun: (kind.part_of.noun,) for kind in STORED if kind.part_of is not None},
}
