"""The /opt/ml tree, environment and command line of one host of a processing job (contract §4.1, §4.2).

The form of processingjobconfig.json is the captured one of 2020, members that are not set as the documentation shows
them: null. Where the contract knows nothing newer, nothing newer is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samebox.data.opt_ml import Command, credentials_variables, endpoint_variables
from samebox.data.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = "/opt/ml/processing"
MOST_SECONDS = 86_400  # of a request without StoppingCondition
# So it was seen, and only root can look into such a folder.
_CONFIG_MODE = 0o644
_ESCAPED = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class ProcessingFacts:
    """What a job's files and environment need beyond its request."""

    arn: str
    region: str
    credentials_path: str | None = None  # None: its containers are given no credentials
    endpoint_url: str | None = None  # where they reach AWS's API; None: at AWS itself


def command(request: Mapping[str, Any]) -> Command:
    """The request's command, or the image's own ENTRYPOINT and CMD; nothing is appended."""
    application = request["AppSpecification"]
    entrypoint = tuple(application.get("ContainerEntrypoint") or ())
    arguments = tuple(application.get("ContainerArguments") or ())
    if not entrypoint and not arguments:
        return Command(None, None)
    return Command(entrypoint or None, arguments)


def environment(request: Mapping[str, Any], facts: ProcessingFacts) -> dict[str, str]:
    """The request's Environment, the region and credentials: neither names of the job nor SM_* (contract §4.1)."""
    isolated = is_isolated(request)
    return {
        **endpoint_variables(facts.endpoint_url, isolated),
        **request.get("Environment", {}),
        "AWS_REGION": facts.region,
        **credentials_variables(facts.credentials_path, isolated),
    }


def is_isolated(request: Mapping[str, Any]) -> bool:
    """Whether the containers have no network but that of the job's own hosts."""
    return bool(request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))


def hosts(request: Mapping[str, Any]) -> tuple[str, ...]:
    """`algo-1` … `algo-N`."""
    return tuple(f"algo-{number}" for number in range(1, _cluster(request)["InstanceCount"] + 1))


def inputs(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The inputs that the platform fetches: all but pipes, and those that the container fetches itself (AppManaged)."""
    return [one for one in _inputs(request) if not is_pipe(one)]


def pipes(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The inputs that the platform feeds to pipes while the containers run."""
    return [one for one in _inputs(request) if is_pipe(one)]


def is_pipe(one: Mapping[str, Any]) -> bool:
    """Whether an input is in Pipe mode."""
    return bool(one["S3Input"].get("S3InputMode") == "Pipe")


def outputs(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The outputs that the platform stores: all but those that the container stores itself (AppManaged)."""
    return [one for one in _outputs(request) if "S3Output" in one and not one.get("AppManaged")]


def config_files(request: Mapping[str, Any], arn: str, host: str) -> dict[str, bytes]:
    """Paths relative to /opt/ml, and their bytes."""
    return {
        "config/processingjobconfig.json": _json(_job_config(request, arn)),
        "config/resourceconfig.json": _json({"current_host": host, "hosts": sorted(hosts(request))}),
    }


def tree(request: Mapping[str, Any], arn: str, host: str) -> Tree:
    """The /opt/ml of `host`, without inputs; output/data/<OutputName> is what is mounted at a LocalPath."""
    folders = ("config", "output/metrics/cloudwatch", *(f"output/data/{one['OutputName']}" for one in outputs(request)))
    return Tree(folders, config_files(request, arn, host), {"config": _CONFIG_MODE})


def _job_config(request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    application, cluster = request["AppSpecification"], _cluster(request)
    return {
        "ProcessingJobArn": arn,
        "ProcessingJobName": request["ProcessingJobName"],
        "Environment": dict(sorted(request.get("Environment", {}).items())),
        "AppSpecification": {
            "ImageUri": application["ImageUri"],
            "ContainerEntrypoint": application.get("ContainerEntrypoint"),
            "ContainerArguments": application.get("ContainerArguments"),
        },
        "ProcessingInputs": [_input(one) for one in request.get("ProcessingInputs") or () if "S3Input" in one],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": output["OutputName"],
                    "S3Output": {
                        "LocalPath": output["S3Output"].get("LocalPath"),
                        "S3Uri": output["S3Output"]["S3Uri"],
                        "S3UploadMode": output["S3Output"].get("S3UploadMode", "EndOfJob"),
                    },
                }
                for output in _outputs(request)
                if "S3Output" in output
            ],
            "KmsKeyId": request.get("ProcessingOutputConfig", {}).get("KmsKeyId"),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": cluster["InstanceCount"],
                "InstanceType": cluster["InstanceType"],
                "VolumeSizeInGB": cluster["VolumeSizeInGB"],
                "VolumeKmsKeyId": cluster.get("VolumeKmsKeyId"),
            }
        },
        "RoleArn": request["RoleArn"],
        "StoppingCondition": {
            "MaxRuntimeInSeconds": request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", MOST_SECONDS)
        },
    }


def _input(one: Mapping[str, Any]) -> dict[str, Any]:
    source = one["S3Input"]
    return {
        "InputName": one["InputName"],
        "S3Input": {
            "LocalPath": source.get("LocalPath"),
            "S3Uri": source["S3Uri"],
            "S3DataDistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "S3DataType": source.get("S3DataType", "S3Prefix"),
            "S3InputMode": source.get("S3InputMode", "File"),
            "S3CompressionType": source.get("S3CompressionType", "None"),
            "S3DownloadMode": "StartOfJob",  # no member of the API, and there nevertheless
        },
    }


def _inputs(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in request.get("ProcessingInputs") or () if "S3Input" in one and not one.get("AppManaged")]


def _outputs(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = request.get("ProcessingOutputConfig", {}).get("Outputs") or []
    return found


def _cluster(request: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request["ProcessingResources"]["ClusterConfig"]
    return found


def _json(value: object) -> bytes:
    """Compact, without a newline, and escaped as Go's encoder does."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return "".join(_ESCAPED.get(letter, letter) for letter in text).encode()
