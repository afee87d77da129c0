"""The start of the server: whether it starts, where it listens, and whether it becomes ready. Contract §2.1, §2.2."""

from __future__ import annotations

import re
from dataclasses import replace

from samebox.check.archive import NotAnImage
from samebox.check.checks import CannotCheck, Check, Context, OutOfTime
from samebox.check.findings import Finding, Rule
from samebox.check.serving import ends
from samebox.check.serving.served import ENGINE, GIVE_MODEL, SERVED
from samebox.check.serving.server import (
    WINDOW_SECONDS,
    Boot,
    Setup,
    first_boot,
    has_model,
    label,
    rule_of,
    running,
    start,
    wants_gpu,
    wants_writable_model,
)
from samebox.check.static import programs
from samebox.check.static.places import line_of
from samebox.containers.engine import EngineError
from samebox.platform.serving import BIND_LABEL

OTHER_PORT = 8093
_NOT_FOUND = (126, 127)  # how a shell or an init ends that could not start what it was to start
# What a runtime writes into the log where only the kernel, and too late, finds that this is not a program.
_NO_PROGRAM = re.compile(r"^exec \S+: (?:exec format error|no such file or directory|permission denied)$")
_READ = (programs.SERVE.id, programs.SHELL_FORM.id, programs.TINI.id, programs.CRLF.id)

STARTS = Rule(
    "serve-starts",
    "`docker run IMAGE serve` starts a server that stays",
    "contract §2.1",
    "fail",
    "serving",
    "The container gets the one argument serve: have a program of this name on PATH, or an exec-form ENTRYPOINT that "
    "accepts it.",
)
LISTENS = Rule(
    "serve-listens",
    "The server listens on port 8080 on all interfaces",
    "contract §2.2",
    "fail",
    "serving",
    "Bind to 0.0.0.0:8080. 127.0.0.1 inside a container is the container alone.",
)
PING_PATH = Rule(
    "serve-ping-path",
    "GET /ping is answered at exactly this path, without a redirect",
    "contract §2.2",
    "fail",
    "serving",
    "Have a route GET /ping that answers 200 itself; a redirect to /ping/ does not pass.",
)
READY = Rule(
    "serve-ready",
    "/ping answers 200 within the start window",
    "contract §2.2",
    "fail",
    "serving",
    "Answer 200 once the model is loaded; what must take longer than 8 minutes needs "
    "ContainerStartupHealthCheckTimeoutInSeconds.",
)
READ_ONLY_MODEL = Rule(
    "serve-read-only-model",
    "The server works with a read-only model folder",
    "contract §2.4",
    "fail",
    "serving",
    "/opt/ml/model is read-only: write caches and unpacked files below /tmp.",
)
WITHOUT_GPU = Rule(
    "serve-without-gpu",
    "The server starts on an instance without a GPU",
    "contract §2.1",
    "warn",
    "serving",
    "Load CUDA only where there is a GPU, or deploy to GPU instances alone.",
)
BIND_TO_PORT = Rule(
    "serve-bind-to-port",
    "The server listens on SAGEMAKER_BIND_TO_PORT, as its label declares",
    "contract §2.7",
    "fail",
    "serving",
    "Read the port from SAGEMAKER_BIND_TO_PORT, 8080 without it; in a pipeline, containers share one network.",
)


def starts(context: Context) -> Finding:
    boot = first_boot(context)
    if boot.how not in ("cannot start", "exited"):
        return STARTS.passed("it started")
    _leave_to_others(context, "serve-starts")
    if _never_ran(boot):
        _leave_to_static(context)
    line = line_of(context, "ENTRYPOINT") or line_of(context, "CMD")
    if boot.how == "cannot start":
        return boot.quoted_in(STARTS.broken(boot.with_log, line=line))
    ending = ends.of(context, boot)
    if ending is not None:
        return boot.quoted_in(STARTS.broken(boot.explained(ending.words), ending.remedy, line))
    more = GIVE_MODEL if context.options.model is None else "`docker run IMAGE serve` shows all of it."
    return boot.quoted_in(STARTS.broken(boot.with_log, f"Its log says why. {more}", line))


