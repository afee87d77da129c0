"""What a training that fails may trip over: one departure from the platform each, and the job that has it."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from samebox.check.training import rules
from samebox.check.training.job import TrainingJob, channels_of
from samebox.check.trials import Departure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from samebox.check.checks import Context
    from samebox.check.ended import HostResult

_SHOWN = 3  # hyperparameters that are named
_CHANNEL = re.compile(r"/opt/ml/input/data/([A-Za-z0-9][\w.-]*)|\bSM_CHANNEL_([A-Z0-9_]+)")

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


def departures(context: Context, job: TrainingJob) -> Iterator[Departure[TrainingJob]]:
    """What to try, cheap guesses first."""
    user = context.subject.config.user.partition(":")[0]
    if user not in ("", "root", "0"):
        as_root = dataclasses.replace(job, user="0")
        yield Departure(rules.USER, f"as root instead of {user}", as_root, r"permission|denied|EACCES|errno 13\b")
    yield from _of_hyperparameters(context.options.hyperparameters, job)
    yield Departure(
        rules.CONFIG_FILES,
        "without the files that it may not know",
        dataclasses.replace(job, only_documented_files=True),
        r"debughook|profilerconfig|upstreamoutput|trainingjobconfig|metric-definition|init-config|input/config",
    )
    yield Departure(
        rules.HOSTNAME,
        "on a machine named algo-1",
        dataclasses.replace(job, hostname="algo-1"),
        r"host|ip-\d+|algo-\d|ec2\.internal",
    )
    yield Departure(
        rules.OWN_NAME,
        "with algo-1 at 127.0.0.1",
        dataclasses.replace(job, extra_hosts={"algo-1": "127.0.0.1"}),
        r"connect|refused|timed? ?out|bind|address|algo-\d|unreachable",
    )
    yield Departure(
        rules.SM_VARIABLES,
        "with SM_* variables",
        dataclasses.replace(job, environment=_sm(context)),
        r"\bSM_[A-Z]|environ|unbound variable|parameter not set",
    )
    yield Departure(
        rules.ARGUMENT,
        "without the argument",
        dataclasses.replace(job, without_argument=True),
        r"argument|usage|unrecogni[sz]ed|unexpected|unknown (?:command|option)|['\"` ]train\b",
        is_shown=lambda ended: _ran_its_program(context, ended),
    )


def numbers(given: Mapping[str, str]) -> dict[str, Any]:
    """Those whose values spell numbers, true or false, as these."""
    return {name: value for name, value in _decoded(given) if isinstance(value, int | float)}


def unquoted(given: Mapping[str, str]) -> dict[str, Any]:
    """Those whose values bear quotes of their own, without them."""
    return {name: value for name, value in _decoded(given) if isinstance(value, str)}


def structures(given: Mapping[str, str]) -> dict[str, Any]:
    """Those whose values spell lists or objects, or null, as these."""
    return {name: value for name, value in _decoded(given) if isinstance(value, list | dict | None)}


def _decoded(given: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, text in given.items():
        try:
            yield name, json.loads(text)
        except ValueError:  # a string without quotes, which is unambiguous
            continue


def _of_hyperparameters(given: Mapping[str, str], job: TrainingJob) -> Iterator[Departure[TrainingJob]]:
    named = "|".join(re.escape(word) for pair in given.items() for word in pair if word)
    hint = rf"TypeError|ValueError|JSONDecodeError|hyper-?parameter|\b(?:{named})(?!\w)" if named else "hyper"
    kinds = (numbers(given), unquoted(given), structures(given))
    remedies = (None, rules.QUOTED, rules.STRUCTURES)
    for changed, remedy in zip(kinds, remedies, strict=True):
        if changed:
            yield _with(job, given, changed, hint, remedy)
    if sum(map(bool, kinds)) > 1:
        yield _with(job, given, {**kinds[0], **kinds[1], **kinds[2]}, hint, rules.STRUCTURES)


def _with(
    job: TrainingJob, given: Mapping[str, str], changed: Mapping[str, Any], hint: str, remedy: str | None
) -> Departure[TrainingJob]:
    shown = [
        f"{name} {json.dumps(value)} in place of the string {given[name]!r}"
        if not isinstance(value, str)
        else f"{name} {value} in place of {given[name]}"
        for name, value in list(changed.items())[:_SHOWN]
    ]
    more = f" and {len(changed) - _SHOWN} more like it" if len(changed) > _SHOWN else ""
    changed_job = dataclasses.replace(job, hyperparameters=dict(changed))
    return Departure(rules.HYPERPARAMETERS, f"with {', '.join(shown)}{more}", changed_job, hint, remedy)


def _ran_its_program(context: Context, ended: HostResult) -> bool:
    """Whether a run with the image's own CMD shows that the program trains, and not that the CMD, a shell, ends."""
    config = context.subject.config
    return bool(ended.left.files) or bool(config.entrypoint and not config.command)


def _sm(context: Context) -> dict[str, str]:
    channels = channels_of(context)
    return {
        **SM,
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_HPS": json.dumps(dict(context.options.hyperparameters)),
        **{f"SM_HP_{name.upper()}": value for name, value in context.options.hyperparameters.items()},
        **{f"SM_CHANNEL_{name.upper()}": f"/opt/ml/input/data/{name}" for name in channels},
    }


def wanted_channel(plain: HostResult, channels: Mapping[str, object]) -> str:
    """The channel that a failed job speaks of and does not have; "" where it speaks of none."""
    said = [line for quote in plain.quotes for line in quote.text.splitlines() if not line.startswith((" ", "\t"))]
    return next((name for name, is_there in _named("\n".join(said), channels) if not is_there), "")


def read_channel(context: Context, channels: Mapping[str, object]) -> str:
    """The channel that the program `train` itself names, where it names none that the job has; else ""."""
    program = context.subject.which("train")
    text = (context.subject.read_file(program.path) if program else None) or b""
    named = list(_named(text.decode(errors="replace"), channels))
    return "" if any(is_there for _, is_there in named) else next((name for name, _ in named), "")


def _named(text: str, channels: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Each channel that a text names, by its path or its variable, and whether the job has it."""
    for found in _CHANNEL.finditer(text):
        path, variable = found.groups()
        name = path.rstrip(".") if path else variable.lower()
        has = {channel if path else channel.lower().replace("-", "_") for channel in channels}
        pipe, _, epoch = name.rpartition("_")
        if not name.endswith("-manifest"):
            yield name, name in has or ((epoch.isdigit() or not epoch) and pipe in has)
