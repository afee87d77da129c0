"""An image and what is asked of it, for whoever runs the contract kit: `samebox check`, and pytest with our plugin.

Everything that can be wrong with what a person gave is a Stop, in one sentence, before anything is started.
"""

import contextlib
import fnmatch
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebox.check import accepted, dockerfile, hosts, runner, subject
from samebox.check.accepted import BadAcceptance
from samebox.check.archive import NotAnImage
from samebox.check.checks import CannotCheck, Check, Claim, Options, OutOfTime
from samebox.check.findings import Acceptance
from samebox.check.image_cache import ImageCache
from samebox.check.registry import CHECKS, RETIRED
from samebox.check.runner import Run, sweep_old
from samebox.check.subject import Subject
from samebox.check.training import job
from samebox.commands.outcome import Stop
from samebox.commands.workbench import OptMl
from samebox.containers import instances
from samebox.containers.engine import Engine, ImageMissing
from samebox.data import artifacts, channels, processing
from samebox.data.artifacts import ArtifactError
from samebox.data.channels import ChannelError

ACCEPTED = Path(".samebox-check.toml")
UNUSABLE = 2  # exit status: the image was not examined
_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".oci")
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}

Say = Callable[[str], None]  # what is being done now, for a screen


@dataclass(frozen=True)
class Asked:
    """What a person gave beside the image, word for word. `dashes` is how their options begin."""

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
class Wish:
    """What was asked for, looked at."""

    checks: tuple[Check, ...]
    options: Options
    dockerfile: dockerfile.Dockerfile | None
    acceptances: tuple[Acceptance, ...]
    cache: ImageCache | None = None  # where what was read of images is kept; None: nowhere


