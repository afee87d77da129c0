"""Programs of the command line that use S3 do their work unmodified, each from a locked environment."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

    from tests.clients.environments import ClientShell

pytestmark = pytest.mark.clients


def test_the_aws_cli(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "aws_s3.sh", bucket, f"{bucket}-other")


def test_the_aws_cli_in_version_2(shell: ClientShell, bucket: str) -> None:
    if not is_version_2(Path("/usr/bin/aws")):
        pytest.skip("the AWS CLI in version 2 is not here; as root on Debian, scripts/setup --tests installs it")
    # Debian's is older than AWS_ENDPOINT_URL.
    always = shell.folder / "always.sh"
    always.write_text('aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n')
    shell.run("", "aws_s3.sh", bucket, f"{bucket}-other", BASH_ENV=str(always))


def is_version_2(aws: Path) -> bool:
    if not aws.exists():
        return False
    return subprocess.check_output([aws, "--version"], text=True).startswith("aws-cli/2.")


def test_rclone(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "rclone_folders.sh", bucket)


def test_s3cmd(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "s3cmd_objects.sh", bucket)


def test_s5cmd(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "s5cmd_objects.sh", bucket)


def test_dvc(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("aiobotocore", "dvc_data.sh", bucket)
    # 31 files and the list of them: of the second version alone.
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 32
