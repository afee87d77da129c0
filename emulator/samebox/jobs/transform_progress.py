"""What a transform job has done so far, over crashes: the objects whose outputs are stored, and how its work ended.

Two files in the job's folder. A process after a crash goes on after the objects that are listed; what was under way is
done again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from samebox.jobs.job_type import WorkResult
from samebox.resources.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.data.objects import Object

RESULT_FILE, DONE_FILE = "result", "done"


class TransformProgress:
    """The progress of the job with this folder. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._result_file = folder / RESULT_FILE
        self._done_file = folder / DONE_FILE
        self._lock = threading.Lock()
        text = self._done_file.read_text() if self._done_file.exists() else ""
        self._done_before = frozenset(text.splitlines())

    def result(self) -> WorkResult | None:
        """How the work ended; None while it goes on."""
        if not self._result_file.exists():
            return None
        outcome, _, text = self._result_file.read_text().partition("\n")
        return WorkResult(Outcome(outcome), text)

    def end(self, result: WorkResult) -> None:
        """Keep how the work ended, whole or not at all."""
        part = self._result_file.with_suffix(".part")
        part.write_text(f"{result.outcome.value}\n{result.text}")
        part.replace(self._result_file)

    def was_done(self, source: Object) -> bool:
        """Whether an earlier process stored the output of this object, as the object is now."""
        return _line(source) in self._done_before

    def add(self, source: Object) -> None:
        """The output of this object is stored."""
        with self._lock, self._done_file.open("a") as file:
            file.write(f"{_line(source)}\n")


def _line(source: Object) -> str:
    return f"{source.etag} {source.uri!r}"
