"""Folders of a training job that are mirrored to S3 while it runs: checkpoints, tensors, profiles, TensorBoard files.

Checkpoints are restored from S3 before each start, and mirrored with deletions (§1.10); of the others nothing is
deleted (§1.8). Each host has its own folder, and all share one prefix: a checkpoint that one host deletes is deleted
there, whichever host wrote it. What others put there while the job runs is left alone.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from itertools import product
from pathlib import Path
from threading import Event
from typing import BinaryIO

from samebox.containers.engine import ContainerMissing, EngineError, PathMissing
from samebox.data import artifacts, channels, folder_files, opt_ml, tree
from samebox.data.folder_files import FileVersion
from samebox.data.objects import Cancelled, DiskFull, S3Error
from samebox.data.upload_journal import UploadJournal
from samebox.jobs import side_work
from samebox.jobs.archives import SAME_SECOND, chunks
from samebox.jobs.phases import Ended, JobDependencies, download_errors
from samebox.jobs.plan import MirrorPlan, Plan
from samebox.platform.job import HostPlan
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome

log = logging.getLogger(__name__)

STREAMS = 4
_SHARE = 0.1  # of the time, for looking at the folders: large ones are looked at more seldom


class FolderMirrors:
    """Those of one job; most have none."""

    def __init__(self, plan: Plan, deps: JobDependencies) -> None:
        self._job = plan.arn
        self._hosts = plan.job.hosts
        self._root = plan.root
        self._plans = plan.mirrors
        self._manifests = plan.inputs.folder
        self._download = partial(download_errors, plan, deps)
        self._deps = deps
        self._journals: dict[tuple[str, str], UploadJournal] = {}
        for one, host in product(self._plans, self._hosts):
            if one.restored_from:
                _take_over(host.root, one.folder)

    def restore(self, hosts: Sequence[HostPlan]) -> None:
        """Give each of these hosts what is in S3, before it starts. Raises Ended, objects.Cancelled."""
        for plan in self._plans:
            if plan.restored_from:
                with self._download():
                    self._restore(plan, hosts)

    def _restore(self, plan: MirrorPlan, hosts: Sequence[HostPlan]) -> None:
        deps = self._deps
        there = deps.retry(partial(deps.objects.list, f"{plan.uri}/"))
        found = channels.checkpoints({"CheckpointConfig": {"S3Uri": plan.restored_from}}, there)
        for host in hosts:
            directory = host.root / plan.folder
            deps.retry(partial(channels.restore, found, deps.objects, directory, deps.wake.cancelled))
            manifest = host.root / f"{self._manifests}/{plan.name}-manifest"
            manifest.write_bytes(found.manifest)
            manifest.chmod(tree.FILE_MODE)
            self._journal(plan, host).begin(folder_files.scan(host.root, plan.folder))

    def while_running(self) -> AbstractContextManager[None]:
        """Mirror the folders to S3 in a thread, until the end of the block."""
        if not self._plans:
            return contextlib.nullcontext()
        return side_work.beside(self._repeat, "mirrored folders of a job")

    def finish(self) -> None:
        """Mirror what the containers have left. Raises Ended, ContainerMissing, Closing."""
        deps = self._deps
        for plan, host in product(self._plans, self._hosts):
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
        with contextlib.suppress(Cancelled):
            self._try(self._deps.wake.closing)

    def _try(self, cancelled: Event) -> None:
        for plan, host in product(self._plans, self._hosts):
            try:
                self._mirror(plan, host, cancelled)
            except (S3Error, artifacts.ArtifactError, EngineError, ContainerMissing, DiskFull, OSError) as error:
                log.info("%s: the %s of %s are not uploaded this time: %s", self._job, plan.name, host.name, error)

    def _repeat(self, over: Event) -> None:
        between = min(plan.seconds for plan in self._plans)
        pause = between
        while not over.wait(pause):
            began = time.monotonic()
            try:
                self._try(over)  # what matters is mirrored at the end, and fails there
            except Cancelled:
                return
            except Exception:
                log.exception("%s: its folders are not uploaded this time", self._job)
            pause = max(between, (time.monotonic() - began) / _SHARE)

    def _mirror(self, plan: MirrorPlan, host: HostPlan, cancelled: Event) -> None:
        journal = self._journal(plan, host)
        if self._deps.engine.shares_disk():
            with contextlib.suppress(PermissionError):  # files of root's, where we are not root: the engine reads them
                return self._mirror_folder(plan, host, journal, cancelled)
        try:
            archive = self._deps.engine.archive(host.container_name, plan.directory)
        except PathMissing:
            return self._delete(plan, journal, {})
        with archive:
            return self._mirror_archive(plan, archive, journal, cancelled)

    def _mirror_folder(self, plan: MirrorPlan, host: HostPlan, journal: UploadJournal, cancelled: Event) -> None:
        scanned, known = folder_files.scan(host.root, plan.folder), journal.known
        found = {name: version for name, version in scanned.items() if _is_whole(plan, name)}

        def upload(name: str) -> None:
            with contextlib.suppress(FileNotFoundError), folder_files.opened(host.root, plan.folder, name) as file:
                before = folder_files.version(file)
                self._upload(plan, journal, name, chunks(file), cancelled)
                journal.note(name, before)

        changed = [name for name, version in found.items() if known.get(name) != version]
        _each(upload, changed)
        self._delete(plan, journal, found)

    def _mirror_archive(self, plan: MirrorPlan, archive: BinaryIO, journal: UploadJournal, cancelled: Event) -> None:
        found, known, began = dict[str, FileVersion](), journal.known, time.time()
        for file, content in artifacts.files(chunks(archive)):
            if not (_is_whole(plan, file.name) and _is_whole(plan, file.link)):
                continue
            version = found[file.name] = FileVersion(file.size, int(file.modified * 1e9))
            if known.get(file.name) == version:
                continue
            # Another name of a file comes without its content.
            body = self._deps.objects.read(f"{plan.uri}/{file.link}") if file.link else content
            self._upload(plan, journal, file.name, body, cancelled)
            if file.modified < began - SAME_SECOND:
                journal.note(file.name, version)
        self._delete(plan, journal, found)

    def _upload(
        self, plan: MirrorPlan, journal: UploadJournal, name: str, body: Iterable[bytes], cancelled: Event
    ) -> None:
        journal.note(name, None)
        self._deps.objects.upload(body, f"{plan.uri}/{name}", cancelled)

    def _delete(self, plan: MirrorPlan, journal: UploadJournal, found: Mapping[str, FileVersion]) -> None:
        if not plan.restored_from:
            return

        def delete(name: str) -> None:
            self._deps.objects.delete(f"{plan.uri}/{name}")
            journal.forget(name)

        _each(delete, [name for name in journal.known if name not in found])

    def _journal(self, plan: MirrorPlan, host: HostPlan) -> UploadJournal:
        key = (plan.name, host.name)
        if key not in self._journals:
            # Beside the host's own folder, which the container sees.
            self._journals[key] = UploadJournal(self._root / f"{host.name}.{plan.name}")
        return self._journals[key]


def _take_over(root: Path, folder: str) -> None:
    """Find the checkpoints of a job that an earlier samebox began: for it, what is not in /opt/ml was one folder."""
    old, new = root / "checkpoints", root / folder
    if folder.startswith(f"{opt_ml.OUTSIDE}/") and old.is_dir() and not new.exists():
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)  # the container's mount follows the folder


def _is_whole(plan: MirrorPlan, name: str) -> bool:
    return not plan.unfinished or not name.endswith(plan.unfinished)


def _each(work: Callable[[str], None], names: Sequence[str]) -> None:
    """Do it for all names, some at a time; raises the first error once those under way have ended."""
    if not names:
        return
    with ThreadPoolExecutor(min(STREAMS, len(names)), "mirrored files") as pool:
        under_way = [pool.submit(work, name) for name in names]
        try:
            for one in under_way:
                one.result()
        except BaseException:
            for one in under_way:
                one.cancel()
            raise
