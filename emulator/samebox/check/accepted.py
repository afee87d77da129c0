"""Accepted findings: a TOML file that is committed beside the Dockerfile.

[[accepted]]
id = "image-user"
reason = "the base image is not ours; ticket 4711"
date = 2026-11-22
until = 2027-03-01          # optional: from this day on the finding counts again
"""

from __future__ import annotations

import dataclasses
import tomllib
from datetime import date
from typing import TYPE_CHECKING, Any

from samebox.check.findings import Acceptance, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


class BadAcceptance(ValueError):
    """The file is invalid; the message names the place and the reason."""


def read(path: Path, known: Collection[str]) -> list[Acceptance]:
    """Raises BadAcceptance, OSError. `known`: the ids that there are."""
    try:
        document = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadAcceptance(f"{path}: {error}") from error
    entries = document.get("accepted", [])
    if not isinstance(entries, list) or set(document) - {"accepted"}:
        raise BadAcceptance(f"{path}: it holds [[accepted]] tables and nothing else")
    found = [_acceptance(path, number, entry, known) for number, entry in enumerate(entries, 1)]
    for number, one in enumerate(found, 1):
        if any(one.rule_id == other.rule_id for other in found[: number - 1]):
            raise BadAcceptance(f"{path}: entry {number}: {one.rule_id} is accepted already, by an entry before it")
    return found


def apply(findings: Iterable[Finding], accepted: Iterable[Acceptance], today: date) -> tuple[list[Finding], list[str]]:
    """The findings, marked where they are accepted, and notes on acceptances that are over or meet nothing."""
    by_id = {one.rule_id: one for one in accepted}
    notes = [
        f"{one.rule_id} was accepted until {one.until}, and counts again ({one.reason})"
        for one in by_id.values()
        if one.until is not None and one.until <= today
    ]
    valid = {key: one for key, one in by_id.items() if one.until is None or one.until > today}
    marked = []
    met = set()
    for finding in findings:
        # What could not be checked is not what was accepted.
        if finding.rule_id in valid and finding.counts and finding.checked:
            finding = dataclasses.replace(finding, accepted=valid[finding.rule_id])
            met.add(finding.rule_id)
        marked.append(finding)
    passed = {one.rule_id for one in marked if one.status == "pass"} - met
    notes += [f"{key} is accepted and passes: the acceptance can go" for key in valid if key in passed]
    return marked, notes


def _acceptance(path: Path, number: int, entry: Any, known: Collection[str]) -> Acceptance:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict):
        raise BadAcceptance(f"{where} is not a table")
    unknown = set(entry) - {"id", "reason", "date", "until"}
    if unknown:
        raise BadAcceptance(f"{where} has {', '.join(sorted(unknown))}; known are id, reason, date and until")
    rule_id, reason, since, until = (entry.get(word) for word in ("id", "reason", "date", "until"))
    if rule_id not in known:
        raise BadAcceptance(f"{where}: there is no check {rule_id!r} (samebox check --list)")
    if not isinstance(reason, str) or not reason.strip():
        raise BadAcceptance(f"{where} ({rule_id}) gives no reason")
    if type(since) is not date or (until is not None and type(until) is not date):
        raise BadAcceptance(f"{where} ({rule_id}): date, and until if given, are days, such as 2026-11-22")
    return Acceptance(str(rule_id), reason.strip(), since, until)
