"""The data folder of an emulator: held by one process at a time, with a secret and an id of its own."""

import fcntl
import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from samebox.app.endings import Endings
from samebox.services import secret
from samebox.settings import Settings


class AlreadyRunning(Exception):
    """Another emulator works on the data directory."""


@dataclass(frozen=True)
class DataFolder:
    """`id` is public and labels what the emulator makes; `secret` signs what it hands out."""

    path: Path
    secret: bytes = field(repr=False)
    id: str


def claim(settings: Settings, endings: Endings) -> DataFolder:
    """Hold the folder until the emulator's end, made if it is not there. Raises AlreadyRunning."""
    path = settings.data_dir.resolve()
    path.mkdir(parents=True, exist_ok=True)
    endings.add(partial(os.close, _lock(path)))
    own = secret.read(path / "secret")
    folder = DataFolder(path, own, secret.identity(own))
    (path / "id").write_text(folder.id)
    (path / "port").write_text(str(settings.port))
    return folder


def _lock(path: Path) -> int:
    """Held until this process ends, however it ends."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"Another emulator works on {path}.") from None
    return lock
