"""The plain training job, as SageMaker runs it. If it fails, the cause is found by trial.

The job is repeated with one departure from the platform at a time; the first with which it trains names the fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.check import buffering, trials
from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.ended import NO_NETWORK, counted, words_about
from samebox.check.hosts import to_the_end
from samebox.check.static import programs
from samebox.check.training.departures import departures, read_channel, wanted_channel
from samebox.check.training.job import TrainingJob, channels_of, run, running
from samebox.check.training.rules import (
    ARGUMENT,
    COMPLETES,
    CONFIG_FILES,
    HOSTNAME,
    HYPERPARAMETERS,
    LOGS,
    MODEL,
    MODEL_LINKS,
    NETWORK,
    OWN_NAME,
    SM_VARIABLES,
    USER,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from samebox.check.ended import HostResult
    from samebox.check.findings import Finding, Rule
    from samebox.platform.pipes import Pipes

SECONDS = 900.0  # for the plain job and all that is tried when it fails
_PLAIN_SECONDS = 600.0

# The word alone: a folder of data may be called train, too.
_NO_PROGRAM = (
    r"executable file not found|(?<![\w./-])['\"]?train['\"]?: (?:(?:command )?not found|no such file)"
    r"|exec train failed|can't open (?:file )?['\"]?(?:/(?!opt/ml/)\S*/|/)?train['\"]?:|cannot find module '\S*/train'"
)


@dataclass(frozen=True)
class TrainingBaseline:
    """The plain job's end. `culprit`: the rule that it broke, where it failed; `seen`: how that shows.

    `in_pipe_mode`: it trains so, and not in File mode, which an image that claims Pipe mode need not know.
    """

    plain: HostResult
    checkpoints: Path
    culprit: Rule | None = None
    seen: str = ""
    remedy: str | None = None  # where more is known than the rule's own
    in_pipe_mode: bool = False


@dataclass(frozen=True)
class Piped:
    """The plain job in Pipe mode, and what it read."""

    ended: HostResult
    pipes: Pipes | None


def baseline(context: Context) -> TrainingBaseline:
    """Run once; later uses are free."""
    return context.shared.get("training-baseline", lambda: _examined(context))


def trained(context: Context) -> HostResult:
    """The plain job, which went well. Raises CannotCheck otherwise."""
    found = baseline(context)
    if found.culprit is not None:
        raise CannotCheck(f"training fails: see {found.culprit.id}")
    return found.plain


def job_of(context: Context) -> TrainingJob:
    """What a further job is made of: its input mode is the one that the image trains in. Has no checkpoints."""
    return TrainingJob(pipe=baseline(context).in_pipe_mode)


def least_seconds(context: Context, more: HostResult | None = None) -> float:
    """What a whole job takes at the least: the first is slow, because nothing of the image was in memory yet."""
    seen = context.shared.get("training-seconds", lambda: [trained(context).seconds])
    if more is not None:
        seen.append(more.seconds)
    return min(seen)


def piped(context: Context) -> Piped:
    """The plain job in Pipe mode; run once."""
    return context.shared.get("training-piped", lambda: run_piped(context, _folder(context, "checkpoints-piped")))


def run_piped(context: Context, checkpoints: Path, prompt: bool = False) -> Piped:
    with running(context, TrainingJob(checkpoints=checkpoints, pipe=True, prompt_pipes=prompt)) as started:
        return Piped(to_the_end(context, started, _PLAIN_SECONDS), started.pipes)


def _folder(context: Context, name: str) -> Path:
    assert context.scratch is not None
    folder = context.scratch / name
    folder.mkdir(exist_ok=True)
    return folder


def _examined(context: Context) -> TrainingBaseline:
    checkpoints = _folder(context, "checkpoints")
    job = TrainingJob(checkpoints=checkpoints)
    seconds = _PLAIN_SECONDS
    other: Piped | None = None
    if "pipe" in context.claims and channels_of(context):
        # First, because one that knows nothing else waits in File mode for a pipe that never comes.
        other = piped(context)
        if other.ended.is_good:
            seconds = 3 * other.ended.seconds + 30
    plain = run(context, job, seconds)
    if plain.is_good:
        return TrainingBaseline(plain, checkpoints)
    if other is not None and other.ended.is_good:
        return TrainingBaseline(other.ended, _folder(context, "checkpoints-piped"), in_pipe_mode=True)
    if trials.did_not_start(plain, _NO_PROGRAM, lambda: _has_program(context)):
        return TrainingBaseline(plain, checkpoints, ARGUMENT, plain.outcome)
    about = words_about(NO_NETWORK, plain)
    if about:
        return TrainingBaseline(plain, checkpoints, NETWORK, f"{plain.how} after {plain.seconds:.1f} s: {about}")
    channel = wanted_channel(plain, channels_of(context))
    if channel:
        return _without_channel(context, plain, checkpoints, f"it wants a channel {channel}", channel)
    found = trials.culprit(context, plain, departures(context, job), lambda one, limit: run(context, one, limit))
    if found is None and plain.exit_code is not None and (channel := read_channel(context, channels_of(context))):
        return _without_channel(context, plain, checkpoints, f"its program reads the channel {channel}", channel)
    if found is None:
        return TrainingBaseline(plain, checkpoints, COMPLETES, plain.outcome, trials.cure(plain))
    ends = "it trains" if found.ended.left.files else "it ends with exit code 0, and leaves no model"
    departure = found.departure
    seen = f"{plain.outcome}; {departure.words}, {ends}"
    return TrainingBaseline(plain, checkpoints, departure.rule, seen, departure.remedy)


def _has_program(context: Context) -> bool:
    return programs.program(programs.TRAIN, "train")(context).status != "fail"


def _without_channel(
    context: Context, plain: HostResult, checkpoints: Path, words: str, channel: str
) -> TrainingBaseline:
    have = sorted(channels_of(context))
    if not have:
        remedy = f"give --data with a folder {channel} in it"
        return TrainingBaseline(plain, checkpoints, COMPLETES, f"{plain.outcome}; {words}", remedy)
    seen = f"{plain.outcome}; {words}, and the job has {', '.join(have)}"
    remedy = (
        f"Call the channel {channel}: here the folder in --data, in a job the ChannelName. Or read what is there: "
        f"/opt/ml/input/data/{have[0]}, which inputdataconfig.json names."
    )
    return TrainingBaseline(plain, checkpoints, COMPLETES, seen, remedy)


def argument(context: Context) -> Finding:
    found = baseline(context)
    if found.culprit is ARGUMENT and not _has_program(context):
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
        return trials.fault(HYPERPARAMETERS, found)
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
        last = f"; its last output: {ended.last_words[:200]}" if ended.last_words else ""
        return MODEL.broken(f"exit code 0, and /opt/ml/model is empty{last}").quoting((), ended.lines)
    return MODEL.passed(f"{counted(files)}, {sum(one.size for one in files):,} bytes")


def model_links(context: Context) -> Finding:
    links = [one for one in trained(context).left.files if one.link]
    if links:
        return MODEL_LINKS.broken(", ".join(f"{one.path} -> {one.link}" for one in links[:3]))
    return MODEL_LINKS.passed("none")


def logs(context: Context) -> Finding:
    ended = trained(context)
    if not ended.last_words:
        return LOGS.broken("not one line")
    return buffering.looked_at(context, LOGS, ended) or LOGS.passed(f"its last line: {ended.last_words[:120]}")


_ENGINE = frozenset({"files", "engine"})
_TRAIN = frozenset({"train"})

CHECKS = tuple(
    Check(rule, look, _ENGINE, _TRAIN, SECONDS)  # type: ignore[arg-type]  # frozensets of literals
    for rule, look in (
        (ARGUMENT, argument),
        (COMPLETES, completes),
        (HYPERPARAMETERS, hyperparameters),
        (CONFIG_FILES, _not_tripped_over(CONFIG_FILES, "trained with all that SageMaker writes")),
        (HOSTNAME, _not_tripped_over(HOSTNAME, "trained on a machine with an EC2 name")),
        (OWN_NAME, _not_tripped_over(OWN_NAME, "trained with algo-1 at its address in the network")),
        (SM_VARIABLES, _not_tripped_over(SM_VARIABLES, "trained without any from outside")),
        (USER, user),
        (NETWORK, _not_tripped_over(NETWORK, "trained, cut off from the world")),
        (MODEL, model),
        (MODEL_LINKS, model_links),
        (LOGS, logs),
    )
)
