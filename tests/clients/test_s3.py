"""Libraries that use S3 do their work unmodified, each from a locked environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

    from tests.clients.environments import ClientShell

pytestmark = pytest.mark.clients
# object_store, which polars and deltalake are built on, speaks HTTP without TLS only where it is allowed to.
OVER_HTTP = {"AWS_ALLOW_HTTP": "true"}


def keys(s3: S3Client, bucket: str) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_boto3(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("newest", "boto3_s3.py", bucket)
    assert keys(s3, bucket) == ["copy/data.bin", "copy/one", "from/outside", "in/data.bin"]


def test_a_browser_of_folders(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "boto3_browser.py", bucket)


def test_s3fs_pandas_and_fastparquet(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("aiobotocore", "s3fs_pandas.py", bucket)
    assert "frames/one.parquet" in keys(s3, bucket)


def test_pyarrow(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("newest", "pyarrow_datasets.py", bucket)
    assert keys(s3, bucket) == ["made/", "made/deep/", "one.parquet", "stream.bin"]


def test_polars(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("newest", "polars_parquet.py", bucket, **OVER_HTTP)
    assert keys(s3, bucket) == ["lazy/0.parquet", "lazy/1.parquet", "one.csv", "one.parquet"]


def test_smart_open(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("newest", "smart_open_streams.py", bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_the_client_of_mountpoint_and_s3torchconnector(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("newest", "mountpoint_client.py", bucket)
    assert len(keys(s3, bucket)) == 13


def test_mlflow(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("newest", "mlflow_artifacts.py", bucket)
    assert keys(s3, bucket) == ["mlruns/1/model/MLmodel", "mlruns/1/model/weights/w.bin"]


def test_deltalake(shell: ClientShell, bucket: str) -> None:
    shell.run("newest", "delta_tables.py", bucket, **OVER_HTTP)


def test_javascript(shell: ClientShell, bucket: str, s3: S3Client) -> None:
    shell.run("javascript", "javascript_s3.mjs", bucket)
    assert s3.head_object(Bucket=bucket, Key="large.bin")["ETag"].endswith('-3"')
