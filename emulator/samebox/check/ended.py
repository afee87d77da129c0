"""How one host of a job ended: its exit, its log and the files that it left."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from samebox.check.findings import Quote
from samebox.log_excerpt import exception_in, excerpt, headline, readable
from samebox.platform.log_tail import MOST_LINES
from samebox.platform.memory import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from samebox.check.findings import Finding
    from samebox.containers.engine import LogLine
    from samebox.platform.activity import Idle

NO_NETWORK = (
    r"temporary failure in name resolution|name or service not known|network is unreachable|could not resolve host"
    r"|bad address|nodename nor servname|no route to host|failed to resolve|getaddrinfo|EndpointConnectionError"
)
READ_ONLY = r"read-only file system|EROFS|errno 30\b"
_SIGKILLED = 128 + 9
# What sagemaker-training writes of a script that failed: everything else in it is the toolkit's own.
_OF_TOOLKIT = re.compile(r'ErrorMessage "(.+?)"\n(?:ExtraInfo|Command) "', re.DOTALL)
# The complete message of a wrapper, which only reports that something failed.
_SAYS_LITTLE = re.compile(
    r"^.{0,60}(?:exit|status|code|ended|failed|returned|error)\W+(?:\w+\W+){0,2}-?\d+\W*$", re.IGNORECASE
)
_LAST = 20  # last lines of a log, which show how the program ended
_MOST_SHOWN = 300  # characters of a line


@dataclass(frozen=True)
class LeftFile:
    """A file or link below the folder that a job leaves its work in."""

    path: str
    size: int
    link: str = ""


@dataclass(frozen=True)
class HostOutput:
    """What a host leaves behind: the files of its model or outputs, and its message (of a training: its failure)."""

    files: tuple[LeftFile, ...] = ()
    message: bytes | None = None
    message_path: str = "/opt/ml/output/failure"


@dataclass(frozen=True)
class HostResult:
    """What became of one host. `exit_code` None: it had not ended, and was killed; `idle`: because it did nothing."""

    exit_code: int | None
    seconds: float
    started_at: float | None = None
    oom_killed: bool = False
    start_error: str = ""
    left: HostOutput = HostOutput()
    log: tuple[LogLine, ...] = ()
    memory_bytes: int = 0  # that it had; 0: unknown
    peak_bytes: int | None = None  # that it held at most, the page cache aside; None where that cannot be seen
    idle: Idle | None = None

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
    def lines(self) -> tuple[str, ...]:
        """Its log, as a person reads it."""
        return tuple(part for line in self.log for part in readable(line.text))

    @property
    def outcome(self) -> str:
        """How it ended and the line that explains it, as a short phrase."""
        if self.start_error:
            return self.start_error
        how = f"{self.how} after {self.seconds:.1f} s"
        if self.idle is not None:
            left = f"it has left {counted(self.left.files)}" if self.left.files else "it has left no file"
            return f"{how}: {left}, and for {self.idle.seconds:.0f} s it computed and wrote nothing; alive: {self.idle}"
        why = self.reason
        return f"{how}: {why[:_MOST_SHOWN]}" if why else f"{how}, without a word"

    @property
    def reason(self) -> str:
        """The line that explains the end: of the failure message or the exception, else the last one; or ""."""
        message = self._message
        if by_toolkit := _OF_TOOLKIT.search("\n".join(message)):
            return headline(excerpt(by_toolkit.group(1).splitlines()))
        # A message may say no more than that something failed, which the log knows better.
        told = () if _SAYS_LITTLE.search("\n".join(message)) else exception_in(message)
        return headline(told or self._exception or message[:1] or self._excerpt)

    @property
    def explains_itself(self) -> bool:
        """Whether the cause of its failure is known: memory, or a message of its own."""
        if self.oom_killed:
            return True
        told = "\n".join(self._message)
        says_little = not told or bool(_SAYS_LITTLE.search(told))
        return not says_little or bool(exception_in(self._message) or self._exception)

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The output that explains the failure, in full: the failure file or message, and the log's exception."""
        found = [Quote(self.left.message_path, "\n".join(self._message))] if self._message else []
        of_log = self._exception if found else self._excerpt
        if of_log and headline(of_log) not in "\n".join(self._message):
            found.append(Quote("its log", "\n".join(of_log)))
        return tuple(found)

    def quoted_in(self, finding: Finding) -> Finding:
        """The finding with the quotes and the log of this host added."""
        return finding.quoting(self.quotes, self.lines)

    @property
    def _message(self) -> tuple[str, ...]:
        return tuple((self.left.message or b"").decode(errors="replace").strip().splitlines())

    @cached_property  # a log may be long, and is asked for its reason several times
    def _exception(self) -> tuple[str, ...]:
        return exception_in(self._texts)

    @cached_property
    def _excerpt(self) -> tuple[str, ...]:
        return excerpt(self._texts)

    @property
    def _texts(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.log)

    @property
    def middle_line(self) -> int:
        """The number of log lines at half of its running time; 0 where it cannot be known."""
        if self.started_at is None or not 4 <= len(self.log) < MOST_LINES:
            return 0
        middle, late = ((self.started_at + part * self.seconds) * 1e9 for part in (0.5, 0.8))
        count = 1 + sum(line.time < middle for line in self.log)  # with the first one after the middle
        return count if count < len(self.log) - 1 and self.log[count - 1].time < late else 0

    def went_on_as(self, plain: HostResult) -> bool:
        """Whether it logged every kind of line that `plain` logged, as often; without lines, whether it ran as long.

        On a busy machine time is not a measure. Nor is the number of lines: a program may log that it handles a signal.
        """
        if plain.middle_line:
            return _kinds(plain.log) <= _kinds(self.log)
        return self.seconds > 0.9 * plain.seconds


def counted(files: Sequence[LeftFile]) -> str:
    """1 file, 2 files."""
    return f"{len(files)} file{'' if len(files) == 1 else 's'}"


def words_about(pattern: str, ended: HostResult) -> str:
    """The first line of the failure message or the log's end that matches the pattern, shortened; "" if there is none.

    Earlier lines do not count: the program went on after them.
    """
    told = [line for quote in ended.quotes for line in quote.text.splitlines()]
    for line in (*told, *ended.lines[-_LAST:]):
        if re.search(pattern, line, re.IGNORECASE):
            return line.strip()[:_MOST_SHOWN]
    return ""


def _kinds(log: Iterable[LogLine]) -> Counter[str]:
    """How often each kind of line occurs; lines that differ only in numbers are of one kind."""
    return Counter(re.sub(r"\w*\d\w*", "#", line.text.strip()) for line in log)
