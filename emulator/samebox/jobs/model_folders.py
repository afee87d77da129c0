"""Unpacked models: each model.tar.gz is downloaded once for all containers of its generation."""

import logging
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from samebox.data import artifacts
from samebox.data.objects import Cancelled, DiskFull, Objects, S3Error, Unreachable
from samebox.jobs import hosting

log = logging.getLogger(__name__)


class ModelRefused(Exception):
    """The model is not available; the message is the FailureReason, `detail` goes to the log."""

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


class ModelFolders:
    """Makes model folders. A folder that is there is whole: it appears at once, and is never changed."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}

    def make(self, url: str, folder: Path, cancelled: threading.Event) -> None:
        """Have the archive at `url` unpacked at `folder`. Raises ModelRefused, Cancelled, Unreachable."""
        with self._lock:
            lock = self._locks.setdefault(folder, threading.Lock())
        with lock:
            if folder.is_dir():
                return
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                size = artifacts.unpack(_until(cancelled, self._objects.read(url)), folder)
            except artifacts.ArtifactError as error:
                too_large = error.reason == "too-large"
                message = hosting.MODEL_TOO_LARGE if too_large else hosting.model_refused(url, str(error))
                raise ModelRefused(message, str(error)) from error
            except DiskFull as error:
                raise ModelRefused(hosting.MODEL_TOO_LARGE, str(error)) from error
            except Unreachable:
                raise
            except S3Error as error:
                raise ModelRefused(hosting.model_missing(url), str(error)) from error
        log.info("%s: %d bytes unpacked", url, size)


def _until(cancelled: threading.Event, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if cancelled.is_set():
            raise Cancelled("the endpoint is deleted")
        yield chunk
