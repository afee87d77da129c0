"""How the user's program is started on the hosts of a job: alone, or by one of the launches that the toolkits know.

A launch is chosen by a hyperparameter, as the SageMaker SDK's `distribution` sets it (contract.md §1.4.3, §1.11). One
that needs software which this image does not have fails the job: a program that trains alone on every host would
look like one that works.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_training import environment, errors, logging_config, params, process, runner

from samebox_train import processes, tf_config
from samebox_train.tf_config import ParameterServer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from samebox_train.processes import Finished
    from samebox_train.signals import Signals

    Launch = Callable[[Any, str, list[str], dict[str, str], Signals], Finished]

RANKS = Path(__file__).resolve().parent / "ranks.py"
MASTER_PORT = "7777"  # of the toolkit's torchrun, and of SDK v3's

# Of other images: what is asked for, and what it needs.
_NEEDS = {
    "sagemaker_distributed_dataparallel_enabled": "the library smdistributed.dataparallel",
    "sagemaker_pytorch_ddp_enabled": "PyTorch and the launcher smddprun",
    "sagemaker_pytorch_xla_multi_worker_enabled": "the library torch_xla",
}


def run(training: Any, entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals) -> Finished:
    """Run the program to its end on this host. Raises ClientError for a launch that is not to be had."""
    return _chosen(training)(training, entry_point, arguments, variables, signals)


def _chosen(training: Any) -> Launch:
    wanted = training.additional_framework_parameters
    # sagemaker_distribution_instance_groups names the groups that train together; the others run the program alone.
    if training.current_instance_group not in training.distribution_instance_groups:
        return _alone
    asked = [name for name in (*_LAUNCHES, *_NEEDS) if wanted.get(name)]
    if len(asked) > 1:
        raise errors.ClientError(f"only one of {' and '.join(asked)} can be enabled")
    if not asked:
        return _alone
    if asked[0] in _NEEDS:
        raise errors.ClientError(f"{asked[0]} needs {_NEEDS[asked[0]]}, which this image does not have")
    return _LAUNCHES[asked[0]]


def _alone(
    _training: Any, entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals
) -> Finished:
    return _run(_script(entry_point, arguments, variables), variables, signals)


def _script(entry_point: str, arguments: list[str], variables: dict[str, str]) -> list[str]:
    command: list[str] = process.ProcessRunner(entry_point, arguments, variables, 1)._create_command()
    if command[:2] == ["/bin/sh", "-c"]:
        # The toolkit quotes the script line for a shell around this one, which only its error-capturing path has.
        return ["/bin/sh", "-c", "exec " + command[2][1:-1]]
    return command


def _mpi(
    _training: Any, entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals
) -> Finished:
    from samebox_train import mpi  # imports paramiko: 0.2 s that a plain job does not need

    return mpi.run(entry_point, arguments, variables, signals)


def _mirrored(
    training: Any, entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals
) -> Finished:
    config = tf_config.mirrored(training.distribution_hosts, training.current_host)
    return _alone(training, entry_point, arguments, _with_config(variables, config), signals)


def _parameter_servers(
    training: Any, entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals
) -> Finished:
    hosts = training.distribution_hosts
    if len(hosts) == 1:  # as the toolkit: without other hosts there are no servers
        return _alone(training, entry_point, arguments, variables, signals)
    config = tf_config.with_servers(hosts, training.current_host)
    variables = _with_config(variables, config)
    with contextlib.closing(ParameterServer(config, hosts, training.current_host, environment.code_dir)) as server:
        finished = _run(_script(entry_point, arguments, variables), variables, signals, server.process)
        if server.process.returncode is not None:
            raise errors.ClientError(f"the parameter server ended with exit code {server.process.returncode}")
        if finished.code == 0 and signals.received is None:
            server.wait_for_master()
    return finished


def _torch(
    training: Any, entry_point: str, arguments: list[str], variables: dict[str, str], signals: Signals
) -> Finished:
    """torchrun where the image has it; without it, processes of ours with the variables that torchrun sets."""
    chosen = runner.get(runner.RunnerType.TorchDistributed, entry_point, arguments, variables)
    command: list[str] = chosen._create_command()
    if processes.program_is_there("torchrun"):
        return _run(command, variables, signals)
    hosts = training.distribution_hosts
    topology = [str(len(hosts)), str(hosts.index(training.current_host)), str(chosen._processes_per_host)]
    command = [sys.executable, str(RANKS), *topology, hosts[0], MASTER_PORT, entry_point, *arguments]
    return _run(command, variables, signals)


def _with_config(variables: dict[str, str], config: tf_config.Config) -> dict[str, str]:
    text = tf_config.as_json(config)
    os.environ["TF_CONFIG"] = text
    return {**variables, "TF_CONFIG": text}


def _run(
    command: list[str], variables: dict[str, str], signals: Signals, needed: subprocess.Popen[bytes] | None = None
) -> Finished:
    logging_config.log_script_invocation(command, variables)
    return processes.run(command, environment.code_dir, signals, needed=needed)


_LAUNCHES: dict[str, Launch] = {
    params.MPI_ENABLED: _mpi,
    params.MULTI_WORKER_MIRRORED_STRATEGY_ENABLED: _mirrored,
    params.PARAMETER_SERVER_ENABLED: _parameter_servers,
    "sagemaker_torch_distributed_enabled": _torch,
}
