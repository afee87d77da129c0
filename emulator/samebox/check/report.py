"""The report of one run over one image: the findings, in the order of the checks, and the verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Claim
    from samebox.check.findings import Finding, Rule

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Report:
    """What every kind of output is made of."""

    image: str
    findings: tuple[Finding, ...]
    rules: Mapping[str, Rule]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()  # what was guessed, shortened or not possible
    started_at: float = 0.0  # seconds since the epoch
    seconds: float = 0.0
    image_id: str = ""
    version: str = ""
    dockerfile: str = ""
    counts: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        words = ["accepted" if one.accepted else one.status for one in self.findings]
        object.__setattr__(self, "counts", Counter(words))

    @property
    def verdict(self) -> Verdict:
        statuses = {one.status for one in self.findings if one.counts}
        return "fail" if "fail" in statuses else "warn" if "warn" in statuses else "pass"

    @property
    def exit_status(self) -> int:
        """0: nothing that would fail; 1: something would. Warnings do not fail a build."""
        return 1 if self.verdict == "fail" else 0

    @property
    def sentence(self) -> str:
        """The verdict as a sentence."""
        if self.verdict == "fail" and not any(
            one.status == "fail" and one.counts and one.checked for one in self.findings
        ):
            unknown = _many(self.counts["fail"], "rule")
            return f"It is not known whether it works on SageMaker: {unknown} could not be checked."
        if self.verdict == "fail":
            return f"It fails on SageMaker: {_many(self.counts['fail'], 'rule')} not kept."
        if self.verdict == "warn":
            return f"It should work on SageMaker, with {_many(self.counts['warn'], 'warning')}."
        if not self.counts["pass"] and self.counts["accepted"]:
            return "Accepted findings only."
        if not self.counts["pass"]:
            return "No rule was checked."
        return "All rules that were checked are kept."

    def ordered(self) -> list[Finding]:
        """Faults first, then warnings, then what is accepted, was skipped and passed; within these as they ran."""
        order = {"fail": 0, "warn": 1, "accepted": 2, "skipped": 3, "pass": 4}
        return sorted(self.findings, key=lambda one: order["accepted" if one.accepted else one.status])


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