def user_cache() -> ImageCache:
    """What earlier runs of this user have read."""
    return ImageCache(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samebox" / "images")


def wish_of(asked: Asked) -> Wish:
    """Raises Stop."""
    for path in [asked.data, asked.model, asked.dockerfile, asked.accept, *asked.payloads]:
        if path is not None and not path.exists():
            raise Stop(f"there is no {path}.", status=UNUSABLE)
    if asked.data is not None and not asked.data.is_dir():
        raise Stop(f"{asked.dashes}data {asked.data} is no folder.", status=UNUSABLE)
    if asked.data is not None and asked.claims != {"processing"}:
        _check_channels(asked.data, asked.dashes)
    options = Options(
        claims=_claims(asked),
        data=asked.data,
        model=asked.model,
        unpack=unpack,
        hyperparameters=_hyperparameters(asked),
        record_io=asked.record_io,
        **_instance(asked),
        entrypoint=tuple(asked.entrypoint),
        arguments=tuple(asked.arguments),
        outputs=tuple(_outputs(asked)),
        workbench=OptMl(),
        payloads=tuple(asked.payloads),
        dockerfile=asked.dockerfile,
        fast=asked.fast,
        size_budget=bytes_of(asked.max_size, asked.dashes) if asked.max_size else None,
    )
    return Wish(
        chosen(CHECKS, asked.only, asked.skip),
        options,
        dockerfile.read(asked.dockerfile) if asked.dockerfile else None,
        tuple(_acceptances(asked.accept)),
        asked.cache,
    )


def _check_channels(data: Path, dashes: str) -> None:
    try:
        channels.check_names(hosts.folders_in(data, job.SINGLE_CHANNEL))
    except ChannelError as error:
        raise Stop(f"{dashes}data {data}: {error}", status=UNUSABLE) from None


def chosen(checks: Sequence[Check], only: Sequence[str], skip: Sequence[str]) -> tuple[Check, ...]:
    """By ids and patterns. Raises Stop when one fits nothing: a misspelt --skip must not pass for a wish fulfilled."""
    only, skip = _words(only), _words(skip)
    ids = [check.rule.id for check in checks]
    for word in (*only, *skip):
        if not fnmatch.filter(ids, word) and not (word in skip and word in RETIRED):
            raise Stop(f"no check fits {word!r}; `samebox check --list` shows them all.", status=UNUSABLE)

    def is_wanted(name: str) -> bool:
        wanted = not only or any(fnmatch.fnmatchcase(name, word) for word in only)
        return wanted and not any(fnmatch.fnmatchcase(name, word) for word in skip)

    return tuple(check for check in checks if is_wanted(check.rule.id))


def bytes_of(size: str, dashes: str = "--") -> int:
    """ "2.5GB", "900 MiB". Raises Stop."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?b)?\s*", size.lower())
    if not match:
        raise Stop(f"{dashes}max-size {size!r} is no size; write 2.5GB, or 900MiB.", status=UNUSABLE)
    return int(float(match.group(1)) * _UNITS[match.group(2) or ""])


def looks_like_path(name: str) -> bool:
    """Whether a person who writes this means a file, there or not, rather than an image's name."""
    return Path(name).exists() or name.startswith(("/", "./", "../", "~")) or name.endswith(_ENDINGS)


@contextlib.contextmanager
def opened(name: str, engine: Engine | None, why_no_engine: str, wish: Wish, say: Say) -> Iterator[Run]:
    """A run over the image, closed at the end of the block. Raises Stop when there is no such image; EngineError."""
    if engine is not None:
        sweep_old(engine)
    with Run(engine, wish.options, wish.dockerfile, why_no_engine) as run:
        examined = subject_of(name, engine, why_no_engine, run, say, wish.cache)
        examined.progress = say
        run.examine(examined)
        yield run


def read(examined: Subject, say: Say, engine: Engine | None = None) -> None:
    """Before all checks: an image that cannot be read is one sentence, and not a fault of each rule. Raises Stop."""
    say(f"reading {examined.name}")
    try:
        runner.read(examined, engine)
    except (NotAnImage, OutOfTime, OSError) as error:
        raise Stop(f"{examined.name} cannot be examined: {error}", status=UNUSABLE) from None


def unpack(archive: Path, folder: Path) -> None:
    """A model, as an endpoint does. Raises CannotCheck."""
    try:
        with archive.open("rb") as file:
            artifacts.unpack(iter(lambda: file.read(1 << 20), b""), folder)
    except ArtifactError as error:
        raise CannotCheck(f"the model cannot be unpacked: {error}") from None


def subject_of(
    name: str, engine: Engine | None, why_no_engine: str, run: Run, say: Say, cache: ImageCache | None = None
) -> Subject:
    """An archive, or an image that the engine has or can pull. Raises Stop; EngineError."""
    if looks_like_path(name):
        path = Path(name).expanduser()
        if not path.exists():
            raise Stop(f"there is no file {name}.", status=UNUSABLE)
        return subject.from_path(path)
    if engine is None:
        raise Stop(
            f"{name} cannot be looked up: {why_no_engine}\n"
            "An archive needs no engine: docker save IMAGE -o image.tar where there is one, then give image.tar.",
            status=UNUSABLE,
        )
    try:
        return subject.from_engine(engine, name, run.context.labels, cache=cache)
    except ImageMissing:
        say(f"pulling {name}")
    try:
        engine.pull(name, progress=lambda pull: say(f"pulling {name}: {pull.done_bytes / 1e6:,.0f} MB"))
        return subject.from_engine(engine, name, run.context.labels, cache=cache)
    except ImageMissing as error:
        raise Stop(f"there is no image {name} here, and it cannot be pulled: {error}", status=UNUSABLE) from None


def _claims(asked: Asked) -> frozenset[Claim]:
    """What says more of training makes it a claim to train; a root that is only read is one of processing, too."""
    trains: frozenset[Claim] = frozenset({"train"})
    if asked.record_io and "pipe" not in asked.claims:
        raise Stop(f"{asked.dashes}record-io is of channels in Pipe mode: add {asked.dashes}pipe.", status=UNUSABLE)
    if (asked.entrypoint or asked.arguments or asked.outputs) and "processing" not in asked.claims:
        one = "entrypoint" if asked.entrypoint else "argument" if asked.arguments else "output"
        raise Stop(f"{asked.dashes}{one} is of processing jobs: add {asked.dashes}processing.", status=UNUSABLE)
    return asked.claims | trains if "pipe" in asked.claims else asked.claims


def _instance(asked: Asked) -> dict[str, Any]:
    """Its name and memory, for Options."""
    if not asked.instance_type:
        return {}
    try:
        known = instances.describe(asked.instance_type)
    except instances.UnknownInstanceType as error:
        raise Stop(f"{asked.dashes}instance-type: {error}", status=UNUSABLE) from None
    return {"instance_type": known.name, "memory_bytes": int(known.memory_gib * instances.GIB)}


def _outputs(asked: Asked) -> Iterator[str]:
    for path in asked.outputs:
        whole = path.rstrip("/")
        if not whole.startswith(f"{processing.ROOT}/"):
            raise Stop(f"{asked.dashes}output {path}: a path below {processing.ROOT}/ is wanted.", status=UNUSABLE)
        yield whole


def _hyperparameters(asked: Asked) -> dict[str, str]:
    for one in asked.hyperparameters:
        if not one.partition("=")[0] or "=" not in one:
            raise Stop(f"{asked.dashes}hyperparameter {one}: NAME=VALUE is wanted.", status=UNUSABLE)
    return {name: value for name, _, value in (one.partition("=") for one in asked.hyperparameters)}


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
