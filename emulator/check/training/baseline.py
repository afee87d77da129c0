"""The plain job: what SageMaker gives everybody. Where it fails, what the image trips over is found by trial.

One departure from the platform is tried after the other; the first with which the image trains names the fault.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.check import trials
from emulator.check.checks import CannotCheck, Check, Context
from emulator.check.ended import NO_NETWORK, counted, words_about
from emulator.check.findings import Finding, Rule
from emulator.check.hosts import to_the_end
from emulator.check.static import programs
from emulator.check.training.job import Job, channels_of, run, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from emulator.check.ended import Ended
    from emulator.check.training.pipes import Pipes

SECONDS = 900.0  # for the plain job and all that is tried when it fails
_PLAIN_SECONDS = 600.0
_TRY_SECONDS = 120.0  # what takes longer to fail is not tried again

_NO_PROGRAM = r"executable file not found|train: not found|train: no such file|can't open '?train"

COMPLETES = Rule(
    "train-completes",
    "Training ends with exit code 0 under SageMaker's /opt/ml",
    "contract §1.1, §1.2",
    "fail",
    "training",
    "Read the last lines of its log; give --data with a channel in each folder, and --hyperparameter NAME=VALUE.",
)
ARGUMENT = Rule(
    "train-argument",
    "It starts with the one argument `train`",
    "contract §1.1",
    "fail",
    "training",
    'Put a program named train on PATH, or an ENTRYPOINT ["program"] that takes the word train and does not mind it.',
)
HYPERPARAMETERS = Rule(
    "train-hyperparameters",
    "It takes hyperparameters whose values are all strings",
    "contract §1.3",
    "fail",
    "training",
    'hyperparameters.json holds strings only: {"epochs":"3"}. Convert each value: int(parameters["epochs"]).',
)
CONFIG_FILES = Rule(
    "train-config-files",
    "It does not mind files in /opt/ml/input/config that it does not know",
    "contract §1.2",
    "fail",
    "training",
    "Open the files you need by name; SageMaker adds debughookconfig.json, profilerconfig.json and others.",
)
HOSTNAME = Rule(
    "train-hostname",
    "It does not take the machine's name for algo-1",
    "contract §1.1",
    "fail",
    "training",
    "HOSTNAME is ip-….ec2.internal: read current_host from /opt/ml/input/config/resourceconfig.json.",
)
OWN_NAME = Rule(
    "train-own-name",
    "It finds itself by the name in current_host, at an address that is not 127.0.0.1",
    "contract §1.1, §1.4.4; where there is one host, a choice of this kit",
    "warn",
    "training",
    "What shall be reached by the name algo-1 must listen on 0.0.0.0, and names are looked up anew where that fails.",
)
SM_VARIABLES = Rule(
    "train-sm-variables",
    "It needs no SM_* variables, or sets them itself",
    "contract §1.4.2, §1.12",
    "fail",
    "training",
    "SM_MODEL_DIR and its like are made by sagemaker-training inside an image: install it, or use the paths.",
)
USER = Rule(
    "train-user",
    "The image's user can write /opt/ml/model and /opt/ml/output",
    "contract §1.1",
    "fail",
    "training",
    "The folders are root's, 0755: drop USER, or end with USER root.",
)
NETWORK = Rule(
    "train-network-isolation",
    "It trains without a network",
    "contract §1.4.5; CreateTrainingJob.EnableNetworkIsolation",
    "warn",
    "training",
    "Put what it downloads into the image or into a channel; a job with EnableNetworkIsolation reaches nothing.",
)
MODEL = Rule(
    "train-model",
    "The model is in /opt/ml/model when training has ended",
    "contract §1.8",
    "fail",
    "training",
    "Only /opt/ml/model becomes model.tar.gz: write the model there.",
)
MODEL_LINKS = Rule(
    "train-model-links",
    "There are no links in /opt/ml/model",
    "contract §2.4",
    "fail",
    "training",
    "A model.tar.gz with symbolic links cannot be deployed: copy the files (cp -L).",
)
LOGS = Rule(
    "train-logs",
    "It logs to standard output or standard error",
    "contract §1.9",
    "warn",
    "training",
    "Only these two reach CloudWatch, and metrics are found there: log to them, and not (only) to a file.",
)

SM = {
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_INPUT_DIR": "/opt/ml/input",
    "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
    "SM_OUTPUT_DIR": "/opt/ml/output",
    "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
    "SM_CURRENT_HOST": "algo-1",
    "SM_HOSTS": '["algo-1"]',
    "SM_NUM_GPUS": "0",
    "SM_NUM_CPUS": "2",
    "SM_LOG_LEVEL": "20",
    "SM_NETWORK_INTERFACE_NAME": "eth0",
}


@dataclass(frozen=True)
class Baseline:
    """The plain job's end. `culprit`: the rule that it broke, where it failed; `seen`: how that shows.

    `in_pipe_mode`: it trains so, and not in File mode, which an image that claims Pipe mode need not know.
    """

    plain: Ended
    checkpoints: Path
    culprit: Rule | None = None
    seen: str = ""
    in_pipe_mode: bool = False


@dataclass(frozen=True)
class Piped:
    """The plain job in Pipe mode, and what it read."""

    ended: Ended
    pipes: Pipes | None


def baseline(context: Context) -> Baseline:
    """Run once; later uses are free."""
    return context.shared.get("training-baseline", lambda: _examined(context))


def trained(context: Context) -> Ended:
    """The plain job, which went well. Raises CannotCheck otherwise."""
    found = baseline(context)
    if found.culprit is not None:
        raise CannotCheck(f"training fails: see {found.culprit.id}")
    return found.plain


def job_of(context: Context) -> Job:
    """What a further job is made of: its input mode is the one that the image trains in. Has no checkpoints."""
    return Job(pipe=baseline(context).in_pipe_mode)


def least_seconds(context: Context, more: Ended | None = None) -> float:
    """What a whole job takes at the least: the first is slow, because nothing of the image was in memory yet."""
    seen = context.shared.get("training-seconds", lambda: [trained(context).seconds])
    if more is not None:
        seen.append(more.seconds)
    return min(seen)


def piped(context: Context) -> Piped:
    """The plain job in Pipe mode; run once."""
    return context.shared.get("training-piped", lambda: run_piped(context, _folder(context, "checkpoints-piped")))


def run_piped(context: Context, checkpoints: Path, prompt: bool = False) -> Piped:
    with running(context, Job(checkpoints=checkpoints, pipe=True, prompt_pipes=prompt)) as started:
        return Piped(to_the_end(context, started, _PLAIN_SECONDS), started.pipes)


def _folder(context: Context, name: str) -> Path:
    assert context.scratch is not None
    folder = context.scratch / name
    folder.mkdir(exist_ok=True)
    return folder


def _examined(context: Context) -> Baseline:
    checkpoints = _folder(context, "checkpoints")
    job = Job(checkpoints=checkpoints)
    seconds = _PLAIN_SECONDS
    other: Piped | None = None
    if "pipe" in context.claims and channels_of(context):
        # First, because one that knows nothing else waits in File mode for a pipe that never comes.
        other = piped(context)
        if other.ended.is_good:
            seconds = 3 * other.ended.seconds + 30
    plain = run(context, job, seconds)
    if plain.is_good:
        return Baseline(plain, checkpoints)
    if other is not None and other.ended.is_good:
        return Baseline(other.ended, _folder(context, "checkpoints-piped"), in_pipe_mode=True)
    if plain.start_error or plain.exit_code in (126, 127) or words_about(_NO_PROGRAM, plain):
        return Baseline(plain, checkpoints, ARGUMENT, plain.outcome)
    about = words_about(NO_NETWORK, plain)
    if about:
        return Baseline(plain, checkpoints, NETWORK, f"{plain.outcome.partition(':')[0]}: {about}")
    if plain.exit_code is not None and plain.seconds < _TRY_SECONDS:
        for rule, words, changed in _departures(context, job):
            if run(context, changed, _TRY_SECONDS).is_good:
                return Baseline(plain, checkpoints, rule, f"{plain.outcome}; {words}, it trains")
    return Baseline(plain, checkpoints, COMPLETES, plain.outcome)


def _departures(context: Context, job: Job) -> Iterator[tuple[Rule, str, Job]]:
    """What to try, and the words for it, cheap guesses first."""
    user = context.subject.config.user.partition(":")[0]
    if user not in ("", "root", "0"):
        yield USER, f"as root instead of {user}", dataclasses.replace(job, user="0")
    given = context.options.hyperparameters
    numbers = {name: as_number(value) for name, value in given.items()}
    if numbers != dict(given):
        yield HYPERPARAMETERS, "with numbers in place of strings", dataclasses.replace(job, hyperparameters=numbers)
    yield CONFIG_FILES, "without the files that it may not know", dataclasses.replace(job, only_documented_files=True)
    yield HOSTNAME, "on a machine named algo-1", dataclasses.replace(job, hostname="algo-1")
    yield OWN_NAME, "with algo-1 at 127.0.0.1", dataclasses.replace(job, extra_hosts={"algo-1": "127.0.0.1"})
    yield SM_VARIABLES, "with SM_* variables", dataclasses.replace(job, environment=_sm(context))
    yield ARGUMENT, "without the argument", dataclasses.replace(job, without_argument=True)


def _sm(context: Context) -> dict[str, str]:
    channels = channels_of(context)
    return {
        **SM,
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_HPS": json.dumps(dict(context.options.hyperparameters)),
        **{f"SM_HP_{name.upper()}": value for name, value in context.options.hyperparameters.items()},
        **{f"SM_CHANNEL_{name.upper()}": f"/opt/ml/input/data/{name}" for name in channels},
    }


def as_number(value: str) -> Any:
    """As somebody who has forgotten that they are strings would have written it."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def argument(context: Context) -> Finding:
    found = baseline(context)
    if found.culprit is ARGUMENT and programs.program(programs.TRAIN, "train")(context).status == "fail":
        raise CannotCheck("it cannot be started: see train-program")
    look = _not_tripped_over(ARGUMENT, "started as `docker run IMAGE train`", "ENTRYPOINT")
    return look(context)


