"""The /opt/ml tree, environment and command line of one training host, byte for byte (contract §1.1-1.4).

Where the contract has several forms of a file, this is the newest one observed; where it has none, a comment marks our
choice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from samebox.data.objects import Location, Object
from samebox.data.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NETWORK_INTERFACE = "eth0"
CHECKPOINTS = "/opt/ml/checkpoints/"
TENSORS = "/opt/ml/output/tensors"
TENSORBOARD = "/opt/ml/output/tensorboard/"
PROFILES = "/opt/ml/output/profiler"
METRICS = "/opt/ml/output/metrics/sagemaker"
WARM_POOL_CACHE = "/opt/ml/sagemaker/warmpoolcache"
CREDENTIALS_HOST = "http://169.254.170.2"
MOUNTED = ("input", "model", "output")  # of /opt/ml, piece by piece, so that the image's /opt/ml/code survives (§1.1)
OUTSIDE = ".outside"  # below it are directories that are not in /opt/ml


@dataclass(frozen=True)
class Host:
    """One instance of the job: `algo-1`, its instance type, its group."""

    name: str
    instance_type: str
    group: str = "homogeneousCluster"


@dataclass(frozen=True)
class TrainingFacts:
    """What the request does not say.

    `credentials_path` (`/v2/credentials/<uuid>`) and `metadata_id` only where they are served at 169.254.170.2;
    under network isolation they are left out. `endpoint_url` is where containers reach this emulator, which AWS has no
    word for. `in_warm_pool`: the hosts are a warm pool, or become one.
    """

    arn: str
    region: str
    has_gpu: bool = False
    credentials_path: str | None = None
    metadata_id: str | None = None
    endpoint_url: str | None = None
    in_warm_pool: bool = False
    fast_file: str = "File"  # how a channel in FastFile mode looks to the program, by the newer documentation


@dataclass(frozen=True)
class ModelFacts:
    """What a ContainerDefinition does not say. `port` and `safe_ports` (`9000-9999`) only with several containers."""

    region: str
    port: int | None = None
    safe_ports: str | None = None
    multi_model: bool = False
    has_gpu: bool = False
    credentials_path: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True)
class Command:
    """Entrypoint and command as the Engine takes them; None keeps the image's own."""

    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...] | None


def command(request: Mapping[str, Any]) -> Command:
    """`train` in place of the image's CMD, unless ContainerEntrypoint or ContainerArguments is there (§1.1)."""
    algorithm = request["AlgorithmSpecification"]
    entrypoint = tuple(algorithm.get("ContainerEntrypoint") or ())
    arguments = tuple(algorithm.get("ContainerArguments") or ())
    if not entrypoint and not arguments:
        return Command(None, ("train",))
    # `docker run --entrypoint X IMAGE` forgets the image's CMD, so an empty command is meant.
    return Command(entrypoint or None, arguments)


def model_command() -> Command:
    """`serve`; a ContainerDefinition has no way to say otherwise (contract §2.1)."""
    return Command(None, ("serve",))


def environment(request: Mapping[str, Any], facts: TrainingFacts) -> dict[str, str]:
    """The request's Environment and above it what the platform sets (contract §1.4.1): no SM_*, no keys."""
    isolated = bool(request.get("EnableNetworkIsolation"))
    return {
        **endpoint_variables(facts.endpoint_url, isolated),
        **request.get("Environment", {}),
        "TRAINING_JOB_NAME": request["TrainingJobName"],
        "TRAINING_JOB_ARN": facts.arn,
        "AWS_REGION": facts.region,
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
        **credentials_variables(facts.credentials_path, isolated),
        **_metadata(facts.metadata_id, isolated),
        "NVIDIA_VISIBLE_DEVICES": "all" if facts.has_gpu else "void",
        "DMLC_INTERFACE": NETWORK_INTERFACE,
        "SAGEMAKER_METRICS_DIRECTORY": METRICS,
        **({"SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY": WARM_POOL_CACHE} if facts.in_warm_pool else {}),
    }


