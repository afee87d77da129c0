"""StoppingCondition, CheckpointConfig, … of CreateTrainingJob: what they may be, before the job exists."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.spot_tags import AFTER_TAG, AT_TAG, NOW_TAG
from samebox.services.context import Services
from samebox.services.members.refusal import not_run
from samebox.settings import list_of_seconds
from samebox.wire.caller import Caller

# SM:StoppingCondition.MaxRuntimeInSeconds
MAX_RUNTIME_SECONDS = 86_400


def check_stopping(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for a MaxWaitTimeInSeconds that does not go with the rest."""
    stopping = params.get("StoppingCondition", {})
    wait = stopping.get("MaxWaitTimeInSeconds")
    if params.get("EnableManagedSpotTraining"):
        if wait is None or wait < stopping.get("MaxRuntimeInSeconds", MAX_RUNTIME_SECONDS):
            # Choice: the rule is SM:StoppingCondition's, the words follow those below.
            raise ValidationException(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif wait is not None:
        # Observed 2019-20, contract.md §1.10.
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )


def check_spot_tags(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for a tag of ours that would interrupt nothing (the words are ours)."""
    for tag in params.get("Tags", ()):
        key, value = tag["Key"], tag["Value"]
        if key not in (NOW_TAG, AFTER_TAG, AT_TAG):
            continue
        if not params.get("EnableManagedSpotTraining"):
            raise ValidationException(
                f"Invalid tag {key}. It is only supported when EnableManagedSpotTraining is set to true"
            )
        if key == AFTER_TAG:
            try:
                list_of_seconds(value)
            except ValueError as error:
                raise ValidationException(f"Invalid tag {key}: {error}; a list of them is 30 60.") from None


def check_registry(params: Mapping[str, Any]) -> None:
    """Refuse credentials of a private registry, which on AWS a function of Lambda gives."""
    config = (params.get("AlgorithmSpecification") or {}).get("TrainingImageConfig") or {}
    if (given := config.get("TrainingRepositoryAuthConfig")) is not None:
        member = "AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAuthConfig"
        why = (
            f"It asks no function for credentials ({given['TrainingRepositoryCredentialsProviderArn']}): pull the "
            "image, push it to the emulator's ECR with samebox push, and name it there."
        )
        raise not_run("sagemaker", "CreateTrainingJob", member, why=why)


def check_warm_pool(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for a warm pool of what can have none (DG:train-warm-pools; the words are ours)."""
    resources = params.get("ResourceConfig", {})
    if not resources.get("KeepAlivePeriodInSeconds"):
        return
    other = "EnableManagedSpotTraining" if params.get("EnableManagedSpotTraining") else ""
    other = other or ("InstanceGroups" if resources.get("InstanceGroups") else "")
    if other:
        raise ValidationException(f"Invalid KeepAlivePeriodInSeconds. It is not supported with {other}")


def check_remote_debug(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for remote debugging where no session can be opened (contract.md §1.10; our words)."""
    if is_debugged(params) and params.get("EnableNetworkIsolation"):
        raise ValidationException("Invalid EnableRemoteDebug. It is not supported with EnableNetworkIsolation")


def is_debugged(request: Mapping[str, Any]) -> bool:
    """Whether remote debugging is enabled."""
    return bool((request.get("RemoteDebugConfig") or {}).get("EnableRemoteDebug"))


def check_mirrored(services: Services, params: Mapping[str, Any], caller: Caller) -> None:
    """Raise ValidationException for a bucket that is not there, and a LocalPath that can be no folder of its own, of
    what is uploaded while the job runs.

    Choice: AWS's words are not known; the first follow those for input data.
    """
    for member, words in _MIRRORED.items():
        config = params.get(member) or {}
        uri = config.get("S3Uri") or config.get("S3OutputPath")
        if uri is None or config.get("DisableProfiler"):
            continue
        if not services.objects.bucket_exists(uri):
            bucket = uri.partition("://")[2].partition("/")[0]
            raise ValidationException(
                f'No S3 bucket found under S3 URL "{uri}" given in {words}. Please ensure that the bucket exists '
                f'in the selected region ({caller.region}), and that the role "{params["RoleArn"]}" has "s3:PutObject" '
                f'permissions on bucket "{bucket}".'
            )
        local = config.get("LocalPath")
        taken = _TAKEN_BY_OUTPUT if member == "CheckpointConfig" else ()
        if local is not None and not _is_folder_of_its_own(PurePosixPath(local), taken):
            raise ValidationException(
                f"Invalid LocalPath '{local}' in {words}. It must be an absolute path, and no directory of the "
                "training platform."
            )


_MIRRORED = {
    "CheckpointConfig": "checkpoint config",
    "DebugHookConfig": "debug hook config",
    "TensorBoardOutputConfig": "TensorBoard output config",
    "ProfilerConfig": "profiler config",
}
# Mounted over, or looked at by the platform itself.
_TAKEN = ("/", "/opt", "/opt/ml", "/opt/ml/input", "/dev", "/proc", "/sys", "/etc", "/usr", "/bin", "/lib")
# Checkpoints are restored there, and must be nothing that is an output in another way.
_TAKEN_BY_OUTPUT = ("/opt/ml/model", "/opt/ml/output", "/opt/ml/output/data")


def _is_folder_of_its_own(path: PurePosixPath, taken: Sequence[str]) -> bool:
    if not path.is_absolute() or ".." in path.parts or "\0" in str(path):
        return False
    return str(path) not in (*_TAKEN, *taken) and not path.is_relative_to("/opt/ml/input")
