"""The phases of a container job: download, create, start, collect, upload. All the effects, none of the order.

Each may be run again after a crash in its middle, and then ends as it would have. What they do to containers is
`platform/hosts.py`'s; here is what becomes of it in the job's log, and for the outcome table.
"""

import codecs
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from samebox.containers import engine as containers
from samebox.containers.engine import ContainerState, Engine
from samebox.data import artifacts, channels, fast_channels, objects
from samebox.data.channel_cache import ChannelCache
from samebox.faults.faults import OwnFaults
from samebox.faults.kinds import Point
from samebox.jobs import package_cache
from samebox.jobs.archives import chunks
from samebox.jobs.channel_folders import ChannelFolders
from samebox.jobs.loglines import LogLines
from samebox.jobs.model_folders import ModelFolders, ModelRefused
from samebox.jobs.plan import ArtifactUpload, FolderUpload, Plan
from samebox.jobs.wake import Wake
from samebox.log_excerpt import runtime_reason
from samebox.platform import hosts as platform_hosts
from samebox.platform import retrying
from samebox.platform.background import Background
from samebox.platform.container_files import content
from samebox.platform.hosts import JobHosts, Made
from samebox.platform.images import CannotPull, Puller
from samebox.platform.job import HostPlan
from samebox.platform.retrying import Closing
from samebox.resources.outcome import REASON_CHARACTERS, Outcome

log = logging.getLogger(__name__)

T = TypeVar("T")

MESSAGE_BYTES = 1024  # of ExitMessage

# (account, region) -> user and password for that registry, None where none are needed
Login = Callable[[str, str], tuple[str, str] | None]


class Ended(Exception):
    """The job cannot go on; why, for the outcome table."""

    def __init__(self, outcome: Outcome, text: str = "") -> None:
        super().__init__(f"{outcome.value}: {text}")
        self.outcome = outcome
        self.text = text


@dataclass(frozen=True)
class JobDependencies:
    """What phases work with. `report` changes the job's StatusMessage; `lines` are the log streams of its hosts.

    `publish` adds a value, which came at a time, to a metric of the job, `publish_usage` to one of a host in percent.
    """

    engine: Engine
    objects: objects.Objects
    cache: ChannelCache
    lines: Mapping[str, LogLines]
    wake: Wake
    report: Callable[[str], None]
    login: Callable[[], tuple[str, str] | None]
    publish: Callable[[str, float, float], None]
    publish_usage: Callable[[str, str, float, float], None]
    background: Background
    faults: OwnFaults
    give_up_seconds: float

    @property
    def log(self) -> LogLines:
        """Where we report of the job as a whole: the log of its first host."""
        return next(iter(self.lines.values()))

    def retry(self, call: Callable[[], T], /) -> T:
        """See retrying.py."""
        return retrying.retry_while_unavailable(call, self.wake.closing, self.report, self.give_up_seconds)


_FAULTS: Mapping[tuple[str, Point], tuple[Outcome, str]] = {
    ("capacity", Point.CAPACITY): (
        Outcome.NO_CAPACITY,
        # Observed of endpoints and jobs alike, 2019 to 2024.
        "Unable to provision requested ML compute capacity. Please retry using a different ML instance type.",
    ),
    ("image-pull", Point.PULL): (Outcome.CANNOT_PULL, ""),
    ("disk-full", Point.DOWNLOAD): (Outcome.DOWNLOAD_DISK_FULL, ""),
    ("disk-full", Point.UPLOAD): (Outcome.UPLOAD_DISK_FULL, ""),
    ("s3-error", Point.DOWNLOAD): (Outcome.DOWNLOAD_FAILED, "SlowDown: Please reduce your request rate."),
    ("s3-error", Point.UPLOAD): (Outcome.UPLOAD_FAILED, "SlowDown: Please reduce your request rate."),
}


def strike(deps: JobDependencies, point: Point) -> None:
    """Raise Ended where the job asked for a fault here."""
    fault = deps.faults.take(point)
    if fault is not None:
        deps.log.report(f"fault {fault}")
        raise Ended(*_FAULTS[fault.kind.name, point])


