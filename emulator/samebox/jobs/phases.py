"""The phases of a training job: download, create, start, follow, upload. All the effects, none of the order.

Each may be run again after a crash in its middle, and then ends as it would have.
"""

import logging
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from samebox.containers import engine as containers
from samebox.containers.engine import ContainerState, Engine, PullProgress
from samebox.data import artifacts, channels, objects, opt_ml, tree
from samebox.jobs import package_cache
from samebox.jobs.loglines import LogLines
from samebox.jobs.plan import FAILURE_FILE, Plan, Upload
from samebox.jobs.wake import Wake
from samebox.log_excerpt import runtime_reason
from samebox.platform import retrying, starting
from samebox.platform.retrying import Closing
from samebox.resources.outcome import REASON_CHARACTERS, Outcome

log = logging.getLogger(__name__)

T = TypeVar("T")

CHUNK_BYTES = 256 * 1024

# (account, region) -> user and password for that registry, None where none are needed
Login = Callable[[str, str], tuple[str, str] | None]


class Ended(Exception):
    """The job cannot go on; why, for the outcome table."""

    def __init__(self, outcome: Outcome, text: str = "") -> None:
        super().__init__(f"{outcome.value}: {text}")
        self.outcome = outcome
        self.text = text


@dataclass(frozen=True)
class Tools:
    """What phases work with. `report` sets the StatusMessage; `login` gives the user and password of the registry."""

    engine: Engine
    objects: objects.Objects
    lines: LogLines
    wake: Wake
    report: Callable[[str], None]
    login: Callable[[], tuple[str, str] | None]
    give_up_seconds: float = retrying.GIVE_UP_SECONDS

    def retry_while_unavailable(self, ask: Callable[[], T]) -> T:
        """See retrying.py."""
        return retrying.retry_while_unavailable(ask, self.wake.closing, self.report, self.give_up_seconds)


def download(plan: Plan, tools: Tools) -> None:
    """Make the job's /opt/ml, channels included. Raises Ended, objects.Cancelled."""
    data = plan.root / "input" / "data"
    try:
        tree.write(opt_ml.tree(plan.request, plan.facts, [plan.host], plan.host.name), plan.root)
        for mount in plan.container.mounts:
            if mount.source.is_relative_to(plan.root):  # what is not the job's own is there
                mount.source.mkdir(parents=True, exist_ok=True)
        laid_out = [
            tools.retry_while_unavailable(partial(channels.find, channel, tools.objects)) for channel in plan.channels
        ]
        tools.retry_while_unavailable(
            lambda: channels.download(laid_out, tools.objects, data, plan.volume_bytes, tools.wake.cancelled)
        )
    except objects.DiskFull as error:
        log.warning("%s: %s", plan.arn, error)
        tools.lines.report(f"the input does not fit: {error}")
        raise Ended(Outcome.DOWNLOAD_DISK_FULL) from error
    except (objects.S3Error, channels.ChannelError) as error:
        raise Ended(Outcome.DOWNLOAD_FAILED, str(error)) from error


@dataclass(frozen=True)
class Made:
    """The job's container. One that is not new was asked for in an earlier life of ours, or by a lost request."""

    id: str
    is_new: bool


def create(plan: Plan, tools: Tools) -> Made:
    """The job's container, made but not started; the one that is there already, if there is one. Raises Ended."""
    try:
        return tools.retry_while_unavailable(lambda: _create(plan, tools))
    except containers.StartFailed as error:
        raise _cannot_start(plan, tools, str(error)) from error


def _create(plan: Plan, tools: Tools) -> Made:
    try:
        try:
            return Made(tools.engine.create(plan.container), is_new=True)
        except containers.ImageMissing:
            pull(plan.container.image, tools)
            return Made(tools.engine.create(plan.container), is_new=True)
    except containers.NameTaken:
        return Made(starting.holder_of(tools.engine, plan.container).id, is_new=False)
    except containers.OutOfSpace as error:
        raise Ended(Outcome.DOWNLOAD_DISK_FULL) from error


def pull(image: str, tools: Tools) -> None:
    """Fetch an image. Raises Ended, objects.Cancelled."""
    tools.report("Downloading the training image")

    def progress(_: PullProgress) -> None:
        if tools.wake.cancelled.is_set():
            raise objects.Cancelled(image)

    username, password = tools.login() or (None, None)
    try:
        tools.engine.pull(image, username, password, progress)
    except (containers.ImageMissing, containers.OutOfSpace) as error:
        if tools.wake.closing.is_set():
            raise Closing from error  # our own registry ends with us: the next start pulls again
        log.warning("%s cannot be pulled: %s", image, error)
        tools.lines.report(f"the image {image} cannot be pulled: {error}")
        raise Ended(Outcome.CANNOT_PULL) from error


