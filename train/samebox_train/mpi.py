"""Training under mpirun (`sagemaker_mpi_enabled`), with the errors that the toolkit's runners lose.

The toolkit's worker reports success whatever became of its ranks, its master leaves the workers polling when mpirun
fails, sleeps 30 s at the end of every job, and needs mpi4py. The commands are the toolkit's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_training import environment, errors, logging_config, mpi, runner

from samebox_train import processes
from samebox_train.signals import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox_train.signals import Signals

RANK_VARIABLE = b"OMPI_COMM_WORLD_RANK="
STATUS_WAIT_SECONDS = 5 * 60
HOST_WAIT_SECONDS = 15 * 60  # as for its name (hosts.py)


def run(entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals) -> processes.Finished:
    """Run as the master or a worker of the job, whichever this host is."""
    chosen = runner.get(runner.RunnerType.MPI, entry_point, arguments, variables)
    if isinstance(chosen, mpi.MasterRunner):
        return _run_master(chosen, variables, signals)
    return _run_worker(chosen, signals)


def _run_master(master: Any, variables: dict[str, str], signals: Signals) -> processes.Finished:
    mpi._start_sshd_daemon()
    _wait_for_sshd([host for host in master._hosts if host != master._master_hostname])
    command = _without_mpi4py(master._create_command())
    logging_config.log_script_invocation(command, variables)
    status_file = f"{mpi.MPI_FINISHED_STATUS_FILE}.{master._master_hostname}"
    code = 1
    try:
        finished = processes.run(command, environment.code_dir, signals, signal_ranks)
        code = finished.code
    finally:
        for host in master._hosts:
            if host != master._master_hostname:
                _tell_worker(host, status_file, code)
    return finished


def _run_worker(worker: Any, signals: Signals) -> processes.Finished:
    signals.starting()
    signals.deliver_to(lambda number: signal_ranks(None, number))
    status_file = Path(f"{mpi.MPI_FINISHED_STATUS_FILE}.{worker._master_hostname}")
    _wait_for_sshd([worker._master_hostname])
    mpi._write_env_vars_to_file()
    mpi._start_sshd_daemon()
    daemons = mpi._orted_process()
    if daemons is None:
        raise errors.ClientError("the MPI master started no process on this host within 20 minutes")
    mpi.psutil.wait_procs(daemons)
    # orted ends with 0 whatever its ranks did; only the master knows how the job ended.
    code = _read_status(status_file)
    signals.ended()
    if code is None:
        raise errors.ClientError(
            f"lost the MPI master {worker._master_hostname}: no word of the end in {STATUS_WAIT_SECONDS} s"
        )
    return processes.Finished(("mpirun on", worker._master_hostname), code, f"mpirun ended with exit code {code}")


def _wait_for_sshd(hosts: list[str]) -> None:
    """Until each host can be reached. The toolkit waits for an hour, or for ever, and names no host in the end."""
    deadline = time.monotonic() + HOST_WAIT_SECONDS
    for host in hosts:
        while not mpi._can_connect(host):
            if time.monotonic() > deadline:
                raise errors.ClientError(
                    f"host {host} did not start within {HOST_WAIT_SECONDS} s: no sshd answers there"
                )
            time.sleep(1)


def signal_ranks(mpirun: int | None, number: int) -> None:
    """Send a signal to the ranks on this host.

    Not to mpirun: it would kill the ranks a second after signalling them. The platform signals every host, so each host
    needs to signal its own ranks only, and when they end mpirun ends with their exit code.
    """
    ranks = list(_ranks())
    for pid in ranks:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    if not ranks and mpirun is not None:
        processes.signal_group(mpirun, number)


def _ranks() -> Iterator[int]:
    """The processes mpirun started itself: they carry a rank, and their parents do not."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _has_rank(entry):
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if not _has_rank(Path("/proc") / parent):
                    yield int(entry.name)


def _has_rank(process: Path) -> bool:
    try:
        return any(variable.startswith(RANK_VARIABLE) for variable in (process / "environ").read_bytes().split(b"\0"))
    except OSError:
        return False


def _without_mpi4py(command: list[str]) -> list[str]:
    """`python -m mpi4py script` makes an uncaught exception abort all ranks.

    Without mpi4py mpirun itself does, as soon as one rank ends with an error.
    """
    if importlib.util.find_spec("mpi4py") is not None or "mpi4py" not in command:
        return command
    at = command.index("mpi4py")
    return command[: at - 1] + command[at + 1 :]


def _tell_worker(host: str, status_file: str, code: int) -> None:
    for _ in range(6):
        told = subprocess.run(
            ["ssh", host, f"echo {code} > {status_file}.part && mv {status_file}.part {status_file}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if told.returncode == 0:
            return
        time.sleep(1)
    say(f"could not report the end of the job to {host}: {told.stderr.strip()}")


def _read_status(path: Path) -> int | None:
    deadline = time.monotonic() + STATUS_WAIT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            return int(path.read_text().strip() or 0)
        time.sleep(1)
    return None
