"""Starts the ranks of one host with the variables that torchrun sets, where there is no torchrun.

    ranks.py HOSTS HOST_NUMBER PROCESSES MASTER PORT SCRIPT [arguments]

One that fails ends the others, and its exit code is that of all; a signal goes to the whole process group by itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

GRACE_SECONDS = 10.0


def variables(hosts: int, number: int, count: int, master: str, port: str) -> list[dict[str, str]]:
    """What each rank of a host finds, as torch.distributed's documentation has it for `torchrun`."""
    shared = {
        "MASTER_ADDR": master,
        "MASTER_PORT": port,
        "WORLD_SIZE": str(hosts * count),
        "LOCAL_WORLD_SIZE": str(count),
        "GROUP_RANK": str(number),
        "GROUP_WORLD_SIZE": str(hosts),
        "ROLE_NAME": "default",
        "ROLE_WORLD_SIZE": str(hosts * count),
        "TORCHELASTIC_MAX_RESTARTS": "0",
        "TORCHELASTIC_RESTART_COUNT": "0",
        "TORCHELASTIC_RUN_ID": "none",
    }
    ranks = range(number * count, (number + 1) * count)
    return [
        {**shared, "RANK": str(rank), "ROLE_RANK": str(rank), "LOCAL_RANK": str(local)}
        for local, rank in enumerate(ranks)
    ]


def run(environments: list[dict[str, str]], command: list[str]) -> int:
    """Run the command once for each environment; the exit code of the first that fails, as a shell shows it."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # the ranks have it, too, and decide
    usual = {"OMP_NUM_THREADS": "1"} if len(environments) > 1 else {}  # or each rank would take all processors
    started = [subprocess.Popen(command, env={**usual, **os.environ, **one}) for one in environments]
    running, failed = {process.pid: process for process in started}, 0
    while running:
        pid, status = os.wait()
        process = running.pop(pid, None)
        if process is None:
            continue
        code = os.waitstatus_to_exitcode(status)
        process.returncode = code
        if code and not failed:
            failed = code if code > 0 else 128 - code
            _end(running)
    return failed


def _end(running: dict[int, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        process.terminate()
    for process in running.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        process.kill()
    running.clear()


def main(arguments: list[str]) -> int:
    hosts, number, count = (int(text) for text in arguments[:3])
    master, port, *script = arguments[3:]
    return run(variables(hosts, number, count, master, port), [sys.executable, *script])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