def hosts_of(plan: Plan, deps: JobDependencies, pulling: str) -> JobHosts:
    """The plan's hosts. A pull shows the message `pulling`, and may raise Ended, objects.Cancelled, Closing."""

    def pull(image: str) -> None:
        # A stand-in is never pulled: any stranger may have pushed what has its name in a registry.
        local = plan.stand_ins[image].why_absent if image in plan.stand_ins else ""
        puller = Puller(deps.engine, deps.login, deps.wake.cancelled, deps.wake.closing, local)
        deps.report(pulling)
        try:
            puller.pull(image)
        except CannotPull as error:
            deps.log.report(str(error))
            raise Ended(Outcome.NOT_BUILT if local else Outcome.CANNOT_PULL, local) from error

    return JobHosts(deps.engine, plan.job, pull, deps.retry)


def download(plan: Plan, deps: JobDependencies, hosts: Sequence[HostPlan]) -> list[HostPlan]:
    """Make the folders of these hosts, inputs included; gives them with what else is to be mounted.

    Raises Ended, objects.Cancelled.
    """
    strike(deps, Point.DOWNLOAD)
    with download_errors(plan, deps):
        for host in hosts:
            platform_hosts.prepare(host)
        found = [
            deps.retry(partial(channels.find, one, deps.objects, plan.inputs.layout)) for one in plan.inputs.channels
        ]
        if plan.inputs.folders:
            found = [replace(one, name=name) for one, name in zip(found, plan.inputs.folders, strict=True)]
        folders = ChannelFolders(
            plan, deps.engine, deps.objects, deps.cache, deps.retry, deps.wake.cancelled, deps.log.report
        )
        filled = [folders.fill(host, found) for host in hosts]
        for model in plan.models:
            deps.retry(partial(ModelFolders(deps.objects).make, model.url, model.folder, deps.wake.cancelled))
    return filled


@contextlib.contextmanager
def download_errors(plan: Plan, deps: JobDependencies) -> Iterator[None]:
    """Turn what keeps inputs from a job into its end."""
    try:
        yield
    except ModelRefused as error:
        deps.log.report(f"the model cannot be used: {error.detail}")
        raise Ended(Outcome.MODEL_REFUSED, str(error)) from error
    except objects.DiskFull as error:
        log.warning("%s: %s", plan.arn, error)
        deps.log.report(f"the input does not fit: {error}")
        raise Ended(Outcome.DOWNLOAD_DISK_FULL) from error
    except (objects.S3Error, channels.ChannelError) as error:
        raise Ended(Outcome.DOWNLOAD_FAILED, str(error)) from error


def create(plan: Plan, deps: JobDependencies, hosts: JobHosts, host: HostPlan) -> Made:
    """The host's container, made but not started; the one that is there already, if there is one. Raises Ended."""
    strike(deps, Point.PULL)
    try:
        return hosts.create(host)
    except containers.StartFailed as error:
        raise _cannot_start(plan, deps, host, str(error)) from error
    except containers.OutOfSpace as error:
        raise Ended(Outcome.DOWNLOAD_DISK_FULL) from error


def start(plan: Plan, deps: JobDependencies, hosts: JobHosts, made: Made) -> str:
    """Start it, unless it runs or ran: its program must run once only. Returns the container that ran. Raises Ended."""
    cache = plan.packages
    if made.is_new and cache is not None:
        deps.retry(lambda: package_cache.fill(cache, deps.engine, made.id))
    try:
        hosts.start(made)
    except containers.StartFailed as error:
        if made.is_new:
            raise _cannot_start(plan, deps, made.host, str(error)) from error
        # Perhaps an interrupted request left it half made; a real fault occurs again with a new one.
        log.info("%s: the container of an interrupted start is made anew: %s", plan.arn, error)
        hosts.discard(made)
        again = create(plan, deps, hosts, made.host)
        return start(plan, deps, hosts, Made(again.host, again.id, is_new=True))
    return made.id


def _cannot_start(plan: Plan, deps: JobDependencies, host: HostPlan, error: str) -> Ended:
    message = runtime_message(error)
    log.warning("%s: %s", plan.arn, error)
    # The log stream of such a job shows the runtime's words from "exec:" on (observed 2019, contract.md §1.7).
    deps.lines[host.name].add(runtime_reason(message))
    which = f"{host.name}: " if len(plan.job.hosts) > 1 else ""
    return Ended(Outcome.CANNOT_START, which + message)


