"""The journal of a folder that is mirrored to S3: which version of each file is there, for the process after a crash.

A line is written before an upload and after it, so that what a killed process may have uploaded is known: such a file
is uploaded again, or deleted from S3 where it is gone.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING

from samebox.data.folder_files import FileVersion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# So many lines for each file before the journal is written anew.
_LINES_PER_FILE = 8
_FEWEST_LINES = 4096


class UploadJournal:
    """Threads may share it. It is lost with the machine, not with the process: nothing is synced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._lines = 0
        self._known: dict[str, FileVersion | None] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text().splitlines():
                self._read(line)

    @property
    def known(self) -> Mapping[str, FileVersion | None]:
        """The files that are in S3, or may be: None where the last upload may not have been completed."""
        with self._lock:
            return dict(self._known)

    def begin(self, known: Mapping[str, FileVersion]) -> None:
        """Forget what was, and begin with these."""
        with self._lock:
            self._known = dict(known)
            self._write_anew()

    def note(self, name: str, version: FileVersion | None) -> None:
        """An upload of the file begins (None), or this version of it is there."""
        with self._lock:
            self._known[name] = version
            self._add(_line(name, version))

    def forget(self, name: str) -> None:
        """The file is not in S3 any more."""
        with self._lock:
            self._known.pop(name, None)
            self._add(json.dumps([name]))

    def _add(self, line: str) -> None:
        with self._path.open("a") as file:
            file.write(f"{line}\n")
        self._lines += 1
        if self._lines > max(_FEWEST_LINES, _LINES_PER_FILE * len(self._known)):
            self._write_anew()

    def _write_anew(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text("".join(f"{_line(name, version)}\n" for name, version in self._known.items()))
        fresh.replace(self._path)
        self._lines = len(self._known)

    def _read(self, line: str) -> None:
        try:
            name, *version = json.loads(line)
        except ValueError:
            return  # cut short by a kill
        self._lines += 1
        if not version:
            self._known.pop(name, None)
        else:
            self._known[name] = FileVersion(*version) if len(version) > 1 else None


def _line(name: str, version: FileVersion | None) -> str:
    if version is None:
        return json.dumps([name, None])
    return json.dumps([name, version.size, version.modified, version.inode])
