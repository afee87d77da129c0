"""A large object goes up in parts and comes down again: how much memory that takes of the process that serves.

    scripts/s3-large-upload --gigabytes 20

The server runs in a process of its own. Its peak is taken after a small upload and after the large one; the program
exits with 1 when the second is more than the first by a part's size or more.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config

from tests.s3_server import serving

ROOT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
PART = 32 * MIB
SMALL = 2 * PART
_PIECE = MIB


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int]]:
    """URL and process of a server over `folder`."""
    command = [sys.executable, "-m", "tests.s3.large_upload", "--serve", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.pid
        process.communicate()  # the end of its input ends it


def peak(process: int) -> int:
    """The most memory that a process had so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def there_and_back(url: str, size: int) -> None:
    """Upload an object of `size` bytes in parts, and read it."""
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="0" * 12, aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    name, body = f"large-{size}", os.urandom(PART)
    client.create_bucket(Bucket=name)
    upload = client.create_multipart_upload(Bucket=name, Key="k")["UploadId"]
    parts = [
        client.upload_part(Bucket=name, Key="k", UploadId=upload, PartNumber=number, Body=body)["ETag"]
        for number in range(1, size // PART + 1)
    ]
    client.complete_multipart_upload(
        Bucket=name, Key="k", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(parts, 1)]},
    )  # fmt: skip
    read = sum(len(piece) for piece in client.get_object(Bucket=name, Key="k")["Body"].iter_chunks(_PIECE))
    assert read == size
    client.delete_object(Bucket=name, Key="k")
    client.close()


def growth(folder: Path, size: int) -> int:
    """By how many bytes the server's peak is higher after an object of `size` than after a small one."""
    with server(folder) as (url, process):
        there_and_back(url, SMALL)
        before = peak(process)
        there_and_back(url, size)
        return peak(process) - before


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/s3-large-upload", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=int, default=20, help="how large the object is (default: 20)")
    parser.add_argument("--folder", type=Path, help="where it is kept (default: a temporary folder)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        with serving(options.serve) as running:
            print(running.url, flush=True)
            sys.stdin.read()
        return 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        grown = growth(Path(folder), options.gigabytes * 1024 * MIB)
    print(f"{options.gigabytes} GiB up and down in {time.monotonic() - start:.0f} s: {grown / MIB:.1f} MiB more memory")
    return int(grown >= PART)


if __name__ == "__main__":
    sys.exit(main())
