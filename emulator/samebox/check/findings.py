"""A rule with its source, and a finding: the result of one rule for one image."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

_CONTROL = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Status = Literal["pass", "fail", "warn", "skipped"]
Severity = Literal["fail", "warn"]
Family = Literal["static", "training", "serving", "artifact", "multi-model", "transform", "processing", "serverless"]


def harmless(words: str) -> str:
    """Text from an image or another untrusted source, without terminal control sequences and unencodable characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", words)


@dataclass(frozen=True)
class Acceptance:
    """A finding that the user accepts: the reason, the date, and until when."""

    rule_id: str
    reason: str
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Quote:
    """Output of the image's program, in full. `source`: where it was written, such as "the log"."""

    source: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", harmless(self.text))


@dataclass(frozen=True)
class Finding:
    """The result of one rule. `remedy`: one or two lines for the author of the image; `line`: of the Dockerfile.

    `quotes`: the output that explains the failure; `log`: the log as far as it was kept.
    """

    rule_id: str
    status: Status
    seen: str
    remedy: str = ""
    line: int | None = None
    checked: bool = True  # False: the check broke down or ran out of time, so nothing is known
    seconds: float = 0.0
    accepted: Acceptance | None = None
    quotes: tuple[Quote, ...] = ()
    log: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # `seen` quotes an untrusted image: its text must not control a terminal.
        object.__setattr__(self, "seen", harmless(self.seen))
        object.__setattr__(self, "remedy", harmless(self.remedy))
        object.__setattr__(self, "log", tuple(map(harmless, self.log)))

    def quoting(self, quotes: Iterable[Quote], log: Iterable[str] = ()) -> Finding:
        """The finding with quotes of the program's output. A quote that `seen` contains in full is left out."""
        more = tuple(one for one in quotes if one.text.strip() and one.text.strip() not in self.seen)
        return dataclasses.replace(self, quotes=more, log=tuple(log))

    @property
    def counts(self) -> bool:
        """Whether it is a fault that is not accepted."""
        return self.status in ("fail", "warn") and self.accepted is None


@dataclass(frozen=True)
class Rule:
    """A requirement, its source, and how to meet it.

    `id` is stable, kebab-case and begins with its subject: image-, train-, serve-, artifact-, … `source` is a section
    of contract.md ("contract §2.2"), an AWS page or an issue. `title` is the statement that is true when the rule
    passes: "/ping answers within 2 s".
    """

    id: str
    title: str
    source: str
    severity: Severity
    family: Family
    remedy: str

    def passed(self, seen: str) -> Finding:
        return Finding(self.id, "pass", seen)

    def broken(self, seen: str, remedy: str | None = None, line: int | None = None) -> Finding:
        """A fault, as grave as the rule is. `remedy` where more is known than the rule's own."""
        return Finding(self.id, self.severity, seen, self.remedy if remedy is None else remedy, line)

    def warned(self, seen: str, remedy: str | None = None, line: int | None = None) -> Finding:
        """A smaller fault of a rule that can be broken badly, too."""
        return Finding(self.id, "warn", seen, self.remedy if remedy is None else remedy, line)

    def skipped(self, why: str) -> Finding:
        return Finding(self.id, "skipped", why)

    def unknown(self, why: str) -> Finding:
        """It could not be checked. Counts as a fault: a green report means that every rule was checked."""
        return Finding(self.id, self.severity, f"could not be checked: {why}", checked=False)
