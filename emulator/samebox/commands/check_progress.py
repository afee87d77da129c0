"""The progress of `samebox check`: beside a spinner on a terminal, as lines on standard error elsewhere."""

import re
import sys
import time

from rich.markup import escape
from rich.status import Status

from samebox.check.reports import terminal
from samebox.check.runner import Progress

_LINE_SECONDS = 15.0  # between lines about a step that goes on


class CheckProgress:
    """The progress of a run: on a screen beside a spinner; elsewhere, as in CI, lines on standard error."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._doing, self._at = "", 0.0  # the last line about the check in progress, and when

    def __call__(self, progress: Progress) -> None:
        console = self._status.console
        if progress.finding is None:
            doing = f": {progress.doing}" if progress.doing else ""
            self._status.update(escape(f"{progress.number}/{progress.of} {progress.rule.title}{doing}"))
            if progress.doing and not console.is_terminal:
                self._log_doing(progress)
        elif not console.is_terminal:
            finding = progress.finding
            _log(progress, f"{finding.status}, {finding.seconds:.1f} s")
        elif progress.finding.status in ("fail", "warn"):
            style = terminal.STYLES[progress.finding.status]
            console.print(f"[{style}]{progress.finding.status}[/] {progress.finding.rule_id}", highlight=False)

    def _log_doing(self, progress: Progress) -> None:
        """A line for each new step; of one that goes on, a line now and then."""
        step, now = re.sub(r"\d+", "#", progress.doing), time.monotonic()
        if step != self._doing or now - self._at > _LINE_SECONDS:
            self._doing, self._at = step, now
            _log(progress, progress.doing)


def _log(progress: Progress, words: str) -> None:
    print(f"[{progress.number}/{progress.of}] {progress.rule.id}: {words}", file=sys.stderr, flush=True)
