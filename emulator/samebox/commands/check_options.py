"""The options of a check run, validated: for `samebox check` and for the pytest plugin.

Invalid options raise Stop with a one-sentence message before anything is started.
"""

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebox.check import accepted, dockerfile, hosts
from samebox.check.accepted import BadAcceptance
from samebox.check.checks import Check, Claim, Options
from samebox.check.findings import Acceptance
from samebox.check.image_cache import ImageCache
from samebox.check.registry import CHECKS, RETIRED
from samebox.check.training import job
from samebox.commands import model_archive
from samebox.commands.outcome import UNUSABLE, Stop
from samebox.containers import instances
from samebox.data import channels, processing
from samebox.data.channels import ChannelError

ACCEPTED = Path(".samebox-check.toml")


_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True)
class CheckArguments:
    """The arguments beside the image, as given. `dashes` is the prefix of option names in messages."""

    claims: frozenset[Claim] = frozenset()
    data: Path | None = None
    model: Path | None = None
    payloads: Sequence[Path] = ()
    hyperparameters: Sequence[str] = ()  # NAME=VALUE
    record_io: bool = False
    instance_type: str = ""
    entrypoint: Sequence[str] = ()
    arguments: Sequence[str] = ()
    outputs: Sequence[str] = ()
    dockerfile: Path | None = None
    max_size: str = ""
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    accept: Path | None = None
    fast: bool = False
    cache: ImageCache | None = None
    dashes: str = "--"


@dataclass(frozen=True)
class CheckOptions:
    """Validated arguments: the selected checks, and the options that each of them sees."""

    checks: tuple[Check, ...]
    options: Options
    dockerfile: dockerfile.Dockerfile | None
    acceptances: tuple[Acceptance, ...]
    cache: ImageCache | None = None  # where what was read of images is kept; None: nowhere


def validated(arguments: CheckArguments) -> CheckOptions:
    """The options that the arguments come to. Raises Stop for invalid ones."""
    for path in [arguments.data, arguments.model, arguments.dockerfile, arguments.accept, *arguments.payloads]:
        if path is not None and not path.exists():
            raise Stop(f"there is no {path}.", status=UNUSABLE)
    if arguments.data is not None and not arguments.data.is_dir():
        raise Stop(f"{arguments.dashes}data {arguments.data} is not a folder.", status=UNUSABLE)
    if arguments.data is not None and arguments.claims != {"processing"}:
        _check_channels(arguments.data, arguments.dashes)
    options = Options(
        claims=_claims(arguments),
        data=arguments.data,
        model=arguments.model,
        unpack=model_archive.unpack,
        hyperparameters=_hyperparameters(arguments),
        record_io=arguments.record_io,
        **_instance(arguments),
        entrypoint=tuple(arguments.entrypoint),
        arguments=tuple(arguments.arguments),
        outputs=tuple(_outputs(arguments)),
        payloads=tuple(arguments.payloads),
        dockerfile=arguments.dockerfile,
        fast=arguments.fast,
        size_budget=bytes_of(arguments.max_size, arguments.dashes) if arguments.max_size else None,
    )
    return CheckOptions(
        chosen(CHECKS, arguments.only, arguments.skip),
        options,
        dockerfile.read(arguments.dockerfile) if arguments.dockerfile else None,
        tuple(_acceptances(arguments.accept)),
        arguments.cache,
    )


def _check_channels(data: Path, dashes: str) -> None:
    try:
        channels.check_names(hosts.folders_in(data, job.SINGLE_CHANNEL))
    except ChannelError as error:
        raise Stop(f"{dashes}data {data}: {error}", status=UNUSABLE) from None


def chosen(checks: Sequence[Check], only: Sequence[str], skip: Sequence[str]) -> tuple[Check, ...]:
    """The checks selected by ids and patterns. Raises Stop for one that matches nothing, such as a misspelt --skip."""
    only, skip = _words(only), _words(skip)
    ids = [check.rule.id for check in checks]
    for word in (*only, *skip):
        if not fnmatch.filter(ids, word) and not (word in skip and word in RETIRED):
            raise Stop(f"no check matches {word!r}; `samebox check --list` shows them all.", status=UNUSABLE)

    def is_wanted(name: str) -> bool:
        wanted = not only or any(fnmatch.fnmatchcase(name, word) for word in only)
        return wanted and not any(fnmatch.fnmatchcase(name, word) for word in skip)

    return tuple(check for check in checks if is_wanted(check.rule.id))


def bytes_of(size: str, dashes: str = "--") -> int:
    """ "2.5GB", "900 MiB". Raises Stop."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?b)?\s*", size.lower())
    if not match:
        raise Stop(f"{dashes}max-size {size!r} is not a size; expected one such as 2.5GB or 900MiB.", status=UNUSABLE)
    return int(float(match.group(1)) * _UNITS[match.group(2) or ""])


def _claims(arguments: CheckArguments) -> frozenset[Claim]:
    """Options of training imply the claim to train; a read-only root applies to processing as well."""
    trains: frozenset[Claim] = frozenset({"train"})
    if arguments.record_io and "pipe" not in arguments.claims:
        raise Stop(f"{arguments.dashes}record-io needs {arguments.dashes}pipe.", status=UNUSABLE)
    if (arguments.entrypoint or arguments.arguments or arguments.outputs) and "processing" not in arguments.claims:
        one = "entrypoint" if arguments.entrypoint else "argument" if arguments.arguments else "output"
        raise Stop(f"{arguments.dashes}{one} needs {arguments.dashes}processing.", status=UNUSABLE)
    return arguments.claims | trains if "pipe" in arguments.claims else arguments.claims


def _instance(arguments: CheckArguments) -> dict[str, Any]:
    """Its name and memory, for Options."""
    if not arguments.instance_type:
        return {}
    try:
        known = instances.describe(arguments.instance_type)
    except instances.UnknownInstanceType as error:
        raise Stop(f"{arguments.dashes}instance-type: {error}", status=UNUSABLE) from None
    return {"instance_type": known.name, "memory_bytes": int(known.memory_gib * instances.GIB)}


def _outputs(arguments: CheckArguments) -> Iterator[str]:
    for path in arguments.outputs:
        whole = path.rstrip("/")
        if not whole.startswith(f"{processing.ROOT}/"):
            raise Stop(f"{arguments.dashes}output {path}: expected a path below {processing.ROOT}/.", status=UNUSABLE)
        yield whole


def _hyperparameters(arguments: CheckArguments) -> dict[str, str]:
    for one in arguments.hyperparameters:
        if not one.partition("=")[0] or "=" not in one:
            raise Stop(f"{arguments.dashes}hyperparameter {one}: expected NAME=VALUE.", status=UNUSABLE)
    return {name: value for name, _, value in (one.partition("=") for one in arguments.hyperparameters)}


def _acceptances(path: Path | None) -> list[Acceptance]:
    path = path or (ACCEPTED if ACCEPTED.exists() else None)
    if path is None:
        return []
    try:
        return accepted.read(path, {check.rule.id for check in CHECKS} | set(RETIRED))
    except BadAcceptance as error:
        raise Stop(str(error), status=UNUSABLE) from None
    except OSError as error:
        raise Stop(f"{path} cannot be read: {error.strerror}", status=UNUSABLE) from None


def _words(given: Sequence[str]) -> list[str]:
    """`--only a,b --only c` is three."""
    return [word for one in given for word in one.split(",") if word]
