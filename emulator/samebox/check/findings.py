"""What the contract kit says: a rule with its source, and what was found of it in one image."""

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
    """Words of a stranger's, without what would steer a terminal or could not be written to a file."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", words)


@dataclass(frozen=True)
class Acceptance:
    """Somebody has seen a finding and lives with it: why, since when, and until when."""

    rule_id: str
    reason: str
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Quote:
    """Words of the image's program, whole. `source`: where they stand, such as "the log"."""

    source: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", harmless(self.text))


@dataclass(frozen=True)
class Finding:
    """What became of one rule. `remedy`: one or two lines for whoever builds the image; `line`: of the Dockerfile.

    `quotes`: what of the program's own words tells why; `log`: all that was kept of its log.
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
        # Half of what is seen are words of an image that nobody vouches for; none of them steer a terminal.
        object.__setattr__(self, "seen", harmless(self.seen))
        object.__setattr__(self, "remedy", harmless(self.remedy))
        object.__setattr__(self, "log", tuple(map(harmless, self.log)))

    def quoting(self, quotes: Iterable[Quote], log: Iterable[str] = ()) -> Finding:
        """With words of the program. A quote that `seen` gives in full is left out."""
        more = tuple(one for one in quotes if one.text.strip() and one.text.strip() not in self.seen)
        return dataclasses.replace(self, quotes=more, log=tuple(log))

    @property
    def counts(self) -> bool:
        """Whether it is a fault that nobody has accepted."""
        return self.status in ("fail", "warn") and self.accepted is None


@dataclass(frozen=True)
class Rule:
    """What must hold, who says so, and how to mend it.

    `id` is stable, kebab-case and begins with what it is about: image-, train-, serve-, artifact-, … `source` is a
    section of contract.md ("contract §2.2"), an AWS page or an issue. `title` is the claim that holds when it passes:
    "/ping answers within 2 s".
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
        """It could not be checked. As grave as a fault: a green report means that everything was looked at."""
        return Finding(self.id, self.severity, f"could not be checked: {why}", checked=False)
