"""A job's row, as the one thread that works on it sees it: moved by the table, learned facts merged in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from samebox.resources.lifecycle import IllegalMove
from samebox.resources.resources import Resources
from samebox.resources.run_facts import JobFacts, RunFacts, job_facts
from samebox.resources.store import Changed, Resource


class Record:
    """Reads and writes one row."""

    def __init__(self, resources: Resources, row: Resource) -> None:
        self._resources = resources
        self.row = row

    @property
    def run(self) -> RunFacts:
        """What was learned of the job's run, before a restart too."""
        return job_facts(self.row).run

    @property
    def stage(self) -> str:
        """SecondaryStatus, or the status of a kind that has no finer one."""
        return str(self.row.state.get("SecondaryStatus") or self.row.status)

    @property
    def is_stopping(self) -> bool:
        """True once a client or the clock has asked for a stop."""
        return self.stage == "Stopping"

    def now(self) -> float:
        """Epoch seconds by the emulator's clock."""
        return self._resources.now()

    def refresh(self) -> None:
        """Read the row again. Raises Changed if it is gone, or another job has its name."""
        newest = self._resources.by_arn(self.row.arn)
        if newest is None or newest.created != self.row.created:
            raise Changed(self.row.arn)
        self.row = newest

    def move(self, to: str, run: RunFacts | None = None, message: str | None = None, **state: Any) -> None:
        """Go to the stage `to` with what is new; a job that is stopping gets what is new and stays where it is.

        `message`: the StatusMessage, where it is not that of the stage.
        """
        if self.stage == to:
            return self.learn(run, **state)
        try:
            self.row = self._resources.advance(self.row, to, message, _with_run(run), **state)
        except IllegalMove as error:
            if error.at != "Stopping":
                raise
            self.learn(run, **state)
        return None

    def learn(self, run: RunFacts | None = None, **state: Any) -> None:
        """Write down what is new, in the stage the job is in."""
        self.row = self._resources.change(self.row, lambda _: state, _with_run(run))

    def report(self, message: str) -> None:
        """Change the StatusMessage of the stage the job is in."""
        self.row = self._resources.annotate(self.row, message)


def _with_run(run: RunFacts | None) -> Callable[[Resource], JobFacts] | None:
    return None if run is None else lambda row: replace(job_facts(row), run=run)
