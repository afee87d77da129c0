"""One training job as a check wants it: containers under the platform's /opt/ml, and what became of them."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.check import tar
from emulator.check.checks import CannotCheck, Context, OutOfTime
from emulator.check.files import read_all
from emulator.containers.engine import ContainerSpec, EngineError, Mount, PathMissing, StartFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from emulator.containers.engine import Engine, LogLine

# Not algo-1, as on AWS (contract §1.1).
EC2_NAME = "ip-10-0-209-118.ec2.internal"
CHECKPOINTS = "/opt/ml/checkpoints"
_MOST_DATA = 2**30  # bytes of --data that are copied for each run; more is mounted, and may not be written
_MOST_LINES = 400  # of a log are kept: the last ones
_PIDS = 4096
_BUCKET = "samebox-check"


@dataclass(frozen=True)
class Job:
    """What a check asks for; whatever is left out is as SageMaker has it."""

    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    hosts: int = 1
    checkpoints: Path | None = None  # a folder that becomes /opt/ml/checkpoints; None: a job without CheckpointConfig
    # What departs from the platform, to find out what an image trips over:
    environment: Mapping[str, str] = field(default_factory=dict)
    hostname: str = EC2_NAME
    user: str | None = None
    without_argument: bool = False  # the image's own CMD in place of "train"
    only_documented_files: bool = False  # in /opt/ml/input/config
    read_only_model: bool = False
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Found:
    """A file or link below /opt/ml/model."""

    path: str
    size: int
    link: str = ""


@dataclass(frozen=True)
class Ended:
    """What became of one host. `exit_code` None: it had not ended within the time, and was killed."""

    exit_code: int | None
    seconds: float
    started_at: float | None = None
    oom_killed: bool = False
    start_error: str = ""
    model: tuple[Found, ...] = ()
    failure: bytes | None = None
    log: tuple[LogLine, ...] = ()

    @property
    def trained(self) -> bool:
        return self.exit_code == 0

    @property
    def outcome(self) -> str:
        """For a person, in a few words: how it ended, and the last that it said."""
        if self.start_error:
            return self.start_error
        how = "not done" if self.exit_code is None else f"exit code {self.exit_code}"
        how += f" after {self.seconds:.1f} s"
        if self.oom_killed:
            how += ", killed for its memory"
        last = next((line.text.strip() for line in reversed(self.log) if line.text.strip()), "")
        return f"{how}: {last[:200]}" if last else f"{how}, without a word"

    @property
    def middle_line(self) -> int:
        """How many lines it had written in the middle of its time; 0 where that cannot be told."""
        if self.started_at is None or not 4 <= len(self.log) < _MOST_LINES:
            return 0
        middle, late = ((self.started_at + part * self.seconds) * 1e9 for part in (0.5, 0.8))
        count = 1 + sum(line.time < middle for line in self.log)  # with the first one after the middle
        return count if count < len(self.log) - 1 and self.log[count - 1].time < late else 0


class Running:
    """The hosts of a job, started. Leave it by the end of its `with` block: all of it is removed there."""

    def __init__(self, context: Context, engine: Engine, job: Job) -> None:
        self._context, self._engine, self.job = context, engine, job
        scratch = context.scratch
        if scratch is None or context.options.workbench is None or context.subject.reference is None:
            raise CannotCheck("nothing can be run here")
        self._root = scratch / f"job-{uuid.uuid4().hex[:8]}"
        self._root.mkdir()
        self._network = ""
        self.containers: list[str] = []
        self.start_error = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def start(self) -> None:
        # Of its own and cut off: hosts find each other, and an image of a stranger reaches nobody.
        network = self._engine.create_network(f"samebox-check-{self._root.name}", self._context.labels, internal=True)
        self._network = network.id
        try:
            for number in range(1, self.job.hosts + 1):
                self.containers.append(self._engine.create(self._spec(f"algo-{number}", network.name)))
            self._began = time.monotonic()
            for container in self.containers:
                self._engine.start(container)
        except StartFailed as error:
            self.start_error = str(error)

    def wait(self, seconds: float, host: int = 0) -> bool:
        """Whether the host ends within the time."""
        if self.start_error:
            return True
        seconds = min(seconds, self._context.deadline.left)
        return self._engine.wait(self.containers[host], max(0.0, seconds)) is not None

    def wait_for_middle(self, plain: Ended) -> bool:
        """Until it is as far as the plain job was in the middle of its time; whether it has ended before that."""
        if not plain.middle_line:
            return self.wait(0.6 * plain.seconds)
        stream = self._engine.logs(self.containers[0], follow=True)
        limit = threading.Timer(min(self._context.deadline.left, 3 * plain.seconds), stream.close)
        limit.start()
        try:
            for _ in range(plain.middle_line):
                if next(stream, None) is None:
                    break
        finally:
            limit.cancel()
            stream.close()
        return self.wait(0)

    def terminate(self, grace_seconds: int) -> None:
        """SIGTERM, and SIGKILL after the grace, as StopTrainingJob does."""
        self._engine.stop(self.containers[0], grace_seconds, "SIGTERM")

    def kill(self) -> None:
        for container in self.containers:
            self._engine.kill(container)
            self._engine.wait(container, 30)

    def ended(self, host: int = 0) -> Ended:
        """How a host fared; one that still runs is killed first, and has no exit code."""
        if self.start_error:
            return Ended(127, 0.0, start_error=self.start_error)
        container = self.containers[host]
        state = self._engine.inspect(container)
        late = state.running
        if late:
            self._engine.kill(container)
            state = self._engine.wait(container, 30) or state
        began, finished = state.started_at, state.finished_at
        seconds = finished - began if began and finished and finished > began else self.seconds
        return Ended(
            None if late else state.exit_code,
            seconds,
            began,
            state.oom_killed,
            model=tuple(_found(self._engine, container, "/opt/ml/model")),
            failure=_content(self._engine, container, "/opt/ml/output/failure"),
            log=_last_lines(self._engine, container),
        )

    def remove(self) -> None:
        for container in self.containers:
            self._engine.remove(container)
        if self._network:
            self._engine.remove_network(self._network)
        # What containers wrote as root goes with the run's scratch folder where we may not remove it.
        shutil.rmtree(self._root, ignore_errors=True)

    def _spec(self, host: str, network: str) -> ContainerSpec:
        job, context = self.job, self._context
        root = self._root / host
        assert context.options.workbench is not None
        assert context.subject.reference is not None
        channels = channels_of(context)
        prepared = context.options.workbench.training(root, _request(job, context.subject.reference, channels), host)
        if job.only_documented_files:
            _keep_documented(root / "input" / "config")
        mounts = [
            Mount(root / "input", "/opt/ml/input"),
            Mount(root / "model", "/opt/ml/model", job.read_only_model),
            Mount(root / "output", "/opt/ml/output"),
            *_channel_mounts(root, channels),
        ]
        if job.checkpoints is not None:
            mounts.append(Mount(job.checkpoints, CHECKPOINTS))
        capacity = self._engine.capacity()
        return ContainerSpec(
            image=context.subject.reference,
            command=None if job.without_argument else prepared.command,
            entrypoint=prepared.entrypoint,
            environment={**prepared.environment, **job.environment},
            labels=context.labels,
            mounts=tuple(mounts),
            user=job.user,
            hostname=job.hostname if job.hosts == 1 else f"ip-10-0-209-11{host[-1]}.ec2.internal",
            network=network,
            aliases=(host,),
            memory_bytes=job.memory_bytes or capacity.memory_bytes // (2 * job.hosts),
            pids_limit=_PIDS,
        )


@contextlib.contextmanager
def running(context: Context, job: Job) -> Iterator[Running]:
    """The job, started, or with a `start_error`; removed at the end of the block."""
    engine = context.engine
    if engine is None:
        raise CannotCheck(context.why_no_engine or "there is no container engine")
    context.deadline.check()
    job = dataclasses.replace(job, hyperparameters={**context.options.hyperparameters, **job.hyperparameters})
    started = Running(context, engine, job)
    try:
        started.start()
        yield started
    finally:
        with contextlib.suppress(EngineError):  # the sweep at the end of the run finds what is left
            started.remove()


def run(context: Context, job: Job, seconds: float) -> Ended:
    """The job to its end, or to the end of `seconds`. Raises OutOfTime when the check's own time is over."""
    with running(context, job) as started:
        started.wait(seconds)
        if not context.deadline.left:
            raise OutOfTime(f"not done within {context.deadline.seconds:g} s")
        return started.ended()


