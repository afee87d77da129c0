"""The log of an endpoint's new containers, shown while they start, and the lines of it that explain a failure."""

import re
from collections import Counter, deque
from typing import Any

from samebox.commands import aws
from samebox.commands.display import EMULATORS, Screen
from samebox.commands.hints import Hints
from samebox.commands.lines import ENDPOINTS, Lines
from samebox.log_excerpt import LOOKED_AT, excerpt

INDENT = "    "
# Of a stream's name, which ends with the id of an instance.
_SHORT_NAME = 6
# Many servers log each request, and /ping is asked every second. Lines about it that differ in figures only are shown
# so often.
_ALIKE_SHOWN = 2
_FIGURES = re.compile(r"\d+(?:\.\d+)?")


class EndpointLog:
    """The log of an endpoint's containers from now on.

    The log is optional: if it cannot be read, one line reports that.
    """

    def __init__(self, logs: Any, endpoint: str, screen: Screen) -> None:
        self.group = f"{ENDPOINTS}/{endpoint}"
        self._screen = screen
        self._kept: deque[str] = deque(maxlen=LOOKED_AT)
        self._streams: set[str] = set()
        self._pings: Counter[str] = Counter()
        self._hints = Hints()
        self._lines: Lines | None = None
        try:
            # By name, and not by time: this machine's clock need not be AWS's.
            before = Lines(logs, self.group).streams()
            self._lines = Lines(logs, self.group, without=before)
        except (aws.ClientError, aws.BotoCoreError) as error:
            self._give_up(error)

    def show(self) -> None:
        """Show what is new."""
        if self._lines is None:
            return
        try:
            events = list(self._lines.events())
        except (aws.ClientError, aws.BotoCoreError) as error:
            self._give_up(error)
            return
        self._streams.update(stream for stream, _ in events)
        for stream, line in events:
            self._kept.append(line)
            self._hints.see(line)
            if self._is_known(line):
                continue
            name = f"{stream[-_SHORT_NAME:]}  " if len(self._streams) > 1 else ""
            self._screen.line(line, INDENT + name)
        self._screen.flush()

    def why(self) -> tuple[str, ...]:
        """The lines that best explain why a container does not serve: its exception, or its last lines."""
        own = [line for line in self._kept if not line.startswith(EMULATORS)]
        return excerpt(own or self._kept)

    @property
    def hint(self) -> str:
        """The hint for the log, if one of its lines matches one."""
        return self._hints.words

    def _is_known(self, line: str) -> bool:
        if "/ping" not in line or line.startswith(EMULATORS):
            return False
        alike = _FIGURES.sub("0", line)
        self._pings[alike] += 1
        if self._pings[alike] == _ALIKE_SHOWN + 1:
            self._screen.line(f"{EMULATORS}more lines like that about /ping follow, which are not shown here", INDENT)
        return self._pings[alike] > _ALIKE_SHOWN

    def _give_up(self, error: aws.ClientError | aws.BotoCoreError) -> None:
        self._lines = None
        self._screen.line(f"{EMULATORS}the log {self.group} cannot be read: {aws.words(error)}", INDENT)
