"""`samebox shell`: becomes a shell in a container of a job that runs, as remote debugging opens one on AWS."""

import argparse
import os
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from samebox.commands import aws, job_kinds
from samebox.commands.job_kinds import FINAL
from samebox.commands.outcome import Stop
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import ARN_LABEL, ContainerApi, EngineError

# bash, where the image has it.
_SHELL = ("sh", "-c", "command -v bash > /dev/null && exec bash || exec sh")


def run(given: argparse.Namespace) -> int:
    session = aws.of_running(given.data_dir)
    with aws.spoken():
        kind, job = job_kinds.find(session, given.job)
    if kind.status(job) in FINAL:
        raise Stop(f"{given.job} has ended: {kind.status(job)}. Its containers are gone; its log is not.")
    try:
        with closing(DockerEngine(instance_id="")) as engine:
            container = container_of(hosts(engine, given.job, job[f"{kind.noun}Arn"]), given.job, given.host)
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    if (warning := difference(job)) is not None:
        sys.stderr.write(f"samebox shell: {warning}\n")
    sys.stderr.flush()
    command = arguments(container, given.run_command, sys.stdin.isatty() and sys.stdout.isatty())
    try:
        # It takes our place, so signals, terminal and exit status are its own.
        os.execvp(command[0], command)  # noqa: S606  (no shell is wanted)
    except FileNotFoundError:
        raise Stop("the `docker` program is not on PATH. scripts/setup installs it on Debian and Ubuntu.") from None


def hosts(engine: ContainerApi, job: str, arn: str) -> Mapping[str, str]:
    """The running containers of a job, by their hosts' names."""
    pattern = re.compile(rf"samebox-{re.escape(job)}-(.+)-[0-9a-f]{{8}}")
    running = (one for one in engine.find({ARN_LABEL: arn}) if one.running)
    found = {match[1]: one.id for one in running if (match := pattern.fullmatch(one.name))}
    return dict(sorted(found.items()))


def container_of(running: Mapping[str, str], job: str, host: str) -> str:
    """The container of one host. Raises Stop."""
    if host in running:
        return running[host]
    if not running:
        raise Stop(f"{job} has no container that runs yet; `samebox status` shows how far it is.")
    raise Stop(f"{job} has no host {host} that runs, but {', '.join(running)}.")


def arguments(container: str, command: str | None, is_terminal: bool) -> tuple[str, ...]:
    """The command line of `docker exec`."""
    words = _SHELL if command is None else ("sh", "-c", command)
    return ("docker", "exec", "--interactive", *(["--tty"] if is_terminal else []), container, *words)


def difference(job: Mapping[str, Any]) -> str | None:
    """Why AWS would not open a session; None where it would (contract.md §1.10)."""
    if job.get("EnableNetworkIsolation"):
        return "on AWS, a job with EnableNetworkIsolation cannot be debugged."
    if not (job.get("RemoteDebugConfig") or {}).get("EnableRemoteDebug"):
        return "on AWS, this needs RemoteDebugConfig.EnableRemoteDebug of the training job, and Systems Manager."
    return None