def channels_of(context: Context) -> dict[str, Path]:
    """--data: each folder in it is a channel; one that holds files is the channel `training`."""
    folder = context.options.data
    if folder is None:
        return {}
    inside = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    if inside and all(one.is_dir() for one in inside):
        return {one.name: one.resolve() for one in inside}
    return {"training": folder.resolve()}


def _request(job: Job, image: str, channels: Mapping[str, Path]) -> dict[str, Any]:
    name = "samebox-check-2026-11-22-12-00-00-000"
    output = f"s3://{_BUCKET}/output"
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::000000000000:role/samebox-check",
        "HyperParameters": dict(job.hyperparameters),
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{_BUCKET}/{channel}/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel in channels
        ],
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": job.hosts, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    }
    if not job.only_documented_files:
        # What SageMaker's SDK asks for in every job, and programs have not heard of.
        request["DebugHookConfig"] = {"S3OutputPath": output, "CollectionConfigurations": []}
        request["ProfilerConfig"] = {"S3OutputPath": output, "ProfilingIntervalInMilliseconds": 500}
    if job.checkpoints is not None:
        request["CheckpointConfig"] = {"S3Uri": f"s3://{_BUCKET}/checkpoints"}
    return request


def _keep_documented(folder: Path) -> None:
    documented = {"hyperparameters.json", "inputdataconfig.json", "resourceconfig.json", "checkpointconfig.json"}
    for path in folder.iterdir():
        if path.name not in documented:
            path.unlink()


