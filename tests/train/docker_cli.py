"""Containers of the baked images, run by the docker command and removed at the end of a test."""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import dataclass

LABEL = "samebox=tests"


def docker(*arguments: str, timeout: float = 120) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class RunningContainer:
    """One container that was started."""

    id: str

    def wait(self, timeout: float = 120) -> int:
        """The exit code."""
        return int(docker("wait", self.id, timeout=timeout))

    def stop(self, seconds: int) -> int:
        """SIGTERM, `seconds`, SIGKILL; the exit code."""
        docker("stop", "-t", str(seconds), self.id, timeout=seconds + 30)
        return self.wait()

    def logs(self) -> str:
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout + done.stderr

    def wait_for_line(self, text: str, timeout: float = 120) -> str:
        """The first line of the log that holds `text`."""
        with subprocess.Popen(
            ["docker", "logs", "-f", self.id], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as follower:
            limit = threading.Timer(timeout, follower.kill)
            limit.start()
            try:
                assert follower.stdout is not None
                for line in follower.stdout:
                    if text in line:
                        return line.rstrip("\n")
            finally:
                limit.cancel()
                follower.kill()
        raise AssertionError(f"no line with {text!r} in {timeout} s:\n{self.logs()}")

    def run(self, *command: str) -> str:
        return docker("exec", self.id, *command)

    def address(self, port: int = 8080) -> str:
        """host:port where the container's port is published."""
        return docker("port", self.id, str(port)).splitlines()[0]

    def check_running(self) -> None:
        """AssertionError with the log where the container has ended."""
        assert docker("inspect", "-f", "{{.State.Running}}", self.id).strip() == "true", self.logs()

    def labels(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(docker("inspect", "-f", "{{json .Config.Labels}}", self.id))
        return found


def start(image: str, *command: str, options: tuple[str, ...] = ()) -> RunningContainer:
    return RunningContainer(docker("run", "-d", "--label", LABEL, *options, image, *command).strip())


def remove(container: RunningContainer) -> None:
    docker("rm", "-f", "-v", container.id)
