"""Clients of S3 that know AWS's addresses alone use the emulator through its forward proxy, over TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

    from tests.clients.environments import ClientShell

pytestmark = pytest.mark.clients


def test_boto3_of_december_2022(proxy_shell: ClientShell, bucket: str, s3: S3Client) -> None:
    proxy_shell.run("december2022", "boto3_s3.py", bucket)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["copy/data.bin", "copy/one", "from/outside", "in/data.bin"]


def test_the_aws_cli_in_version_2(proxy_shell: ClientShell, bucket: str) -> None:
    if not is_version_2(Path("/usr/bin/aws")):
        pytest.skip("the AWS CLI in version 2 is not here; as root on Debian, scripts/setup --tests installs it")
    proxy_shell.run("", "aws_s3.sh", bucket, f"{bucket}-other")


def is_version_2(aws: Path) -> bool:
    if not aws.exists():
        return False
    return subprocess.check_output([aws, "--version"], text=True).startswith("aws-cli/2.")


def test_rclone(proxy_shell: ClientShell, bucket: str) -> None:
    proxy_shell.run("newest", "rclone_folders.sh", bucket, RCLONE_CONFIG_AWS_PROVIDER="AWS")


def test_s5cmd(proxy_shell: ClientShell, bucket: str) -> None:
    proxy_shell.run("newest", "s5cmd_objects.sh", bucket)


def test_polars(proxy_shell: ClientShell, bucket: str) -> None:
    proxy_shell.run("newest", "polars_parquet.py", bucket)


def test_deltalake(proxy_shell: ClientShell, bucket: str) -> None:
    proxy_shell.run("newest", "delta_tables.py", bucket)
