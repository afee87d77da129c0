"""Faults that a job asked for, as they are carried out: an end, or something that is done to its containers."""

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping

from samebox.containers.engine import ContainerState, EngineError
from samebox.faults.kinds import Fault, Point
from samebox.jobs.phases import JobDependencies

log = logging.getLogger(__name__)

OUT_OF_MEMORY = "out-of-memory"
KILLED = 137  # 128 and SIGKILL's number


@contextlib.contextmanager
def while_running(deps: JobDependencies, containers: Mapping[str, str]) -> Iterator[None]:
    """Carry out those of the job that strike while its containers, given by their hosts' names, run."""
    timers = []
    while (fault := deps.faults.take(Point.RUNNING)) is not None:
        timer = threading.Timer(fault.number("after", 0.0), _strike, (fault, deps, containers))
        timer.daemon = True
        timers.append(timer)
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def is_out_of_memory(deps: JobDependencies, state: ContainerState) -> bool:
    """Whether the container was killed for its memory, by the kernel or by a fault."""
    return state.oom_killed or (state.exit_code == KILLED and deps.faults.has_struck(OUT_OF_MEMORY))


def _strike(fault: Fault, deps: JobDependencies, containers: Mapping[str, str]) -> None:
    host = fault.parameters.get("host", next(iter(containers)))
    container = containers.get(host)
    if container is None:
        deps.log.report(f"fault {fault}: the job has no host {host}")
        return
    deps.lines[host].report(f"fault {fault}")
    try:
        if fault.kind.name == "lost-host":
            deps.engine.remove(container)
        elif fault.kind.name == "hang":
            deps.engine.kill(container, "SIGSTOP")
        else:
            deps.engine.kill(container, "SIGKILL")
    except EngineError as error:
        log.info("fault %s: %s", fault, error)  # the container has ended