def completes(context: Context) -> Finding:
    found = baseline(context)
    aside = ", in Pipe mode; in File mode it does not train" if found.in_pipe_mode else ""
    return trials.completes(context, COMPLETES, found, "training", aside)


def _not_tripped_over(rule: Rule, seen: str, word: str = "") -> Callable[[Context], Finding]:
    return trials.not_tripped_over(baseline, trained, rule, seen, word)


def hyperparameters(context: Context) -> Finding:
    found = baseline(context)
    given: Mapping[str, str] = context.options.hyperparameters
    if found.culprit is HYPERPARAMETERS:
        return HYPERPARAMETERS.broken(found.seen)
    trained(context)
    if not given:
        return HYPERPARAMETERS.skipped("none were given: name some that it knows with --hyperparameter NAME=VALUE")
    return HYPERPARAMETERS.passed(f"trained with {', '.join(given)} as strings")


def user(context: Context) -> Finding:
    look = _not_tripped_over(USER, f"trained as {context.subject.config.user or 'root'}", "USER")
    return look(context)


def model(context: Context) -> Finding:
    ended = trained(context)
    files = ended.left.files
    if not files:
        last = f"; the last that it said: {ended.last_words[:200]}" if ended.last_words else ""
        return MODEL.broken(f"exit code 0, and /opt/ml/model is empty{last}")
    return MODEL.passed(f"{counted(files)}, {sum(one.size for one in files):,} bytes")


