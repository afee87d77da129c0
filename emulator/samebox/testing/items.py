"""Each check of the kit as a pytest item, such as `IMAGE::serve-ping-time`, and its finding as the test's outcome."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

import pytest

from samebox.check.checks import Claim
from samebox.check.why import WHY
from samebox.testing import kit, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from samebox.check.checks import Check
    from samebox.check.findings import Finding, Rule

# Findings speak of the options of `samebox check`.
_OPTION = re.compile(rf"(?<![\w-])--({'|'.join(one.name for one in options.OPTIONS)})(?![\w-])")
_CLAIM = re.compile(rf"(?<![\w-])--({'|'.join(get_args(Claim))})(?![\w-])")


class CheckWarning(UserWarning):
    """The image may work on SageMaker, but something in it is risky."""


class ImageChecks(pytest.Collector):
    """All checks of one image."""

    def collect(self) -> Iterable[ImageCheck]:
        for check in kit.of(self.config).checks:
            item: ImageCheck = ImageCheck.from_parent(self, name=check.rule.id, check=check)
            yield item


class ImageCheck(pytest.Item):
    """One check, or several findings of one rule."""

    def __init__(self, *, check: Check, **more: Any) -> None:
        super().__init__(**more)
        self.check = check
        for marker in ("samebox", check.rule.id, f"samebox-{check.rule.family}"):
            self.add_marker(marker)
        if self.config.pluginmanager.hasplugin("xdist"):
            # One worker reads the image and starts its server, where --dist loadgroup is given.
            self.add_marker(pytest.mark.xdist_group(kit.of(self.config).image))
        self.user_properties.append(("source", check.rule.source))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.config.rootpath / kit.of(self.config).image, 0, self.nodeid

    def runtest(self) -> None:
        try:
            found, notes = kit.of(self.config).look(self.check)
        except kit.Unusable as error:
            raise pytest.fail.Exception(_ours(str(error)), pytrace=False) from None
        verdict(self, self.check.rule, found, notes)

    def gently(self, text: str) -> None:
        """Give a warning of pytest's."""
        try:
            self.warn(CheckWarning(text))
        except CheckWarning as error:  # pytest is configured to treat warnings as errors
            raise pytest.fail.Exception(str(error), pytrace=False) from None


def verdict(item: ImageCheck, rule: Rule, found: list[Finding], notes: list[str]) -> None:
    """Raises what pytest calls failed, xfailed and skipped; gives a warning; or returns."""
    config = item.config
    bad = [one for one in found if one.counts]
    for one in bad:
        if one.log:
            item.add_report_section("call", "log of the image", "\n".join(one.log))
    words = "\n".join([*(in_words(config, rule, one) for one in bad), *(f"  note:   {note}" for note in notes)])
    if any(one.status == "fail" for one in bad) or (bad and options.value(config, "strict")):
        raise pytest.fail.Exception(words, pytrace=False)
    accepted = [one for one in found if one.accepted]
    if accepted and config.option.runxfail:
        raise pytest.fail.Exception("\n".join(in_words(config, rule, one) for one in accepted), pytrace=False)
    if bad:
        item.gently(words)
        return
    for note in notes:
        item.gently(note)
    if accepted:
        raise pytest.xfail.Exception("; ".join(_acceptance(one) for one in accepted))
    seen = "; ".join(_ours(one.seen) for one in found)
    if found and all(one.status == "skipped" for one in found):
        raise pytest.skip.Exception(seen, _use_item_location=True)
    item.add_report_section("call", "seen", seen)


def in_words(config: pytest.Config, rule: Rule, finding: Finding) -> str:
    """The first line stands alone in pytest's summary: what was seen, and what ought to hold."""
    lines = [f"{_ours(finding.seen)} [{rule.title}]"]
    for quote in finding.quotes:
        lines += [f"  {quote.source}:", *(f"    {line}" for line in quote.text.splitlines())]
    if reason := WHY.get(rule.id):
        lines.append(f"  why:    {reason}")
    if finding.remedy:
        lines.append(f"  mend:   {_ours(finding.remedy)}")
    lines.append(f"  source: {rule.source}")
    dockerfile: Path | None = options.value(config, "dockerfile")
    if finding.line is not None and dockerfile is not None:
        lines.append(f"  line:   {dockerfile}:{finding.line}")
    return "\n".join(lines)


def markers(checks: Iterable[Check]) -> Iterator[str]:
    """As pytest's configuration has them."""
    families = set()
    for check in checks:
        families.add(check.rule.family)
        yield f"{check.rule.id}: {check.rule.title}"
    for family in sorted(families):
        yield f"samebox-{family}: the contract kit's {family} checks"


def _acceptance(finding: Finding) -> str:
    accepted = finding.accepted
    if accepted is None:
        return finding.seen
    until = f" until {accepted.until}" if accepted.until else ""
    return f"accepted {accepted.since}{until}: {accepted.reason} ({finding.seen})"


def _ours(words: str) -> str:
    """With our options in place of the command's."""
    words = _OPTION.sub(rf"{options.DASHES}\1", words)
    return _CLAIM.sub(rf"{options.DASHES}claims \1", words)
