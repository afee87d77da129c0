"""Our own S3: `rclone serve s3` over a folder, as a child on a private loopback port."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class RcloneError(Exception):
    """The S3 server did not start, or died. The message ends with its last log lines."""


@dataclass(frozen=True)
class Credentials:
    """The pair of keys that the server was started with; nobody else on the machine knows it."""

    access_key: str
    secret_key: str


class S3Server:
    """Objects as plain files under `<data_dir>/s3/`: a bucket is a folder, a key is a path."""

    def __init__(self, data_dir: Path, ready_timeout: float = 10) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Start the server and wait until it answers; ends a server that an earlier run left. Raises RcloneError."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the server and wait for it; nothing happens when it is not running."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def credentials(self) -> Credentials:
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        raise NotImplementedError
