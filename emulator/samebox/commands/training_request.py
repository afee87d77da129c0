"""The request of `samebox train`: CreateTrainingJob's parameters for a script."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from samebox.commands.train_arguments import JobOptions
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
    options: JobOptions,
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
        "HyperParameters": {
            **values,
            **options.hyperparameters,
            "sagemaker_program": script,
            "sagemaker_submit_directory": CODE_DIRECTORY,
        },
        # The toolkit asks the environment first; an image may have a script of its own there.
        "Environment": {**environment, "SAGEMAKER_PROGRAM": script, "SAGEMAKER_SUBMIT_DIRECTORY": CODE_DIRECTORY},
        "InputDataConfig": [
            *(
                _channel(name, uri, "File" if name == CODE_CHANNEL else options.input_mode)
                for name, uri in places.items()
            ),
            *(_channel(name, uri, options.input_mode) for name, uri in options.s3_data.items()),
        ],
        "OutputDataConfig": {"S3OutputPath": output},
        **options.members,
    }


def _channel(name: str, uri: str, mode: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    own = {} if mode == "File" else {"InputMode": mode}  # the script's folder is a channel too, and is read as files
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **own}


def job_name(stem: str, at: datetime) -> str:
    """A name that CreateTrainingJob takes, from a script's name and the moment."""
    safe = re.sub(r"[^a-zA-Z0-9]+", "-", stem)[:LONGEST_STEM].strip("-") or "train"
    return f"{safe}-{at:%Y-%m-%d-%H-%M-%S}-{at.microsecond // 1000:03d}"