def model_links(context: Context) -> Finding:
    links = [one for one in trained(context).left.files if one.link]
    if links:
        return MODEL_LINKS.broken(", ".join(f"{one.path} -> {one.link}" for one in links[:3]))
    return MODEL_LINKS.passed("none")


def logs(context: Context) -> Finding:
    lines = [line for line in trained(context).log if line.text.strip()]
    return LOGS.passed(f"its last line: {lines[-1].text.strip()[:120]}") if lines else LOGS.broken("not one line")


_ENGINE = frozenset({"files", "engine"})
_TRAIN = frozenset({"train"})

CHECKS = tuple(
    Check(rule, look, _ENGINE, _TRAIN, SECONDS)  # type: ignore[arg-type]  # frozensets of literals
    for rule, look in (
        (ARGUMENT, argument),
        (COMPLETES, completes),
        (HYPERPARAMETERS, hyperparameters),
        (CONFIG_FILES, _not_tripped_over(CONFIG_FILES, "trained with all that SageMaker writes")),
        (HOSTNAME, _not_tripped_over(HOSTNAME, "trained on a machine named ip-10-0-209-118.ec2.internal")),
        (OWN_NAME, _not_tripped_over(OWN_NAME, "trained with algo-1 at its address in the network")),
        (SM_VARIABLES, _not_tripped_over(SM_VARIABLES, "trained without any from outside")),
        (USER, user),
        (NETWORK, _not_tripped_over(NETWORK, "trained, cut off from the world")),
        (MODEL, model),
        (MODEL_LINKS, model_links),
        (LOGS, logs),
    )
)
