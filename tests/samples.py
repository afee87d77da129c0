"""One valid request for each Kind, and nothing else: what the laws create, list, tag and delete."""

from typing import Any

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


def of_stored(noun: str, verb: str = "Create") -> dict[str, Any]:
    """A request with every member, of a Kind that is only stored: made up by the model."""
    shape = Models().operation("sagemaker", f"{verb}{noun}").input
    assert shape is not None
    return {**{name: one for name, one in value_of(shape).items() if name != "Tags"}, f"{noun}Name": "digits"}


OF_KIND: dict[str, dict[str, Any]] = {
    "TrainingJob": TRAINING_JOB,
    "ProcessingJob": PROCESSING_JOB,
    "Model": MODEL,
    "EndpointConfig": ENDPOINT_CONFIG,
    "Endpoint": ENDPOINT,
    **{kind.noun: of_stored(kind.noun) for kind in STORED},
}

# What must be there before a Kind's own sample is accepted.
NEEDS: dict[str, tuple[str, ...]] = {"EndpointConfig": ("Model",), "Endpoint": ("Model", "EndpointConfig")}
