"""Formats log lines for a terminal: JSON records unfolded, a progress bar reduced to its last state.

The output of containers is untrusted: colours pass, other control sequences do not.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from samebox.check.findings import harmless
from samebox.log_excerpt import readable

# The emulator's own sentences among a container's lines begin so.
EMULATORS = "samebox: "
_LEVEL_KEYS = ("level", "levelname", "severity", "log_level")
_STYLES = {"error": "red", "critical": "red", "fatal": "red", "warning": "yellow", "warn": "yellow"}
# Time and logger, and what the text contains already.
_LEFT_OUT = re.compile(
    r"@?time(?:stamp)?|ts|asctime|date|pid|process.*|thread.*|logger|name|message|msg|event|log|text"
    r"|traceback|exc_.*|exception|stack.*|err(?:or)?"
)
_LONGEST_EXTRA = 200
_DONE = "100%"  # of a progress bar
_NO_COLOUR = "\x1b[0m"
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# Other sequences of a terminal: cursors, titles, character sets.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*(?!m)[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])")


@dataclass(frozen=True)
class Shown:
    """One line of a screen. `style` is rich's."""

    text: str
    style: str = ""


def number_of(count: int, noun: str) -> str:
    """A number with its noun: `1 network`, `2 networks`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def shown(message: str) -> tuple[Shown, ...]:
    """What one event of a log is on a screen; never without a line."""
    record = _record(message)
    if record is None:
        style = "cyan" if message.startswith(EMULATORS) else ""
        parts = [part for part in re.split("[\r\n]", message) if part] or [""]
        return tuple(Shown(_safe(part), style) for part in parts)
    level = next((str(record[key]).strip() for key in _LEVEL_KEYS if record.get(key)), "")
    first, *more = readable(message)
    extras = _extras(record)
    head = f"{level.upper()}  {first}" if level else first
    if extras and len(more) == 0:
        head += f"  {extras}"
    style = _STYLES.get(level.lower(), "")
    return tuple(Shown(harmless(_plain(line)), style) for line in (head, *more))


def progress_of(message: str) -> str | None:
    """The last state of a progress bar; None for a line that holds none.

    A bar goes back to the beginning of its line, with a carriage return, and writes over what stands there.
    """
    if "\r" not in message.rstrip("\r\n") and not message.startswith("\r"):
        return None
    states = [part for part in message.split("\r") if part.strip()]
    return _safe(states[-1]) if states else ""


class Screen:
    """A terminal on which lines go by; below them, on one line, is what moves: a progress bar, the state of things.

    Where the console is not a terminal nothing moves, nor without `moves`, where another one has that line already.
    `raw`: on no terminal, each line is written as it came, for programs.
    """

    def __init__(self, console: Console, raw: bool = False, moves: bool = True) -> None:
        self._console = console
        self._moves = moves and console.is_terminal
        self._raw = raw and not console.is_terminal
        self._live: Live | None = None
        self._state = ""
        self._progress: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether there is a line that moves."""
        return self._moves

    def line(self, message: str, indent: str = "") -> None:
        """One event of a log."""
        if self._moves and (progress := progress_of(message)) is not None:
            if self._progress and _DONE in self._progress and _DONE not in progress:
                self._keep_progress(indent)  # the next bar, below it
            self._progress = progress or self._progress
            self._update()
            return
        self._keep_progress(indent)
        if self._raw:
            self._console.file.write(message + "\n")
            return
        for one in shown(message):
            self._print(indent, one)

    def flush(self) -> None:
        """Have all that was written seen; not done for each line, of which there may be millions."""
        self._console.file.flush()

    def state(self, text: str) -> None:
        """How things stand, on the line that moves."""
        self._state = text
        self._update()

    def close(self) -> None:
        """Leave the terminal as a program that prints lines does."""
        self._state = ""
        self._keep_progress("")
        self._update()

    def _keep_progress(self, indent: str) -> None:
        # What moved last stays, as it would on a terminal.
        if self._progress is not None:
            last, self._progress = self._progress, None
            self._update()
            self._print(indent, Shown(last))

    def _print(self, indent: str, one: Shown) -> None:
        if self._live is None and not one.style:  # most lines, and a log may have millions
            text = one.text if self._console.is_terminal else _plain(one.text)
            self._console.file.write(f"{indent}{text}{_NO_COLOUR if _COLOUR.search(text) else ''}\n")
            return
        line = Text(indent) + (Text(one.text, style=one.style) if one.style else Text.from_ansi(one.text))
        self._console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def _update(self) -> None:
        if not self._moves:
            return
        words = Text.from_ansi("  ".join(part for part in (self._state, self._progress or "") if part))
        moving = Spinner("dots", words)
        if not words.plain:
            if self._live is not None:
                self._live.stop()
                self._live = None
        elif self._live is None:
            # Transient: gone when it ends. Standard output and error may lead elsewhere, and are left to others.
            self._live = Live(
                moving, console=self._console, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        else:
            self._live.update(moving)


def _record(message: str) -> Mapping[str, Any] | None:
    """A JSON log record; None for anything else."""
    stripped = message.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return None
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    # Without a message of its own `readable` leaves it as it is, and so does this.
    return found if isinstance(found, dict) and readable(message) != (message.rstrip(),) else None


def _extras(record: Mapping[str, Any]) -> str:
    """The other fields of a record, such as a request's path and status."""
    told = {
        key: value
        for key, value in record.items()
        if key not in _LEVEL_KEYS and not _LEFT_OUT.fullmatch(key) and isinstance(value, str | int | float | bool)
    }
    text = " ".join(f"{key}={value}" for key, value in told.items() if value != "")
    return text if len(text) <= _LONGEST_EXTRA else text[: _LONGEST_EXTRA - 1] + "…"


def _plain(text: str) -> str:
    return _COLOUR.sub("", _SEQUENCE.sub("", text))


def _safe(text: str) -> str:
    """With its colours, and without all else that steers a terminal."""
    text = _SEQUENCE.sub("", text.rstrip("\r"))
    pieces, at = [], 0
    for colour in _COLOUR.finditer(text):
        pieces += [harmless(text[at : colour.start()]), colour.group()]
        at = colour.end()
    return "".join([*pieces, harmless(text[at:])])
