"""How `samebox train` runs its job: on which hosts, how it is distributed, interrupted, fed and continued."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samebox.commands.outcome import Stop

MAX_RUNTIME_SECONDS = 5 * 24 * 3600

# What a distribution is to sagemaker-training, and to our train image (contract.md §1.4.3).
DISTRIBUTIONS: Mapping[str, str] = {
    "mpi": "sagemaker_mpi_enabled",
    "torchrun": "sagemaker_torch_distributed_enabled",
    "tf": "sagemaker_multi_worker_mirrored_strategy_enabled",
    "ps": "sagemaker_parameter_server_enabled",
}


@dataclass(frozen=True)
class JobOptions:
    """Options of one job. `checkpoint` is where its checkpoints are in S3, `s3_data` are channels that are there."""

    instance_type: str = "ml.m5.xlarge"
    instances: int = 1
    distribution: str | None = None
    processes: int | None = None
    spot: bool = False
    input_mode: str = "File"
    checkpoint: str | None = None
    s3_data: Mapping[str, str] = field(default_factory=dict)

    @property
    def hyperparameters(self) -> Mapping[str, str]:
        """What the toolkit reads of the distribution."""
        if self.distribution is None:
            return {}
        count = {} if self.processes is None else {"sagemaker_mpi_num_of_processes_per_host": str(self.processes)}
        return {DISTRIBUTIONS[self.distribution]: "true", **count}

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of CreateTrainingJob that these options decide."""
        stopping = {"MaxRuntimeInSeconds": MAX_RUNTIME_SECONDS}
        if self.spot:
            stopping["MaxWaitTimeInSeconds"] = MAX_RUNTIME_SECONDS
        return {
            "ResourceConfig": {
                "InstanceType": self.instance_type,
                "InstanceCount": self.instances,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": stopping,
            **({"EnableManagedSpotTraining": True} if self.spot else {}),
            **({"CheckpointConfig": {"S3Uri": self.checkpoint}} if self.checkpoint else {}),
        }


def add(train: argparse.ArgumentParser) -> None:
    """The options, for `samebox train`."""
    train.add_argument("--instance-type", default="ml.m5.xlarge", help="ml.* type that sets CPU and memory limits")
    train.add_argument("--instances", type=int, default=1, metavar="N", help="hosts of the job (default: 1)")
    train.add_argument(
        "--distribution",
        choices=sorted(DISTRIBUTIONS),
        help="how the hosts train together: mpi (Horovod), torchrun, tf (MultiWorkerMirroredStrategy) or ps "
        "(parameter servers)",
    )
    train.add_argument(
        "--processes-per-host", type=int, metavar="N", help="ranks on each host, with mpi or torchrun (default: 1)"
    )
    train.add_argument("--spot", action="store_true", help="managed spot training: the job can be interrupted")
    train.add_argument(
        "--input-mode",
        choices=("File", "FastFile", "Pipe"),
        default="File",
        help="how the job gets its data; FastFile copies nothing (default: File)",
    )
    train.add_argument(
        "--checkpoint",
        metavar="PLACE",
        help="a folder, or s3://BUCKET/PREFIX, from which the job's checkpoints are restored and where they are left",
    )
    train.add_argument(
        "--s3-data",
        action="append",
        default=[],
        metavar="[NAME=]S3URI",
        help="data that is in S3 already, as channel NAME (default: training); repeatable",
    )


def of(given: argparse.Namespace, taken: Sequence[str]) -> JobOptions:
    """The options that were given; `taken` are the names of the other channels. Raises Stop."""
    if given.instances < 1:
        raise Stop(f"--instances {given.instances}: a job has at least one host.", status=2)
    processes = given.processes_per_host
    if processes is not None and (processes < 1 or given.distribution not in ("mpi", "torchrun")):
        raise Stop("--processes-per-host: a number above 0, with --distribution mpi or torchrun.", status=2)
    return JobOptions(
        instance_type=given.instance_type,
        instances=given.instances,
        distribution=given.distribution,
        processes=processes,
        spot=given.spot,
        input_mode=given.input_mode,
        checkpoint=given.checkpoint if is_in_s3(given.checkpoint) else None,
        s3_data=_s3_channels(given.s3_data, taken),
    )


def checkpoint_folder(given: argparse.Namespace) -> Path | None:
    """The folder of this machine with the job's checkpoints, if that is where they are to be. Raises Stop."""
    if not given.checkpoint or is_in_s3(given.checkpoint):
        return None
    folder = Path(given.checkpoint).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise Stop(f"--checkpoint {given.checkpoint}: it is a file; checkpoints are files in a folder.", status=2)
    return folder


def is_in_s3(place: str | None) -> bool:
    return bool(place) and str(place).startswith("s3://")


def _s3_channels(given: Sequence[str], taken: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for word in given:
        name, equals, uri = word.partition("=")
        if not equals or name.startswith("s3:"):
            name, uri = "training", word
        if not is_in_s3(uri):
            raise Stop(f"--s3-data {word}: expected s3://BUCKET/PREFIX or NAME=s3://BUCKET/PREFIX.", status=2)
        if name in (*taken, *found):
            raise Stop(f"--s3-data {word}: there is a channel {name} already.", status=2)
        found[name] = uri
    return found
