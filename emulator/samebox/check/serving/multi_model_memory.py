"""How a multi-model server responds when memory is short: 507, and SageMaker unloads other models. Contract §2.8.

The given model is loaded under one name after another, in a container with memory for a few of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving import processes
from samebox.check.serving.multi_model import COPIES, LOAD, LOAD_SECONDS, MODEL, MULTI_MODEL, SETUP, STARTS, post
from samebox.check.serving.server import WINDOW_SECONDS, engine_of, start
from samebox.check.serving.wire import NoResponse

if TYPE_CHECKING:
    from samebox.check.serving.server import RunningServer

_LEAST_BYTES = 24 << 20  # of memory that a model must take to fill any with
_ROOM = 4  # models, beside what the server takes with one
_SPARE_BYTES = 64 << 20  # for what a kernel counts beside the processes' own: buffers, sockets, tables

MEMORY = Rule(
    "multi-model-memory",
    "POST /models answers 507 when memory is short, and loads again once others are unloaded",
    "contract §2.8",
    "warn",
    "multi-model",
    "Before a model is loaded compare its size with what is free (the cgroup's memory.max, else MemAvailable), and "
    "answer 507; only then does SageMaker unload others and try again.",
)


def memory(context: Context) -> Finding:
    before, each = _sizes(context)
    if each < _LEAST_BYTES:
        return MEMORY.skipped(
            f"loading the model takes {each / 1e6:.1f} MB: too little to fill memory with; --model gives a larger one"
        )
    limit = before + _ROOM * each + _SPARE_BYTES
    if limit > engine_of(context).capacity().memory_bytes // 2:
        return MEMORY.skipped(
            f"loading the model takes {each / 1e9:.1f} GB: this machine's memory is too small for this check"
        )
    boot = start(context, replace(SETUP, memory_bytes=limit))
    if boot.server is None:
        return MEMORY.skipped(f"with {limit / 1e6:,.0f} MB of memory it does not start")
    try:
        return _fill(context, boot.server, f"with {limit / 1e6:,.0f} MB of memory and models of {each / 1e6:,.0f} MB")
    finally:
        boot.server.remove()


def _fill(context: Context, server: RunningServer, words: str) -> Finding:
    for number, name in enumerate(COPIES, 1):
        try:
            answer = post(server, name, _patience(context))
        except NoResponse as error:
            return _lost(server, f"{words}, POST /models of model {number}: {error}")
        if answer.status == 507:
            return _made_room(context, server, number, words)
        if answer.status != 200:
            return MEMORY.broken(f"{words}, POST /models of model {number}: {answer.words}")
        if not server.is_running:
            return _lost(server, f"{words}, after model {number}")
    return MEMORY.skipped(
        f"{words}, all {len(COPIES)} were loaded: it makes room itself, or shares what they have in common"
    )


def _made_room(context: Context, server: RunningServer, number: int, words: str) -> Finding:
    """What SageMaker does with a 507: unload what was used least lately, and try again."""
    refused, others = COPIES[number - 1], COPIES[: number - 1]
    if not others:
        return MEMORY.skipped(f"{words}, not even one was loaded (507)")
    for count, name in enumerate(others, 1):
        try:
            server.ask("DELETE", f"/models/{name}", seconds=_patience(context))
            answer = post(server, refused, _patience(context))
        except NoResponse as error:
            return _lost(server, f"{words}, 507 for model {number}; then {count} unloaded, and loaded again: {error}")
        if answer.status == 200:
            return MEMORY.passed(
                f"{words}, 507 for model {number}; 200 once {count} {'was' if count == 1 else 'were'} unloaded"
            )
    return MEMORY.broken(f"{words}, 507 for model {number}, and still {answer.status} when all others were unloaded")


def _lost(server: RunningServer, words: str) -> Finding:
    state = server.engine.inspect(server.container)
    if state.oom_killed:
        words = f"{words}; it was killed for want of memory"
    elif not state.running:
        words = f"{words}; it ended with exit code {state.exit_code}"
    # A server that asks the machine, and not its cgroup, is right on an instance, where both are the same.
    return MEMORY.broken(f"{words}. A server that looks at /proc/meminfo alone sees more here than it has")


def _sizes(context: Context) -> tuple[int, int]:
    """The memory that a server takes with one model, and what each further one adds. Raises CannotCheck."""
    boot = start(context, SETUP)
    if boot.server is None:
        raise CannotCheck(f"the server never became ready: see {STARTS.id}")
    try:
        sizes = []
        for name in COPIES[:3]:
            if post(boot.server, name, _patience(context)).status != 200:
                raise CannotCheck(f"three models could not be loaded: see {LOAD.id}")
            size = processes.memory_bytes(boot.server.container)
            if size is None:
                raise CannotCheck("the container's processes cannot be seen from here")
            sizes.append(size)
        return sizes[0], (sizes[2] - sizes[0]) // 2
    except NoResponse:
        raise CannotCheck(f"three models could not be loaded: see {LOAD.id}") from None
    finally:
        boot.server.remove()


def _patience(context: Context) -> float:
    return max(min(LOAD_SECONDS, context.deadline.left - 5), 1.0)


CHECKS = (Check(MEMORY, memory, MODEL, MULTI_MODEL, seconds=2 * WINDOW_SECONDS + 3 * LOAD_SECONDS),)
