"""The defaults file of SageMaker's Python SDKs: no telemetry, and the emulator's bucket and role.

Without it the SDKs call STS at AWS's address in spite of AWS_ENDPOINT_URL, and report each call to AWS.
"""

import json
from pathlib import Path
from typing import Any

from samebox.wire.partitions import partition_of

VARIABLE = "SAGEMAKER_ADMIN_CONFIG_OVERRIDE"
# The SDK's third version would ask IAM what the role may do.
VALIDATE_ROLE = "SAGEMAKER_VALIDATE_ROLE"


def written(data_dir: Path, account: str, region: str) -> Path | None:
    """Where the defaults of an account and region are; None where there is no data folder. Raises OSError."""
    if not data_dir.is_dir():
        return None
    path = data_dir.resolve() / f"sagemaker-{account}-{region}.yaml"
    text = json.dumps(defaults(account, region), indent=2) + "\n"  # which is YAML, too
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def defaults(account: str, region: str) -> dict[str, Any]:
    """As the SDK's schema has it (sagemaker 2.257, sagemaker-core 2.27)."""
    role = f"arn:{partition_of(region).name}:iam::{account}:role/samebox"
    return {
        "SchemaVersion": "1.0",
        "SageMaker": {
            "PythonSDK": {
                "Modules": {
                    "TelemetryOptOut": True,
                    "Session": {"DefaultS3Bucket": f"sagemaker-{region}-{account}"},
                    "RemoteFunction": {"RoleArn": role},
                    "NotebookJob": {"RoleArn": role},
                    "Serve": {"RoleArn": role},
                }
            },
            "TrainingJob": {"RoleArn": role},
            "ProcessingJob": {"RoleArn": role},
            "Model": {"ExecutionRoleArn": role},
            "Pipeline": {"RoleArn": role},
        },
    }