def _channel_mounts(root: Path, channels: Mapping[str, Path]) -> Iterator[Mount]:
    """Copies, because a channel in File mode may be written to (contract §1.2.1) and the data is not ours."""
    data = root / "input" / "data"
    for channel, folder in channels.items():
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        lines = [f"{channel}/", *(f"s3://{_BUCKET}/{channel}/{file}" for file in files)]
        (data / f"{channel}-manifest").write_text("".join(f"{line}\n" for line in lines))
        if sum((folder / file).stat().st_size for file in files) <= _MOST_DATA:
            shutil.copytree(folder, data / channel, copy_function=shutil.copyfile)
        else:
            (data / channel).mkdir()
            yield Mount(folder, f"/opt/ml/input/data/{channel}", read_only=True)


def _found(engine: Engine, container: str, path: str) -> Iterator[Found]:
    try:
        stream = engine.archive(container, path)
    except PathMissing:
        return
    with contextlib.closing(stream):
        for entry, _ in tar.entries(stream):
            inside = entry.name.partition("/")[2]
            if inside and entry.kind != tar.FOLDER:
                is_link = entry.kind in (tar.SYMBOLIC_LINK, tar.HARD_LINK)
                yield Found(inside, entry.size, entry.link if is_link else "")


def _content(engine: Engine, container: str, path: str) -> bytes | None:
    try:
        stream = engine.archive(container, path)
    except PathMissing:
        return None
    with contextlib.closing(stream):
        for entry, read in tar.entries(stream):
            return read_all(read, 1 << 20) if entry.kind == tar.FILE else None
    return None


def _last_lines(engine: Engine, container: str) -> tuple[LogLine, ...]:
    last: list[LogLine] = []
    stream = engine.logs(container)
    try:
        for line in stream:
            last.append(line)
            if len(last) > 2 * _MOST_LINES:
                del last[:_MOST_LINES]
    finally:
        stream.close()
    return tuple(last[-_MOST_LINES:])


def words_about(pattern: str, ended: Ended) -> str:
    """The first line of the log that fits, shortened; "" where none does."""
    for line in ended.log:
        if re.search(pattern, line.text, re.IGNORECASE):
            return line.text.strip()[:200]
    return ""
