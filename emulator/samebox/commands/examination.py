"""The image of a check run, opened: for `samebox check`, `samebox parity` and the pytest plugin."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from samebox.check import runner, subject
from samebox.check.archive import NotAnImage
from samebox.check.checks import OutOfTime
from samebox.check.image_cache import ImageCache
from samebox.check.runner import Run, sweep_old
from samebox.check.subject import Subject
from samebox.commands.check_options import CheckOptions
from samebox.commands.outcome import UNUSABLE, Stop
from samebox.containers.engine import Engine, ImageMissing

_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".oci")

Reporter = Callable[[str], None]  # shows the current step on a screen


def user_cache() -> ImageCache:
    """What earlier runs of this user have read."""
    return ImageCache(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samebox" / "images")


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
        # Makes a file and a container; a signal in the middle of it removes them only in the main thread.
        engine.shares_disk()
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