def model_environment(container: Mapping[str, Any], facts: ModelFacts, isolated: bool = False) -> dict[str, str]:
    """The ContainerDefinition's Environment and above it what the platform sets (contract §2.5)."""
    platform = {
        "AWS_REGION": facts.region,
        **credentials_variables(facts.credentials_path, isolated),
        "NVIDIA_VISIBLE_DEVICES": "all" if facts.has_gpu else "void",
    }
    if facts.port is not None:
        platform["SAGEMAKER_BIND_TO_PORT"] = str(facts.port)
    if facts.safe_ports is not None:
        platform["SAGEMAKER_SAFE_PORT_RANGE"] = facts.safe_ports
    if facts.multi_model:
        platform["SAGEMAKER_MULTI_MODEL"] = "true"
    return {**endpoint_variables(facts.endpoint_url, isolated), **container.get("Environment", {}), **platform}


def hosts(request: Mapping[str, Any]) -> tuple[Host, ...]:
    """`algo-1` … `algo-N` of a CreateTrainingJob request, in number order; groups are numbered one after the other."""
    resources = request["ResourceConfig"]
    groups = resources.get("InstanceGroups") or [{**resources, "InstanceGroupName": "homogeneousCluster"}]
    kinds = [
        (group["InstanceType"], group["InstanceGroupName"]) for group in groups for _ in range(group["InstanceCount"])
    ]
    return tuple(Host(f"algo-{number}", kind, group) for number, (kind, group) in enumerate(kinds, 1))


def channels(request: Mapping[str, Any], group: str) -> tuple[Mapping[str, Any], ...]:
    """The channels of the hosts of an instance group: InstanceGroupNames restricts one to its groups (contract §1.5).

    Choice: other hosts find nothing of it, not in their files of configuration either.
    """
    return tuple(one for one in request.get("InputDataConfig", ()) if _is_for(one, group))


def _is_for(channel: Mapping[str, Any], group: str) -> bool:
    names = channel.get("DataSource", {}).get("S3DataSource", {}).get("InstanceGroupNames")
    return not names or group in names


