"""How one host of a job ended, what it said, and what it left behind."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.check.memory import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from emulator.containers.engine import LogLine

NO_NETWORK = (
    r"temporary failure in name resolution|name or service not known|network is unreachable|could not resolve host"
    r"|bad address|nodename nor servname|no route to host|failed to resolve|getaddrinfo|EndpointConnectionError"
)
READ_ONLY = r"read-only file system|EROFS|errno 30\b"
MOST_LINES = 400  # of a log are kept: the last ones
_SIGKILLED = 128 + 9


@dataclass(frozen=True)
class Found:
    """A file or link below the folder that a job leaves its work in."""

    path: str
    size: int
    link: str = ""


@dataclass(frozen=True)
class Left:
    """What a host leaves behind: the files of its model or outputs, and its message (of a training: its failure)."""

    files: tuple[Found, ...] = ()
    message: bytes | None = None


@dataclass(frozen=True)
class Ended:
    """What became of one host. `exit_code` None: it had not ended within the time, and was killed."""

    exit_code: int | None
    seconds: float
    started_at: float | None = None
    oom_killed: bool = False
    start_error: str = ""
    left: Left = Left()
    log: tuple[LogLine, ...] = ()
    memory_bytes: int = 0  # that it had; 0: unknown
    peak_bytes: int | None = None  # that it held at most, the page cache aside; None where that cannot be seen

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0

    @property
    def how(self) -> str:
        """Its exit code, and what that means where it is known."""
        if self.exit_code is None:
            return "not done"
        if self.oom_killed:
            what = "killed for its memory" if self.exit_code == _SIGKILLED else "a process of it killed for its memory"
            limit = f" at the limit of {in_words(self.memory_bytes)}" if self.memory_bytes else ""
            return f"exit code {self.exit_code} ({what}{limit})"
        if self.exit_code == _SIGKILLED:
            return f"exit code {self.exit_code} (SIGKILL, and not for its memory{self._peak})"
        return f"exit code {self.exit_code}"

    @property
    def _peak(self) -> str:
        if self.peak_bytes is None or not self.memory_bytes:
            return ""
        return f": it held {in_words(self.peak_bytes)} of {in_words(self.memory_bytes)}"

    @property
    def last_words(self) -> str:
        return next((line.text.strip() for line in reversed(self.log) if line.text.strip()), "")

    @property
    def outcome(self) -> str:
        """For a person, in a few words: how it ended, and the last that it said."""
        if self.start_error:
            return self.start_error
        how = f"{self.how} after {self.seconds:.1f} s"
        return f"{how}: {self.last_words[:200]}" if self.last_words else f"{how}, without a word"

    @property
    def middle_line(self) -> int:
        """How many lines it had written in the middle of its time; 0 where that cannot be told."""
        if self.started_at is None or not 4 <= len(self.log) < MOST_LINES:
            return 0
        middle, late = ((self.started_at + part * self.seconds) * 1e9 for part in (0.5, 0.8))
        count = 1 + sum(line.time < middle for line in self.log)  # with the first one after the middle
        return count if count < len(self.log) - 1 and self.log[count - 1].time < late else 0

    def went_on_as(self, plain: Ended) -> bool:
        """Whether all was done that is done otherwise, too. On a busy machine, lines tell it better than seconds.

        Not their number alone: who hears a signal says so, and has said less of other things.
        """
        if plain.middle_line:
            return _kinds(plain.log) <= _kinds(self.log)
        return self.seconds > 0.9 * plain.seconds


def counted(files: Sequence[Found]) -> str:
    """1 file, 2 files."""
    return f"{len(files)} file{'' if len(files) == 1 else 's'}"


def words_about(pattern: str, ended: Ended) -> str:
    """The first line of the log that fits, shortened; "" where none does."""
    for line in ended.log:
        if re.search(pattern, line.text, re.IGNORECASE):
            return line.text.strip()[:200]
    return ""


def _kinds(log: Iterable[LogLine]) -> Counter[str]:
    """How often it said what, whatever the numbers in it."""
    return Counter(re.sub(r"\w*\d\w*", "#", line.text.strip()) for line in log)
