"""A training job's row, as the one thread that works on it sees it: moved by the table, learned facts merged in."""

from collections.abc import Mapping
from typing import Any

from samebox.resources.lifecycle import IllegalMove
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource


class Record:
    """Reads and writes one row. `run` are the facts that only we read; AWS's outputs have no such member."""

    def __init__(self, resources: Resources, row: Resource) -> None:
        self._resources = resources
        self.row = row

    @property
    def run(self) -> Mapping[str, Any]:
        """What was learned in this and earlier lives: ContainerId, TrainingStartedAt, EndedAt, ExitCode, …"""
        run: Mapping[str, Any] = self.row.state.get("Run", {})
        return run

    @property
    def stage(self) -> str:
        """SecondaryStatus."""
        return str(self.row.state["SecondaryStatus"])

    @property
    def is_stopping(self) -> bool:
        """True once a stop is wished for, by a client or by the clock."""
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

    def move(self, to: str, run: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Go to the stage `to` and learn facts; a job that is stopping learns them and stays where it is."""
        if run is not None:
            facts["Run"] = {**self.run, **run}
        if self.stage == to:
            return self._learn(facts)
        try:
            self.row = self._resources.advance(self.row, to, **facts)
        except IllegalMove as error:
            if error.at != "Stopping":
                raise
            self._learn(facts)
        return None

    def learn(self, run: Mapping[str, Any], **facts: Any) -> None:
        """Write facts down, where the job is."""
        self._learn({**facts, "Run": {**self.run, **run}})

    def report(self, message: str) -> None:
        """Change the StatusMessage of the stage the job is in."""
        self.row = self._resources.annotate(self.row, message)

    def _learn(self, facts: Mapping[str, Any]) -> None:
        self.row = self._resources.change(self.row, lambda _: facts)
