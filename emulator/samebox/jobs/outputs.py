"""Folders of a job's hosts as objects of S3: at the end, and while the containers run (contract.md §4.3).

What was uploaded already, and has not changed since, is not uploaded again by the same process; the process after a
crash uploads all of it, so nothing is lost.
"""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from threading import Event

from samebox.containers.engine import ContainerMissing, EngineError, PathMissing
from samebox.data import artifacts
from samebox.data.artifacts import ArchivedFile
from samebox.data.objects import Cancelled, DiskFull, S3Error
from samebox.jobs import side_work
from samebox.jobs.archives import SAME_SECOND, chunks
from samebox.jobs.phases import JobDependencies
from samebox.jobs.plan import FolderUpload, Plan

log = logging.getLogger(__name__)

# Of the time, for looking at what a container writes: a large folder is looked at more seldom.
_SHARE = 0.1


class Outputs:
    """The folders of one job's plan. Threads may not share it, but for `while_running`, which ends before others."""

    def __init__(self, plan: Plan, deps: JobDependencies) -> None:
        self._plan = plan
        self._deps = deps
        self._sent: dict[tuple[str, str], tuple[int, float]] = {}  # (host, address) -> size and time

    def while_running(self) -> AbstractContextManager[None]:
        """Upload what changes in continuous outputs, in a thread, until the end of the block."""
        folders = [one for one in self._plan.uploads if isinstance(one, FolderUpload) and one.continuous]
        if not folders:
            return contextlib.nullcontext()
        return side_work.beside(partial(self._repeat, folders), "the outputs of a job")

    def upload(self, folder: FolderUpload, cancelled: Event) -> None:
        """Upload what changed in a folder of each host.

        Raises S3Error, ArtifactError, DiskFull, EngineError, and Cancelled once `cancelled` is set.
        """
        # Of files of the same name that of the first host is kept, as in archives: it comes last.
        for host in reversed(self._plan.job.hosts):
            try:
                archive = self._deps.engine.archive(host.container_name, folder.source)
            except PathMissing:
                continue
            with archive:
                place = f"{folder.source} of {host.name}"
                files = artifacts.files(chunks(archive, place, self._plan.volume_bytes))
                self._upload(files, host.name, folder, cancelled)

    def _upload(
        self, files: Iterable[tuple[ArchivedFile, Iterator[bytes]]], host: str, folder: FolderUpload, cancelled: Event
    ) -> None:
        root, began = folder.uri.rstrip("/"), time.time()
        for file, content in files:
            uri, seen = f"{root}/{file.name}", (file.size, file.modified)
            if self._sent.get((host, uri)) == seen:
                continue
            # Another name of a file comes without its content.
            body = self._deps.objects.read(f"{root}/{file.link}") if file.link else content
            self._deps.objects.upload(body, uri, cancelled)
            if file.modified < began - SAME_SECOND:
                self._sent[host, uri] = seen

    def _repeat(self, folders: list[FolderUpload], over: Event) -> None:
        pause = self._plan.upload_seconds
        while not over.wait(pause):
            began = time.monotonic()
            for folder in folders:
                try:
                    self.upload(folder, over)
                except Cancelled:
                    return
                except (S3Error, DiskFull, artifacts.ArtifactError, EngineError, ContainerMissing, OSError) as error:
                    # A file may change while it is read. What matters is uploaded at the end, and fails there.
                    log.info("%s: %s is not uploaded this time: %s", self._plan.arn, folder.source, error)
            pause = max(self._plan.upload_seconds, (time.monotonic() - began) / _SHARE)
