"""A registry of running emulators outside their data folders, so that one whose folder was removed is still found."""

import contextlib
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from samebox.commands import process
from samebox.commands.outcome import Stop

log = logging.getLogger(__name__)

# Requests under way are answered first; what runs in containers is not waited for.
END_SECONDS = 60.0


@dataclass(frozen=True)
class EmulatorRecord:
    """The record of a running emulator, by which it is found."""

    pid: int
    started: str
    url: str

    @property
    def alive(self) -> bool:
        return process.started_at(self.pid) == self.started


@dataclass(frozen=True)
class Noted:
    """A running emulator and its data folder. Device and inode distinguish the folder from a later one in its place."""

    record: EmulatorRecord
    data_dir: Path
    device: int
    inode: int

    @property
    def has_lost_its_folder(self) -> bool:
        """True when the folder was removed, even if there is another one in its place."""
        try:
            found = self.data_dir.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except PermissionError:
            return False
        return (found.st_dev, found.st_ino) != (self.device, self.inode)


@contextmanager
def noted(record: EmulatorRecord, data_dir: Path) -> Iterator[None]:
    """While this lasts, the emulator is noted. Where no note can be written, it is found by its data folder alone."""
    folder = data_dir.resolve()
    found = folder.stat()
    content = {**asdict(record), "data_dir": str(folder), "device": found.st_dev, "inode": found.st_ino}
    note = _write(f"{record.pid}.json", json.dumps(content) + "\n")
    try:
        yield
    finally:
        if note is not None:
            note.unlink(missing_ok=True)


def running() -> list[Noted]:
    """Every emulator of this person that runs on this machine; notes that a crash left are removed."""
    found = []
    for note in sorted(notes().glob("*.json")):
        one = _read(note)
        if one is not None and one.record.alive:
            found.append(one)
        else:
            note.unlink(missing_ok=True)
    return found


def on(data_dir: Path) -> Noted | None:
    """The emulator that was started on a data folder and runs; of two, the one that still has it."""
    folder = data_dir.resolve()
    found = [one for one in running() if one.data_dir == folder]
    return min(found, key=lambda one: one.has_lost_its_folder, default=None)


def lost(data_dir: Path) -> Noted | None:
    """The emulator that runs though its data folder was removed, if this is the one that commands mean."""
    one = on(data_dir)
    return one if one is not None and one.has_lost_its_folder else None


def end(running: EmulatorRecord) -> None:
    """SIGTERM, and wait. Raises Stop when it takes longer than it may."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while running.alive:
        if time.monotonic() > deadline:
            raise Stop(
                f"process {running.pid} has not ended within {END_SECONDS:g} s. It loses nothing if it is killed: "
                f"kill -9 {running.pid}"
            )
        time.sleep(0.05)


def notes() -> Path:
    """The folder of the registry, below the user's XDG state directory."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "samebox" / "running"


def _write(name: str, content: str) -> Path | None:
    note = notes() / name
    try:
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = note.with_suffix(".part")
        partial.write_text(content)
        partial.replace(note)
    except OSError as error:
        log.warning("%s cannot be written, so only the data folder identifies this emulator: %s", note, error)
        return None
    return note


def _read(note: Path) -> Noted | None:
    try:
        said = json.loads(note.read_text())
        record = EmulatorRecord(said["pid"], said["started"], said["url"])
        return Noted(record, Path(said["data_dir"]), said["device"], said["inode"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
