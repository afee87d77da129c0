"""The options of a check run, validated, and the image opened. Used by `samebox check` and by the pytest plugin.

Invalid options raise Stop with a one-sentence message before anything is started.
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
from samebox.containers import instances
from samebox.containers.engine import Engine, ImageMissing
from samebox.data import artifacts, channels, processing
from samebox.data.artifacts import ArtifactError
from samebox.data.channels import ChannelError

ACCEPTED = Path(".samebox-check.toml")
UNUSABLE = 2  # exit status: the image was not examined
_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".oci")
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}

Reporter = Callable[[str], None]  # shows the current step on a screen


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


def user_cache() -> ImageCache:
    """What earlier runs of this user have read."""
    return ImageCache(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samebox" / "images")


def validated(arguments: CheckArguments) -> CheckOptions:
    """The options that the arguments come to. Raises Stop for invalid ones."""
    for path in [arguments.data, arguments.model, arguments.dockerfile, arguments.accept, *arguments.payloads]:
        if path is not None and not path.exists():
            raise Stop(f"there is no {path}.", status=UNUSABLE)
    if arguments.data is not None and not arguments.data.is_dir():
        raise Stop(f"{arguments.dashes}data {arguments.data} is no folder.", status=UNUSABLE)
    if arguments.data is not None and arguments.claims != {"processing"}:
        _check_channels(arguments.data, arguments.dashes)
    options = Options(
        claims=_claims(arguments),
        data=arguments.data,
        model=arguments.model,
        unpack=unpack,
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
    """Whether the argument means a file, existing or not, rather than an image's name."""
    return Path(name).exists() or name.startswith(("/", "./", "../", "~")) or name.endswith(_ENDINGS)


@contextlib.contextmanager
def opened(
    name: str, engine: Engine | None, why_no_engine: str, check_options: CheckOptions, report: Reporter
) -> Iterator[Run]:
    """A run over the image, closed at the end of the block. Raises Stop when there is no such image; EngineError."""
    if engine is not None:
        sweep_old(engine)
    with Run(engine, check_options.options, check_options.dockerfile, why_no_engine) as run:
        examined = subject_of(name, engine, why_no_engine, run, report, check_options.cache)
        examined.progress = report
        run.examine(examined)
        yield run


def read(examined: Subject, report: Reporter, engine: Engine | None = None) -> None:
    """Before all checks: an image that cannot be read is one sentence, and not a fault of each rule. Raises Stop."""
    report(f"reading {examined.name}")
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
    name: str,
    engine: Engine | None,
    why_no_engine: str,
    run: Run,
    report: Reporter,
    cache: ImageCache | None = None,
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
        report(f"pulling {name}")
    try:
        engine.pull(name, progress=lambda pull: report(f"pulling {name}: {pull.done_bytes / 1e6:,.0f} MB"))
        return subject.from_engine(engine, name, run.context.labels, cache=cache)
    except ImageMissing as error:
        raise Stop(f"there is no image {name} here, and it cannot be pulled: {error}", status=UNUSABLE) from None


def _claims(arguments: CheckArguments) -> frozenset[Claim]:
    """Options of training imply the claim to train; a read-only root applies to processing as well."""
    trains: frozenset[Claim] = frozenset({"train"})
    if arguments.record_io and "pipe" not in arguments.claims:
        raise Stop(
            f"{arguments.dashes}record-io is of channels in Pipe mode: add {arguments.dashes}pipe.", status=UNUSABLE
        )
    if (arguments.entrypoint or arguments.arguments or arguments.outputs) and "processing" not in arguments.claims:
        one = "entrypoint" if arguments.entrypoint else "argument" if arguments.arguments else "output"
        raise Stop(f"{arguments.dashes}{one} is of processing jobs: add {arguments.dashes}processing.", status=UNUSABLE)
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
            raise Stop(f"{arguments.dashes}output {path}: a path below {processing.ROOT}/ is wanted.", status=UNUSABLE)
        yield whole


def _hyperparameters(arguments: CheckArguments) -> dict[str, str]:
    for one in arguments.hyperparameters:
        if not one.partition("=")[0] or "=" not in one:
            raise Stop(f"{arguments.dashes}hyperparameter {one}: NAME=VALUE is wanted.", status=UNUSABLE)
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
