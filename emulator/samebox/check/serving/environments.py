"""The server in the environment of batch transform and of serverless endpoints. Contract §3.1, §2.11."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from samebox.check.checks import CannotCheck, Check, Claim, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import ENGINE, FAST_SECONDS, must_be_of_use, patience, payload
from samebox.check.serving.server import WINDOW_SECONDS, Boot, RunningServer, Setup, running, start
from samebox.check.serving.wire import NoResponse

TRANSFORM: frozenset[Claim] = frozenset({"transform"})
SERVERLESS: frozenset[Claim] = frozenset({"serverless"})
SERVERLESS_MEMORY = 6 << 30  # the most that there is
SOMEBODY = "10001:10001"  # a user that no image defines
BATCH = {
    "SAGEMAKER_BATCH": "true",
    "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6",
    "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
    "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "2",
}
_STRATEGIES = {"MULTI_RECORD", "SINGLE_RECORD"}
_MOST_MEGABYTES = 100  # MaxConcurrentTransforms times MaxPayloadInMB, contract §3.2

BATCH_STARTS = Rule(
    "transform-environment",
    "The server starts and answers with the environment of batch transform",
    "contract §3.1",
    "fail",
    "transform",
    "SAGEMAKER_BATCH is true there, and what the job sets comes as SAGEMAKER_MAX_PAYLOAD_IN_MB and its like.",
)
PARAMETERS = Rule(
    "transform-execution-parameters",
    "GET /execution-parameters answers what batch transform can use, or 404",
    "contract §3.1",
    "warn",
    "transform",
    'Answer {"MaxConcurrentTransforms": 8, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}, or leave it out; '
    "anything else is ignored.",
)
READ_ONLY = Rule(
    "serverless-read-only-root",
    "The server starts with only /tmp writable",
    "contract §2.11, huggingface/text-embeddings-inference#609",
    "fail",
    "serverless",
    "Write below /tmp: HOME, caches, sockets, logs and compiled files, too.",
)
NOT_ROOT = Rule(
    "serverless-non-root",
    "The server starts as a non-root user",
    "contract §2.11, mlflow/mlflow#5544",
    "fail",
    "serverless",
    "RUN chmod -R o+rX on what it reads, o+rwX on what it must write; listen on 8080, not below 1024.",
)


def batch_starts(context: Context) -> Finding:
    must_be_of_use(context)
    one = payload(context)
    server = _batch_server(context)
    try:
        answer = server.ask("POST", "/invocations", one.body, one.headers, seconds=min(FAST_SECONDS, patience(context)))
    except NoResponse as error:
        return BATCH_STARTS.broken(f"{one.name}: {error}")
    if one.is_given and not answer.is_good:
        return BATCH_STARTS.broken(f"{one.name}: {answer.words}")
    return BATCH_STARTS.passed(f"{one.name}: {answer.status}, with {', '.join(BATCH)}")


def batch_boot(context: Context) -> Finding:
    boot = _batch_boot(context)
    if boot.server is None:
        running(context)  # who does not start without it, either, has another fault
        return boot.quoted_in(BATCH_STARTS.broken(f"with {', '.join(BATCH)}: {boot.with_log}"))
    return batch_starts(context)


def execution_parameters(context: Context) -> Finding:
    server = _batch_server(context)
    try:
        answer = server.ask("GET", "/execution-parameters", seconds=FAST_SECONDS)
    except NoResponse as error:
        return PARAMETERS.broken(str(error))
    if answer.status in (404, 405):
        return PARAMETERS.passed(f"{answer.status}: the defaults hold (1 at a time, MULTI_RECORD, 6 MB)")
    if answer.status != 200:
        return PARAMETERS.broken(answer.words)
    problem, shown = _parameters(answer.body)
    return PARAMETERS.broken(f"{problem}: {answer.words}") if problem else PARAMETERS.passed(shown)


def _parameters(body: bytes) -> tuple[str, str]:
    """The values of /execution-parameters, or what is wrong with them."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return "it is not JSON", ""
    if not isinstance(found, dict):
        return "it is not a JSON object", ""
    at_once, megabytes = found.get("MaxConcurrentTransforms", 1), found.get("MaxPayloadInMB", 6)
    for name, value in (("MaxConcurrentTransforms", at_once), ("MaxPayloadInMB", megabytes)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return f"{name} is not a whole number", ""
    if found.get("BatchStrategy", "MULTI_RECORD") not in _STRATEGIES:
        return f"BatchStrategy is none of {', '.join(sorted(_STRATEGIES))}", ""
    if at_once * megabytes > _MOST_MEGABYTES:
        return f"{at_once} times {megabytes} MB at once is over {_MOST_MEGABYTES} MB", ""
    return "", f"{at_once} at a time, {found.get('BatchStrategy', 'MULTI_RECORD')}, {megabytes} MB"


def _batch_boot(context: Context) -> Boot:
    return context.shared.get("batch server", lambda: start(context, Setup(environment=BATCH)), _remove)


def _batch_server(context: Context) -> RunningServer:
    boot = _batch_boot(context)
    if boot.server is None:
        raise CannotCheck(f"the server did not start with the environment of batch transform: see {BATCH_STARTS.id}")
    return boot.server


# Serverless: read-only and not root at once; which of them is at fault is asked only where it does not start.

_READ_ONLY = Setup(read_only_root=True, tmpfs={"/tmp": "size=512m,mode=1777"}, memory_bytes=SERVERLESS_MEMORY)  # noqa: S108  # of the container
_NOT_ROOT = Setup(user=SOMEBODY, memory_bytes=SERVERLESS_MEMORY)


def read_only(context: Context) -> Finding:
    return _serverless(context, READ_ONLY, _READ_ONLY, "on a read-only root with /tmp")


def not_root(context: Context) -> Finding:
    return _serverless(context, NOT_ROOT, _NOT_ROOT, f"as user {SOMEBODY}")


def _serverless(context: Context, rule: Rule, alone: Setup, words: str) -> Finding:
    strict = context.shared.get("serverless", lambda: _start_and_remove(context, replace(_READ_ONLY, user=SOMEBODY)))
    if strict.how == "ready":
        return rule.passed(f"it starts {words}, in {strict.seconds:.1f} s")
    running(context)
    boot = _start_and_remove(context, alone)
    if boot.how == "ready":
        return rule.passed(f"it starts {words}")
    return boot.quoted_in(rule.broken(f"{words}: {boot.with_log}"))


def _start_and_remove(context: Context, setup: Setup) -> Boot:
    boot = start(context, setup)
    _remove(boot)
    return boot


def _remove(boot: Boot) -> None:
    if boot.server is not None:
        boot.server.remove()


CHECKS = (
    Check(BATCH_STARTS, batch_boot, ENGINE, TRANSFORM, seconds=WINDOW_SECONDS + 60),
    Check(PARAMETERS, execution_parameters, ENGINE, TRANSFORM, seconds=WINDOW_SECONDS + 60),
    Check(READ_ONLY, read_only, ENGINE, SERVERLESS, seconds=WINDOW_SECONDS + 60),
    Check(NOT_ROOT, not_root, ENGINE, SERVERLESS, seconds=WINDOW_SECONDS + 60),
)
