"""The log of a training job as `samebox train` shows it: the script's output, its metrics, and hints."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console

from samebox.commands.display import Screen
from samebox.commands.folding import LogFolding
from samebox.commands.hints import Hints
from samebox.commands.outcome import Stop
from samebox.jobs.metrics import Metrics

_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
# Where a line or a word begins, behind mpirun's `[1,0]<stdout>:` too.
_START = r"(?:(?<![\w:-])|(?<=<stdout>:)|(?<=<stderr>:))"
# As Keras writes them, and programs that print `loss=0.25` or `loss: 0.25`.
_COMMON = ("loss", "accuracy", "val_loss", "val_accuracy")
_MOST_SHOWN = 6
_CERTIFICATE = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|certificate verify failed", re.IGNORECASE
)
_PIP = re.compile(r"\bpip\b|Could not fetch URL|Retrying \(Retry|InstallRequirementsError|No matching distribution")


def definitions(given: Sequence[str]) -> list[dict[str, str]]:
    """MetricDefinitions: NAME=REGEX pairs, and the common ones that they do not name. Raises Stop."""
    found = {name: rf"{_START}{name}[=:] *{_NUMBER}" for name in _COMMON}
    for pair in given:
        name, equals, regex = pair.partition("=")
        if not equals or not name:
            raise Stop(f"--metric {pair}: expected NAME=REGEX.", status=2)
        try:
            groups = re.compile(regex).groups
        except re.error as error:
            raise Stop(f"--metric {pair}: {error}.", status=2) from None
        if not groups:
            raise Stop(
                f"--metric {pair}: no group in the expression; the value is what its first group matches.", status=2
            )
        found[name] = regex
    return [{"Name": name, "Regex": regex} for name, regex in found.items()]


class JobProgress:
    """The secondary statuses of a job, and the message of the last where that changes: what the job waits for."""

    def __init__(self) -> None:
        self.status = ""
        self._message = ""
        self._seen = 0

    def new(self, job: Mapping[str, Any]) -> list[str]:
        """What a DescribeTrainingJob response says that the last one did not; empty where there is nothing new."""
        transitions = job["SecondaryStatusTransitions"]
        found = [str(one["Status"]) for one in transitions[self._seen :]]
        message = transitions[-1].get("StatusMessage", "")
        if not found and message != self._message:
            found = [f"{self.status}: {message}"]
        self.status, self._message, self._seen = transitions[-1]["Status"], message, len(transitions)
        return found


class TrainingLog:
    """Where lines go by. On a terminal the state of the job and its metrics stand below them.

    `notes` is where we speak ourselves, where the lines go into a file.
    """

    def __init__(
        self, console: Console, notes: Console, metrics: Sequence[Mapping[str, Any]], everything: bool = False
    ) -> None:
        self._screen = Screen(console, raw=True)
        # On one terminal there is one writer: what moves on it must know of every line.
        self._notes = console if console.is_terminal else notes
        self._folding = None if everything else LogFolding()
        self._folded = 0
        self._metrics = Metrics(metrics)
        self._hints = Hints()

    def show(self, lines: Iterable[str]) -> None:
        """What is new."""
        for line in lines:
            self._metrics.see(line, 0.0)
            self._hints.see(line)
            for one in [line] if self._folding is None else self._folding.feed(line):
                self._say_folded()
                self._screen.line(one)
        self._screen.flush()

    def note(self, text: str) -> None:
        """A line of our own, with rich's markup."""
        self._notes.print(text, highlight=False, soft_wrap=True)

    def state(self, text: str, load: Callable[[], str] = lambda: "") -> None:
        """How the job stands, and what its hosts do; `load` is not asked where no terminal shows it."""
        if self._screen.is_live:
            self._screen.state("  ".join(part for part in (text, self.metrics, load()) if part))

    def close(self) -> None:
        """Show what was held back, and leave the terminal as it was."""
        for one in self._folding.end() if self._folding else ():
            self._screen.line(one)
        self._screen.close()

    @property
    def metrics(self) -> str:
        """The last value of each."""
        values = {one["MetricName"]: one["Value"] for one in self._metrics.final()}
        return "  ".join(f"{name} {value:.6g}" for name, value in list(values.items())[:_MOST_SHOWN])

    @property
    def hint(self) -> str:
        """The hint for the log, if one of its lines matches one."""
        return self._hints.words

    def _say_folded(self) -> None:
        if self._folding is not None and self._folding.folded > self._folded:
            count, self._folded = self._folding.folded - self._folded, self._folding.folded
            self._notes.print(
                f"[dim]… {count} lines of sagemaker-training's own (--verbose shows them)[/]", highlight=False
            )