def start(plan: Plan, tools: Tools, made: Made) -> str:
    """Start it, unless it runs or ran: its program shall run once. Gives the container that did. Raises Ended."""
    cache = plan.packages
    if made.is_new and cache is not None:
        tools.retry_while_unavailable(lambda: package_cache.fill(cache, tools.engine, made.id))
    try:
        tools.retry_while_unavailable(starting.once(tools.engine, made.id, made.is_new))
    except containers.StartFailed as error:
        if made.is_new:
            raise _cannot_start(plan, tools, str(error)) from error
        # Perhaps an interrupted request left it half made; of a new one a true fault says itself again.
        log.info("%s: the container of an interrupted start is made anew: %s", plan.arn, error)
        tools.retry_while_unavailable(lambda: tools.engine.remove(made.id))
        return start(plan, tools, Made(create(plan, tools).id, is_new=True))
    return made.id


def _cannot_start(plan: Plan, tools: Tools, error: str) -> Ended:
    words = runtime_words(error)
    log.warning("%s: %s", plan.arn, error)
    # The log stream of such a job shows the runtime's words from "exec:" on (observed 2019, contract.md §1.7).
    tools.lines.add(runtime_reason(words))
    return Ended(Outcome.CANNOT_START, words)


def runtime_words(error: str) -> str:
    """An engine's message as SageMaker quotes it: from "OCI runtime create failed" on (contract.md §1.7)."""
    start = error.find("OCI runtime create failed")
    words = error[start:] if start >= 0 else f"OCI runtime create failed: {error}"
    words = words.strip()
    return words if words.endswith(": unknown") else f"{words}: unknown"


def find(plan: Plan, tools: Tools) -> ContainerState | None:
    """The job's container, if it was made."""

    def ask() -> ContainerState | None:
        try:
            state = tools.engine.inspect(str(plan.container.name))
        except containers.ContainerMissing:
            return None
        return state if starting.is_of(state, plan.container) else None

    return tools.retry_while_unavailable(ask)


def failure_text(tools: Tools, container: str) -> str:
    """What the container says in /opt/ml/output/failure, as much as a FailureReason holds; '' if it says nothing."""
    try:
        with tools.retry_while_unavailable(lambda: tools.engine.archive(container, FAILURE_FILE)) as stream:
            return _first_file(stream).decode("utf-8", "replace")[:REASON_CHARACTERS]
    except (containers.PathMissing, containers.ContainerMissing):
        return ""


def _first_file(stream: BinaryIO) -> bytes:
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            member = tar.next()
            file = tar.extractfile(member) if member is not None and member.isreg() else None
            # A character has at most four bytes.
            return file.read(REASON_CHARACTERS * 4) if file is not None else b""
    except tarfile.TarError:
        return b""


def upload(plan: Plan, tools: Tools, container: str) -> None:
    """Store the job's artifacts, each whole or not at all. Raises Ended, and Closing when we end meanwhile."""
    for one in plan.uploads:
        try:
            tools.retry_while_unavailable(partial(_upload, one, tools, container))
        except objects.Cancelled:
            raise Closing from None
        except objects.DiskFull as error:
            log.warning("%s: %s", plan.arn, error)
            raise Ended(Outcome.UPLOAD_DISK_FULL) from error
        except (objects.S3Error, artifacts.ArtifactError) as error:
            raise Ended(Outcome.UPLOAD_FAILED, str(error)) from error


def _upload(one: Upload, tools: Tools, container: str) -> None:
    # A stop does not cancel this: what is there when the container ends is uploaded (contract.md §1.1.1).
    try:
        with tools.engine.archive(container, one.source) as stream:
            tools.objects.upload(artifacts.pack(_chunks(stream)), one.uri, tools.wake.closing)
    except (artifacts.EmptyDirectory, containers.PathMissing):
        log.info("nothing is uploaded to %s: %s is empty", one.uri, one.source)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def remove_container(plan: Plan, tools: Tools) -> None:
    """Remove the job's container; its record, its logs and what pip fetched in it stay."""
    state = find(plan, tools)
    if state is not None:
        if plan.packages is not None:
            package_cache.keep(plan.packages, tools.engine, state.id, tools.wake.closing.is_set)
        tools.retry_while_unavailable(partial(tools.engine.remove, state.id))


def sweep(engine: Engine, folder: Path) -> None:
    """Remove a folder of ours; one that cannot be removed is left for the next start, and said.

    To be done after the end of what it belonged to is written down: many small files take many seconds.
    """
    try:
        engine.sweep_path(folder)
    except (containers.EngineError, OSError) as error:
        log.warning("%s was not removed: %s", folder, error)