def runtime_message(error: str) -> str:
    """An engine's message as SageMaker quotes it: from "OCI runtime create failed" on (contract.md §1.7)."""
    start = error.find("OCI runtime create failed")
    message = error[start:] if start >= 0 else f"OCI runtime create failed: {error}"
    message = message.strip()
    return message if message.endswith(": unknown") else f"{message}: unknown"


def failure_text(path: str, deps: JobDependencies, container: str) -> str:
    """What a host says of its failure, as much as a FailureReason holds; '' if it says nothing."""
    # A character has at most four bytes.
    most = REASON_CHARACTERS * 4
    written = deps.retry(lambda: content(deps.engine, container, path, most))
    return (written or b"").decode("utf-8", "replace")[:REASON_CHARACTERS]


def exit_message(path: str, deps: JobDependencies, ended: Iterable[str]) -> str:
    """What these containers wrote for ExitMessage: one after the other, 1 KB of it at most (contract.md §4.4).

    UnicodeDecodeError where a file is not text.
    """
    texts = []
    for container in ended:
        read = partial(content, deps.engine, container, path, MESSAGE_BYTES + 1)
        written = deps.retry(read) or b""
        decoder = codecs.getincrementaldecoder("utf-8")()
        texts.append(decoder.decode(written, final=len(written) <= MESSAGE_BYTES))
    return "".join(texts).encode()[:MESSAGE_BYTES].decode("utf-8", "ignore")


def upload(plan: Plan, deps: JobDependencies, folder: Callable[[FolderUpload], None]) -> None:
    """Store what the job leaves; `folder` stores a folder. Raises Ended, and Closing when we end meanwhile."""
    strike(deps, Point.UPLOAD)
    for one in plan.uploads:
        try:
            deps.retry(partial(folder, one) if isinstance(one, FolderUpload) else partial(_upload, one, plan, deps))
        except objects.Cancelled:
            raise Closing from None
        except (objects.DiskFull, objects.S3Error, artifacts.ArtifactError) as error:
            if not objects.is_out_of_space(error):
                raise Ended(Outcome.UPLOAD_FAILED, str(error)) from error
            log.warning("%s: %s", plan.arn, error)
            deps.log.report(f"the output does not fit: {error}")
            raise Ended(Outcome.UPLOAD_DISK_FULL) from error


def _upload(one: ArtifactUpload, plan: Plan, deps: JobDependencies) -> None:
    # A stop does not cancel this: what is there when the containers end is uploaded (contract.md §1.1.1).
    try:
        packed = artifacts.merge(_archives(one, plan, deps))
        deps.objects.upload(packed, one.uri, deps.wake.closing)
    except artifacts.EmptyDirectory:
        log.info("nothing is uploaded to %s: %s is empty", one.uri, one.source)


def _archives(one: ArtifactUpload, plan: Plan, deps: JobDependencies) -> Iterator[Iterator[bytes]]:
    """The directory as a tar of each host that has it; each is to be read before the next."""
    for host in plan.job.hosts:
        try:
            stream = deps.engine.archive(host.container_name, one.source)
        except containers.PathMissing:
            continue
        with stream:
            yield chunks(stream, f"{one.source} of {host.name}", plan.volume_bytes)


def keep_packages(plan: Plan, deps: JobDependencies, found: Mapping[str, ContainerState]) -> None:
    """Keep what pip fetched on the first host, before the containers are removed."""
    cache = plan.packages
    if cache is not None and found:
        first = next(iter(found.values()))
        package_cache.keep(cache, deps.engine, first.id, deps.wake.closing.is_set)


def sweep(engine: Engine, folder: Path) -> None:
    """Remove a folder of ours; one that cannot be removed is left for the next start, and the log says so.

    To be called once the end of the job is stored: many small files take many seconds.
    """
    try:
        fast_channels.clear(folder)
        engine.sweep_path(folder)
    except (containers.EngineError, fast_channels.MountError, OSError) as error:
        log.warning("%s was not removed: %s", folder, error)
