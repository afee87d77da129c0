"""The checkpoints of a training job: restored from S3 before each start, and mirrored there with deletions (§1.10).

Each host has its own folder, and all share one prefix: a file that one host deletes is deleted there, whichever host
wrote it. What others put there while the job runs is left alone.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import BinaryIO

from samebox.containers.engine import ContainerMissing, EngineError, PathMissing
from samebox.data import artifacts, channels, folder_files, tree
from samebox.data.folder_files import FileVersion
from samebox.data.objects import Cancelled, DiskFull, S3Error
from samebox.data.upload_journal import UploadJournal
from samebox.jobs.archives import chunks
from samebox.jobs.phases import Ended, JobDependencies, download_errors
from samebox.jobs.plan import CheckpointPlan, Plan
from samebox.platform.job import HostPlan
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome

log = logging.getLogger(__name__)

STREAMS = 4
_SHARE = 0.1  # of the time, for looking at the folders: large ones are looked at more seldom
# A tar has times in seconds: a file that was written so recently may be written again within the same one.
_SAME_SECOND = 2.0


class CheckpointMirror:
    """Those of one job; without CheckpointConfig nothing is done."""

    def __init__(self, plan: Plan, deps: JobDependencies) -> None:
        self._job = plan.arn
        self._hosts = plan.job.hosts
        self._root = plan.root
        self._plan = plan.checkpoints
        self._manifest = f"{plan.inputs.folder}/checkpoints-manifest"
        self._download = partial(download_errors, plan, deps)
        self._deps = deps
        self._journals: dict[str, UploadJournal] = {}

    def restore(self, hosts: Sequence[HostPlan]) -> None:
        """Give each of these hosts what is in S3, before it starts. Raises Ended, objects.Cancelled."""
        plan, deps = self._plan, self._deps
        if plan is None:
            return
        with self._download():
            there = deps.retry(partial(deps.objects.list, f"{plan.uri}/"))
            found = channels.checkpoints({"CheckpointConfig": {"S3Uri": plan.given_uri}}, there)
            for host in hosts:
                directory = host.root / plan.folder
                deps.retry(partial(channels.restore, found, deps.objects, directory, deps.wake.cancelled))
                manifest = host.root / self._manifest
                manifest.write_bytes(found.manifest)
                manifest.chmod(tree.FILE_MODE)
                self._journal(host).begin(folder_files.scan(host.root, plan.folder))

    @contextlib.contextmanager
    def while_running(self) -> Iterator[None]:
        """Mirror the folders to S3 in a thread, until the end of the block."""
        plan = self._plan
        if plan is None:
            yield
            return
        over = Event()
        thread = threading.Thread(target=self._repeat, args=(plan, over), name="checkpoints of a job", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def finish(self) -> None:
        """Mirror what the containers have left. Raises Ended, ContainerMissing, Closing."""
        plan, deps = self._plan, self._deps
        if plan is None:
            return
        for host in self._hosts:
            try:
                deps.retry(partial(self._mirror, plan, host, deps.wake.closing))
            except Cancelled:
                raise Closing from None
            except DiskFull as error:
                raise Ended(Outcome.UPLOAD_DISK_FULL) from error
            except (S3Error, artifacts.ArtifactError) as error:
                raise Ended(Outcome.UPLOAD_FAILED, str(error)) from error

    def salvage(self) -> None:
        """Mirror what can be had of a job that failed inside of us; an error changes nothing."""
        if self._plan is not None:
            with contextlib.suppress(Cancelled):
                self._try(self._plan, self._deps.wake.closing)

    def _try(self, plan: CheckpointPlan, cancelled: Event) -> None:
        for host in self._hosts:
            try:
                self._mirror(plan, host, cancelled)
            except (S3Error, artifacts.ArtifactError, EngineError, ContainerMissing, DiskFull, OSError) as error:
                log.info("%s: the checkpoints of %s are not uploaded this time: %s", self._job, host.name, error)

    def _repeat(self, plan: CheckpointPlan, over: Event) -> None:
        pause = plan.seconds
        while not over.wait(pause):
            began = time.monotonic()
            try:
                self._try(plan, over)  # what matters is mirrored at the end, and fails there
            except Cancelled:
                return
            except Exception:
                log.exception("%s: the checkpoints are not uploaded this time", self._job)
            pause = max(plan.seconds, (time.monotonic() - began) / _SHARE)

    def _mirror(self, plan: CheckpointPlan, host: HostPlan, cancelled: Event) -> None:
        journal = self._journal(host)
        if self._deps.engine.shares_disk():
            with contextlib.suppress(PermissionError):  # files of root's, where we are not root: the engine reads them
                return self._mirror_folder(plan, host, journal, cancelled)
        try:
            archive = self._deps.engine.archive(host.container_name, plan.directory)
        except PathMissing:
            return self._delete(plan, journal, {})
        with archive:
            return self._mirror_archive(plan, archive, journal, cancelled)

    def _mirror_folder(self, plan: CheckpointPlan, host: HostPlan, journal: UploadJournal, cancelled: Event) -> None:
        found, known = folder_files.scan(host.root, plan.folder), journal.known

        def upload(name: str) -> None:
            with contextlib.suppress(FileNotFoundError), folder_files.opened(host.root, plan.folder, name) as file:
                before = folder_files.version(file)
                self._upload(plan, journal, name, chunks(file), cancelled)
                journal.note(name, before)

        changed = [name for name, version in found.items() if known.get(name) != version]
        _each(upload, changed)
        self._delete(plan, journal, found)

    def _mirror_archive(
        self, plan: CheckpointPlan, archive: BinaryIO, journal: UploadJournal, cancelled: Event
    ) -> None:
        found, known, began = dict[str, FileVersion](), journal.known, time.time()
        for file, content in artifacts.files(chunks(archive)):
            version = found[file.name] = FileVersion(file.size, int(file.modified * 1e9))
            if known.get(file.name) == version:
                continue
            # Another name of a file comes without its content.
            body = self._deps.objects.read(f"{plan.uri}/{file.link}") if file.link else content
            self._upload(plan, journal, file.name, body, cancelled)
            if file.modified < began - _SAME_SECOND:
                journal.note(file.name, version)
        self._delete(plan, journal, found)

    def _upload(
        self, plan: CheckpointPlan, journal: UploadJournal, name: str, body: Iterable[bytes], cancelled: Event
    ) -> None:
        journal.note(name, None)
        self._deps.objects.upload(body, f"{plan.uri}/{name}", cancelled)

    def _delete(self, plan: CheckpointPlan, journal: UploadJournal, found: Mapping[str, FileVersion]) -> None:
        def delete(name: str) -> None:
            self._deps.objects.delete(f"{plan.uri}/{name}")
            journal.forget(name)

        _each(delete, [name for name in journal.known if name not in found])

    def _journal(self, host: HostPlan) -> UploadJournal:
        if host.name not in self._journals:
            # Beside the host's own folder, which the container sees.
            self._journals[host.name] = UploadJournal(self._root / f"{host.name}.checkpoints")
        return self._journals[host.name]


def _each(work: Callable[[str], None], names: Sequence[str]) -> None:
    """Do it for all names, some at a time; raises the first error once those under way have ended."""
    if not names:
        return
    with ThreadPoolExecutor(min(STREAMS, len(names)), "checkpoints") as pool:
        under_way = [pool.submit(work, name) for name in names]
        try:
            for one in under_way:
                one.result()
        except BaseException:
            for one in under_way:
                one.cancel()
            raise
