"""One training job of an image for tests: how it ended, its log, and its model."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samebox.check import tar
from samebox.check.checks import CannotCheck, Deadline, OutOfTime
from samebox.check.files import read_all
from samebox.check.training import job
from samebox.commands import model_archive
from samebox.containers.engine import EngineError, PathMissing
from samebox.data import artifacts
from samebox.data.artifacts import ArtifactError
from samebox.data.channels import check_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Context
    from samebox.containers.engine import ContainerApi
    from samebox.testing.kit import Kit

SECONDS = 900.0  # for one job, unless a test sets another limit
_PUT_AWAY_SECONDS = 120.0


@dataclass(frozen=True)
class Result:
    """What became of a job."""

    exit_code: int | None
    seconds: float
    outcome: str
    log: tuple[str, ...]
    failure: str | None
    archive: Path | None  # the model


class TrainRun:
    """A job that runs at its first use. Calling it gives another job, with the arguments changed."""

    def __init__(self, kit: Kit, context: Context, wanted: job.TrainingJob, seconds: float = SECONDS) -> None:
        self._kit, self._context, self._job, self._seconds = kit, context, wanted, seconds

    def __call__(
        self,
        *,
        image: str | None = None,
        hyperparameters: Mapping[str, str] | None = None,
        data: Path | str | None = None,
        channels: Mapping[str, Path | str] | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> TrainRun:
        """Run a job of its own now.

        `image` in place of the fixture's. `hyperparameters` go on top of --samebox-hyperparameter; `data` is a folder
        as for --samebox-data, `channels` are folders by their names, in its place. It is killed after `seconds`, and
        has no exit code then.
        """
        context = self._context if image is None else self._kit.bench(image)
        if data is not None and channels is not None:
            raise TypeError("train_run takes data or channels, not both")
        if channels is not None:
            data = _folder_of(channels, context)
        if data is not None:
            if not Path(data).is_dir():
                raise NotADirectoryError(f"train_run: {data} is not a folder")
            context = dataclasses.replace(context, options=dataclasses.replace(context.options, data=Path(data)))
        wanted = job.TrainingJob(hyperparameters=dict(hyperparameters or {}), environment=dict(environment or {}))
        run = TrainRun(self._kit, context, wanted, seconds)
        _ = run._result
        return run

    def __repr__(self) -> str:
        is_known = "_result" in self.__dict__
        return f"<TrainRun {self._result.outcome}>" if is_known else "<TrainRun, not started>"

    @property
    def exit_code(self) -> int | None:
        """None: it had not ended within its time, and was killed."""
        return self._result.exit_code

    @property
    def seconds(self) -> float:
        return self._result.seconds

    @property
    def outcome(self) -> str:
        """How it ended and the last line of its log, as a sentence."""
        return self._result.outcome

    @property
    def log(self) -> tuple[str, ...]:
        """The lines of standard output and standard error, as they came."""
        return self._result.log

    @property
    def failure(self) -> str | None:
        """The text of /opt/ml/output/failure; None where there is none."""
        return self._result.failure

    @property
    def model_archive(self) -> Path:
        """model.tar.gz, as the job would upload it; gone at the end of the session. A failure where there is none."""
        if self._result.archive is None:
            pytest.fail(f"there is no model, /opt/ml/model is empty: {self.outcome}", pytrace=False)
        return self._result.archive

    @property
    def model_files(self) -> tuple[str, ...]:
        """All files and links of the model, sorted: "1/saved_model.pb"."""
        if self._result.archive is None:
            return ()
        with tarfile.open(self._result.archive) as archive:
            return tuple(sorted(member.name for member in archive if not member.isdir()))

    def read(self, path: str) -> bytes:
        """A file of the model, by its path below /opt/ml/model."""
        with tarfile.open(self.model_archive) as archive, contextlib.suppress(KeyError):
            file = archive.extractfile(path.removeprefix("/opt/ml/model/"))
            if file is not None:
                return file.read()
        raise FileNotFoundError(f"the model has no file {path}; it has {', '.join(self.model_files) or 'none'}")

    def extract(self, folder: Path | str) -> Path:
        """Unpack the model at a folder, as an endpoint does, and so without links; what was there is replaced."""
        try:
            model_archive.unpack(self.model_archive, Path(folder))
        except CannotCheck as error:
            pytest.fail(str(error), pytrace=False)
        return Path(folder)

    @functools.cached_property
    def _result(self) -> Result:
        context = dataclasses.replace(self._context, deadline=Deadline(self._seconds + _PUT_AWAY_SECONDS))
        try:
            with job.running(context, self._job) as started:
                started.wait(self._seconds)
                ended = started.ended()
                engine = context.engine
                if started.start_error or engine is None:
                    return Result(ended.exit_code, ended.seconds, ended.outcome, (), None, None)
                container = started.containers[0]
                return Result(
                    ended.exit_code,
                    ended.seconds,
                    ended.outcome,
                    _log(engine, container),
                    _failure(engine, container),
                    _archive(engine, container, context),
                )
        except (CannotCheck, OutOfTime, EngineError) as error:
            pytest.fail(f"the training job could not be run: {error}", pytrace=False)


def of(kit: Kit, image: str) -> TrainRun:
    """The image's plain job, the same one in the whole session."""
    key = f"training of {image}"
    if key not in kit.kept:
        kit.kept[key] = TrainRun(kit, kit.bench(image), job.TrainingJob())
    found = kit.kept[key]
    assert isinstance(found, TrainRun)
    return found


def _folder_of(channels: Mapping[str, Path | str], context: Context) -> Path:
    """As --samebox-data has them: a folder each, in one."""
    check_names(channels)
    folder = _new_folder(context, "channels")
    for name, source in channels.items():
        if not Path(source).is_dir():
            raise NotADirectoryError(f"train_run: the channel {name}, {source}, is not a folder")
        (folder / name).symlink_to(Path(source).resolve())
    return folder


def _new_folder(context: Context, name: str) -> Path:
    assert context.scratch is not None  # a run that has an engine has one
    folder = context.scratch / f"{name}-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    return folder


def _log(engine: ContainerApi, container: str) -> tuple[str, ...]:
    with contextlib.closing(engine.logs(container)) as stream:
        return tuple(line.text for line in stream)


def _failure(engine: ContainerApi, container: str) -> str | None:
    try:
        stream = engine.archive(container, "/opt/ml/output/failure")
    except PathMissing:
        return None
    with contextlib.closing(stream):
        for entry, read in tar.entries(stream):
            return read_all(read, 1 << 20).decode(errors="replace") if entry.kind == tar.FILE else None
    return None


def _archive(engine: ContainerApi, container: str, context: Context) -> Path | None:
    try:
        stream = engine.archive(container, "/opt/ml/model")
    except PathMissing:
        return None
    path = _new_folder(context, "model") / "model.tar.gz"
    try:
        with contextlib.closing(stream), path.open("wb") as file:
            for piece in artifacts.pack(iter(lambda: stream.read(1 << 20), b"")):
                file.write(piece)
    except artifacts.EmptyDirectory:
        path.unlink()
        return None
    except ArtifactError as error:
        pytest.fail(f"the model could not be read: {error}", pytrace=False)
    return path
