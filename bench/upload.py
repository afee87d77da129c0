"""A large upload, in a process of its own: `python -m bench.upload PORT KEY MEGABYTES`, by boto3, of no file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from bench.stand import BUCKET, MB, NotMeasured, S3Place
from tests.scenarios.emulator_process import ACCOUNT

if TYPE_CHECKING:
    from tests.scenarios.emulator_process import EmulatorProcess

END_SECONDS = 60


class Endless:
    """A readable stream of so many bytes that do not compress, the same megabyte over and over."""

    def __init__(self, size: int) -> None:
        self._block = os.urandom(MB)
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most a megabyte of them."""
        taken = min(self._left, MB if size < 0 else size)
        self._left -= taken
        return (self._block * (taken // MB + 1))[:taken]


class LargeUpload:
    """A large upload to an emulator that is under way while a block lasts. Raises NotMeasured where it was not."""

    def __init__(self, emulator: EmulatorProcess, megabytes: int) -> None:
        self._words = [sys.executable, "-m", "bench.upload", str(emulator.port), "large", str(megabytes)]
        self._emulator = emulator

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._words, stdin=subprocess.PIPE)

    def __exit__(self, *_: object) -> None:
        was_under_way = self._process.poll() is None
        self._process.terminate()
        self._process.wait(END_SECONDS)
        for one in self._emulator.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self._emulator.s3.abort_multipart_upload(Bucket=BUCKET, Key=one["Key"], UploadId=one["UploadId"])
        if not was_under_way:
            raise NotMeasured("the upload ended before the invocations did")


def upload(port: int, key: str, megabytes: int) -> None:
    """Upload so many megabytes in parts, to the emulator on the port."""
    client = S3Place("127.0.0.1", port, ACCOUNT, "test").client()
    client.upload_fileobj(Endless(megabytes * MB), BUCKET, key)


def _end_with_parent() -> None:
    # A bench that is killed leaves no upload behind: its end of the pipe closes.
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    upload(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    os._exit(0)  # the other thread waits for its input, and would be met in it at an end of the interpreter
