"""The request of `samebox train`: CreateTrainingJob's parameters for a script."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from samebox.commands.train_options import CODE_CHANNEL

CODE_DIRECTORY = f"/opt/ml/input/data/{CODE_CHANNEL}"


# Shorter than the API's limit on a job's name, so that everything named after it fits.
LONGEST_STEM = 40


def request(
    name: str,
    image: str,
    script: str,
    values: Mapping[str, str],
    places: Mapping[str, str],
    instance_type: str,
    environment: Mapping[str, str],
    output: str,
    role: str,
    metrics: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """CreateTrainingJob's parameters."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            **({"MetricDefinitions": list(metrics)} if metrics else {}),
        },
        "RoleArn": role,
        "HyperParameters": {**values, "sagemaker_program": script, "sagemaker_submit_directory": CODE_DIRECTORY},
        # The toolkit asks the environment first; an image may have a script of its own there.
        "Environment": {**environment, "SAGEMAKER_PROGRAM": script, "SAGEMAKER_SUBMIT_DIRECTORY": CODE_DIRECTORY},
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": uri,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel, uri in places.items()
        ],
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 5 * 24 * 3600},
    }


def job_name(stem: str, at: datetime) -> str:
    """A name that CreateTrainingJob takes, from a script's name and the moment."""
    safe = re.sub(r"[^a-zA-Z0-9]+", "-", stem)[:LONGEST_STEM].strip("-") or "train"
    return f"{safe}-{at:%Y-%m-%d-%H-%M-%S}-{at.microsecond // 1000:03d}"