def listens(context: Context) -> Finding:
    boot = first_boot(context)
    _leave_to_others(context, "serve-listens")
    if boot.how == "wrong place":
        return LISTENS.broken(boot.words, boot.cure)
    return LISTENS.passed("it does")


def ping_path(context: Context) -> Finding:
    boot = first_boot(context)
    _leave_to_others(context, "serve-ping-path")
    if boot.how in ("wrong answer", "broken answer"):
        return PING_PATH.broken(boot.words, boot.cure)
    if boot.server is None:
        raise CannotCheck(f"the server never became ready: see {rule_of(context, boot)}")
    return PING_PATH.passed("200")


def ready(context: Context) -> Finding:
    boot = first_boot(context)
    _leave_to_others(context, "serve-ready")
    if boot.how == "not ready":
        if has_model(context):
            return boot.quoted_in(READY.broken(boot.with_log, boot.cure))
        # A server that reports that it has no model behaves as it should.
        return boot.quoted_in(replace(READY.unknown(f"without a model it was {boot.with_log}"), remedy=GIVE_MODEL))
    if boot.seconds > WINDOW_SECONDS / 2:
        return READY.warned(f"ready after {boot.seconds:.0f} s of the {WINDOW_SECONDS:.0f} s that it has")
    return READY.passed(f"ready after {boot.seconds:.1f} s")


def read_only_model(context: Context) -> Finding:
    if wants_writable_model(context):
        boot = first_boot(context)
        words = f"it starts only when it may write to /opt/ml/model: {boot.with_log}"
        return boot.quoted_in(READ_ONLY_MODEL.broken(words))
    running(context)
    return READ_ONLY_MODEL.passed("it started with /opt/ml/model mounted read-only")


def without_gpu(context: Context) -> Finding:
    boot = first_boot(context)
    if wants_gpu(boot):
        return boot.quoted_in(WITHOUT_GPU.broken(boot.with_log))
    running(context)
    return WITHOUT_GPU.passed("it started without one")


def bind_to_port(context: Context) -> Finding:
    if label(context, BIND_LABEL) != "true":
        return BIND_TO_PORT.skipped("its label does not claim accept-bind-to-port")
    running(context)
    environment = {"SAGEMAKER_BIND_TO_PORT": str(OTHER_PORT), "SAGEMAKER_SAFE_PORT_RANGE": "9000-9999"}
    boot = start(context, Setup(environment=environment, port=OTHER_PORT))
    if boot.server is None:
        return BIND_TO_PORT.broken(f"with SAGEMAKER_BIND_TO_PORT={OTHER_PORT}, {boot.words}")
    boot.server.remove()
    return BIND_TO_PORT.passed(f"it answers on port {OTHER_PORT} when that is set")


def _never_ran(boot: Boot) -> bool:
    """Whether there was no program that could have failed."""
    return boot.how == "cannot start" or boot.exit_code in _NOT_FOUND or any(map(_NO_PROGRAM.match, boot.log))


def _leave_to_static(context: Context) -> None:
    """Raises CannotCheck where a rule of this run that only reads the image reports why nothing starts."""
    for check in programs.CHECKS:
        if check.rule.id in _READ and check.rule.id in context.wanted and check.is_of_interest(context.claims):
            try:
                found = check.run(context)
            except (NotAnImage, EngineError, OutOfTime, OSError):
                return  # an image that cannot be read may be run all the same
            if isinstance(found, Finding) and found.status == "fail":
                raise CannotCheck(f"nothing starts: see {check.rule.id}")


def _leave_to_others(context: Context, rule_id: str) -> None:
    """Raises CannotCheck where another rule reports why the server did not start."""
    boot = first_boot(context)
    if boot.server is None and (other := rule_of(context, boot)) != rule_id:
        raise CannotCheck(f"the server never became ready: see {other}")


CHECKS = (
    Check(STARTS, starts, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),
    Check(LISTENS, listens, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),
    Check(PING_PATH, ping_path, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),
    Check(READY, ready, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),
    Check(READ_ONLY_MODEL, read_only_model, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),
    Check(WITHOUT_GPU, without_gpu, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),
)
# Last, because it needs a start of its own, which is not worth the time after another fault.
LATE_CHECKS = (Check(BIND_TO_PORT, bind_to_port, ENGINE, SERVED, seconds=WINDOW_SECONDS + 60),)