def directories(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Directories that exist before the container starts, relative to /opt/ml (contract §1.2)."""
    fixed = ("input/config", "input/data", "model", "output/data", "output/metrics/sagemaker")
    wanted = [*fixed, "output/profiler", "output/tensorboard"]
    # What a program writes to further below is its own to make; what is mounted has to be there.
    for name, path in local_paths(request).items():
        if name == "checkpoints" or not is_mounted(path):
            wanted.append(local_folder(path))
    return tuple(dict.fromkeys(wanted))


def local_paths(request: Mapping[str, Any]) -> dict[str, str]:
    """The directories whose files go to S3 while the job runs, by what is in them (contract §1.8, §1.10)."""
    paths = {}
    if "CheckpointConfig" in request:
        paths["checkpoints"] = _checkpoint_path(request)
    if (hook := request.get("DebugHookConfig")) is not None:
        paths["tensors"] = hook.get("LocalPath") or TENSORS
    if (tensorboard := request.get("TensorBoardOutputConfig")) is not None:
        paths["tensorboard"] = tensorboard.get("LocalPath") or TENSORBOARD
    if is_profiled(request):
        paths["profiles"] = PROFILES
    return paths


def is_profiled(request: Mapping[str, Any]) -> bool:
    """Whether ProfilerConfig has the profiler on."""
    profiler = request.get("ProfilerConfig")
    return profiler is not None and not profiler.get("DisableProfiler")


def is_mounted(path: str) -> bool:
    """Whether a directory lies in one of those that every job has mounted."""
    return any(PurePosixPath(path).is_relative_to(f"/opt/ml/{part}") for part in MOUNTED)


def local_folder(path: str) -> str:
    """Where a directory of the container is below its host's root."""
    local = PurePosixPath(path)
    return str(local.relative_to("/opt/ml")) if local.is_relative_to("/opt/ml") else f"{OUTSIDE}{local}"


def config_files(
    request: Mapping[str, Any],
    facts: TrainingFacts,
    hosts: Sequence[Host],
    current_host: str,
    checkpoints: Sequence[Object] = (),
) -> dict[str, bytes]:
    """Paths relative to /opt/ml (`input/config/hyperparameters.json`, …) and their bytes (contract §1.3).

    `checkpoints` are the objects that CheckpointConfig.S3Uri holds at the start.
    """
    (current,) = (host for host in hosts if host.name == current_host)
    own = channels(request, current.group)
    files: dict[str, object] = {
        "hyperparameters": request.get("HyperParameters", {}),
        "init-config": _init_config(request, own, hosts, current_host),
        "inputdataconfig": {channel["ChannelName"]: _channel_config(channel, request, facts) for channel in own},
        # Its form with definitions in it has not been seen; ours is the API's.
        "metric-definition-regex": request["AlgorithmSpecification"].get("MetricDefinitions", []),
        "resourceconfig": _resource_config(hosts, current_host),
    }
    if "CheckpointConfig" in request:
        files["checkpointconfig"] = {"LocalPath": _checkpoint_path(request)}
    if (hook := request.get("DebugHookConfig")) is not None:
        files["debughookconfig"] = {
            "S3OutputPath": hook["S3OutputPath"],
            "LocalPath": hook.get("LocalPath", TENSORS),
            **{key: hook[key] for key in ("HookParameters", "CollectionConfigurations") if key in hook},
        }
    if (tensorboard := request.get("TensorBoardOutputConfig")) is not None:
        files["tensorboardoutputconfig"] = {
            "S3OutputPath": tensorboard["S3OutputPath"],
            "LocalPath": tensorboard.get("LocalPath", TENSORBOARD),
        }
    if is_profiled(request):
        files["profilerconfig"] = request["ProfilerConfig"]
    written = {f"input/config/{name}.json": _json(files[name]) for name in sorted(files)}
    if "CheckpointConfig" in request:
        prefix = Location.parse(request["CheckpointConfig"]["S3Uri"]).key
        lines = [prefix, *(one.uri for one in checkpoints)]
        written["input/data/checkpoints-manifest"] = "".join(f"{line}\n" for line in lines).encode()
    return written


def tree(
    request: Mapping[str, Any],
    facts: TrainingFacts,
    hosts: Sequence[Host],
    current_host: str,
    checkpoints: Sequence[Object] = (),
) -> Tree:
    """The /opt/ml of `current_host`, without the files of channels."""
    return Tree(directories(request), config_files(request, facts, hosts, current_host, checkpoints))


def _json(value: object) -> bytes:
    # No blanks, no newline at the end, letters beyond ASCII as they are.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _channel_config(channel: Mapping[str, Any], request: Mapping[str, Any], facts: TrainingFacts) -> dict[str, str]:
    source = channel.get("DataSource", {}).get("S3DataSource", {})
    mode = input_mode(channel, request)
    content_type = {"ContentType": channel["ContentType"]} if "ContentType" in channel else {}
    return {
        **content_type,
        "TrainingInputMode": facts.fast_file if mode == "FastFile" else mode,
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }


def _resource_config(hosts: Sequence[Host], current_host: str) -> dict[str, Any]:
    # The order is by name, as the records of 2022-2025 show it, not by number: algo-10 stands before algo-2.
    (current,) = (host for host in hosts if host.name == current_host)
    groups = list(dict.fromkeys(host.group for host in hosts))
    return {
        "current_group_name": current.group,
        "current_host": current_host,
        "current_instance_type": current.instance_type,
        "hosts": sorted(host.name for host in hosts),
        "instance_groups": [
            {
                "hosts": sorted(host.name for host in hosts if host.group == group),
                "instance_group_name": group,
                "instance_type": next(host.instance_type for host in hosts if host.group == group),
            }
            for group in groups
        ],
        # `"topology":null` was seen once, in December 2025; nothing reads it but on GB200 clusters.
        "network_interface_name": NETWORK_INTERFACE,
    }


def _init_config(
    request: Mapping[str, Any], channels: Sequence[Mapping[str, Any]], hosts: Sequence[Host], current_host: str
) -> dict[str, Any]:
    names = [host.name for host in hosts]
    return {
        "inputMode": request["AlgorithmSpecification"].get("TrainingInputMode", "File").upper(),
        "channels": {channel["ChannelName"]: _init_channel(channel, request) for channel in channels},
        "checkpointChannel": _checkpoint_channel(request),
        "hostConfig": {"clusterSize": len(hosts), "hostNumber": names.index(current_host) + 1},
        "enableAdditionalPlatformLoggingForCustomer": False,
        "jobRunInfo": {"jobRunNumber": 1},
    }


def _init_channel(channel: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    source = channel.get("DataSource", {}).get("S3DataSource")
    files = channel.get("DataSource", {}).get("FileSystemDataSource")
    shuffle = channel.get("ShuffleConfig")
    distribution = (source or {}).get("S3DataDistributionType", "FullyReplicated")
    return {
        "s3DataSource": source
        and {
            "s3DataType": _upper_snake(source["S3DataType"]),
            "s3Uri": source["S3Uri"],
            "s3DataDistributionType": _upper_snake(distribution),
            "attributeNames": source.get("AttributeNames"),
        },
        "fileSystemDataSource": files and {key[0].lower() + key[1:]: value for key, value in files.items()},
        "compressionType": channel.get("CompressionType", "None").upper(),
        "recordWrapper": {"RecordIO": "RECORDIO"}.get(channel.get("RecordWrapperType", "None"), "NONE"),
        "shuffleConfig": shuffle and {"seed": shuffle["Seed"]},
        "inputMode": input_mode(channel, request).upper(),
        "sharded": distribution == "ShardedByS3Key",
    }


def _checkpoint_channel(request: Mapping[str, Any]) -> dict[str, Any] | None:
    if "CheckpointConfig" not in request:
        return None
    return {
        "name": "checkpoints",
        "channel": {
            "s3DataSource": {
                "s3DataType": "S3_PREFIX",
                "s3Uri": request["CheckpointConfig"]["S3Uri"],
                "s3DataDistributionType": None,
                "attributeNames": None,
            },
            "fileSystemDataSource": None,
            "compressionType": None,
            "recordWrapper": None,
            "shuffleConfig": None,
            "inputMode": "FILE",
            "sharded": False,
        },
        # So it was seen, although LocalPath was another.
        "outputPath": "/opt/ml/checkpoints",
        "allowEmpty": True,
    }


def _upper_snake(name: str) -> str:
    # S3Prefix -> S3_PREFIX, ShardedByS3Key -> SHARDED_BY_S3_KEY, as the captured file spells them.
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in name)
    return words.lstrip("_").upper()


def input_mode(channel: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """The mode of a channel: its own, or the job's (contract §1.5)."""
    return str(channel.get("InputMode") or request["AlgorithmSpecification"].get("TrainingInputMode", "File"))


def _checkpoint_path(request: Mapping[str, Any]) -> str:
    return str(request["CheckpointConfig"].get("LocalPath") or CHECKPOINTS)


def credentials_variables(path: str | None, isolated: bool) -> dict[str, str]:
    """Where AWS SDKs find the credentials of the container's role."""
    return {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path} if path and not isolated else {}


def endpoint_variables(endpoint_url: str | None, isolated: bool) -> dict[str, str]:
    """Where AWS SDKs find AWS's API, if not at AWS."""
    return {"AWS_ENDPOINT_URL": endpoint_url} if endpoint_url and not isolated else {}


def _metadata(identifier: str | None, isolated: bool) -> dict[str, str]:
    if not identifier or isolated:
        return {}
    return {
        "ECS_CONTAINER_METADATA_URI": f"{CREDENTIALS_HOST}/v3/{identifier}",
        "ECS_CONTAINER_METADATA_URI_V4": f"{CREDENTIALS_HOST}/v4/{identifier}",
    }
