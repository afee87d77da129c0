"""Programs of the command line that use S3 do their work unmodified, each from a locked environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

    from tests.clients.environments import ClientShell

pytestmark = pytest.mark.clients


def test_the_aws_cli(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "aws_s3.sh", bucket, f"{bucket}-other")


def test_rclone(shell: ClientShell, bucket: str) -> None:
    # Not the provider AWS: for that one, rclone signs bodies in a way that needs TLS.
    remote = {"RCLONE_CONFIG_AWS_PROVIDER": "Other", "RCLONE_CONFIG_AWS_FORCE_PATH_STYLE": "true"}
    remote["RCLONE_CONFIG_AWS_ENDPOINT"] = shell.variables["AWS_ENDPOINT_URL"]
    shell.run("newest", "rclone_folders.sh", bucket, **remote)


def test_s3cmd(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "s3cmd_objects.sh", bucket)


def test_s5cmd(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "s5cmd_objects.sh", bucket)


def test_dvc(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("aiobotocore", "dvc_data.sh", bucket)
    # 31 files and the list of them: of the second version alone.
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 32
