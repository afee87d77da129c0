"""Every form of a report says the same, and is what its readers take."""

from __future__ import annotations

import dataclasses
import io
import json
from html.parser import HTMLParser
from xml.etree import ElementTree

from rich.console import Console

from samebox.check.registry import CHECKS
from samebox.check.reports import jsonfile, junit, page, sarif, terminal
from samebox.check.why import WHY
from tests.check.reports.report import FINDINGS, REPORT


def test_the_verdict_is_the_gravest_that_counts() -> None:
    assert (REPORT.verdict, REPORT.exit_status) == ("fail", 1)
    assert REPORT.sentence == "It fails on SageMaker: 2 rules not kept."
    warned = dataclasses.replace(REPORT, findings=FINDINGS[:4])
    assert (warned.verdict, warned.exit_status) == ("warn", 0)
    fine = dataclasses.replace(REPORT, findings=FINDINGS[:1])
    assert (fine.verdict, fine.sentence) == ("pass", "All rules that were checked are kept.")
    assert dataclasses.replace(REPORT, findings=()).sentence == "No rule was checked."
    accepted = tuple(one for one in FINDINGS if one.accepted)
    assert dataclasses.replace(REPORT, findings=accepted).sentence == "Accepted findings only."


def test_what_could_not_be_checked_is_not_reported_as_a_failure() -> None:
    rule = next(iter(REPORT.rules.values()))
    report = dataclasses.replace(REPORT, findings=(dataclasses.replace(rule.unknown("it hangs"), status="fail"),))
    assert (report.verdict, report.exit_status) == ("fail", 1)
    assert report.sentence == "It is not known whether it works on SageMaker: 1 rule could not be checked."


def test_what_is_wrong_comes_first() -> None:
    assert [one.status for one in REPORT.ordered()] == ["fail", "fail", "warn", "warn", "skipped", "pass"]
    assert REPORT.ordered()[3].accepted


# A screen


def shown(everything: bool = False, logs: bool = False) -> str:
    screen = Console(file=io.StringIO(), width=100)
    terminal.show(REPORT, screen, everything, logs)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_screen_shows_faults_their_cures_and_what_was_skipped() -> None:
    text = shown()
    remedy = "Fix (docker/Dockerfile:3): Drop USER."
    for words in ("404 <html>", "Answer <200>.", remedy, "skipped: train-exit: no engine"):
        assert words in text
    assert "accepted on 2026-11-01: known" in text
    assert "2 failed" in text
    assert "docker v2" not in text
    assert "docker v2" in shown(everything=True)


def test_the_log_of_a_container_does_not_control_the_terminal() -> None:
    assert "\x1b" not in shown(logs=True)


def test_a_screen_quotes_the_exception_and_on_demand_the_log() -> None:
    for text in (shown(), shown(logs=True)):
        assert [line.strip() for line in text.splitlines() if "KeyError" in line or "at line" in line][:2] == [
            "KeyError: <no>",
            "at line 1\N{REPLACEMENT CHARACTER}",
        ]
    assert "begun <b>" not in shown()
    assert "all of its log:" in shown(logs=True)
    assert "begun <b>" in shown(logs=True)


# JUnit


def test_junit_has_a_case_for_each_finding() -> None:
    top = ElementTree.fromstring(junit.write(REPORT))
    assert (top.get("tests"), top.get("failures"), top.get("errors"), top.get("skipped")) == ("6", "1", "1", "2")
    assert [suite.get("name") for suite in top] == ["static", "training", "serving"]
    (failure,) = top.iter("failure")
    assert "its log:\nKeyError: <no>\n    at line 1" in (failure.text or "")
    inside = {case.get("name"): [child.tag for child in case] for case in top.iter("testcase")}
    assert inside == {
        "image-manifest": [],
        "image-user": ["system-out"],
        "image-size": ["skipped"],
        "train-exit": ["skipped"],
        "serve-ping": ["failure"],
        "serve-hang": ["error"],
    }


# JSON


def test_json_has_everything() -> None:
    document = json.loads(jsonfile.write(REPORT))
    assert (document["format"], document["verdict"], document["image"]) == ("samebox-check/1", "fail", "mine:1")
    assert document["counts"] == {"pass": 1, "warn": 1, "accepted": 1, "skipped": 1, "fail": 2}
    user, size = document["findings"][1:3]
    assert (user["id"], user["line"], user["remedy"], user["source"]) == (
        "image-user",
        3,
        "Drop USER.",
        "contract §1.1",
    )
    assert size["accepted"] == {"reason": "known", "date": "2026-11-01", "until": None}
    assert document["findings"][5]["checked"] is False
    ping = document["findings"][4]
    assert ping["quotes"] == [{"source": "its log", "text": "KeyError: <no>\n    at line 1\N{REPLACEMENT CHARACTER}"}]
    assert ping["log"] == ["begun <b>\N{REPLACEMENT CHARACTER}", "KeyError: <no>"]
    assert (user["quotes"], user["log"]) == ([], [])


# SARIF


def test_sarif_has_results_with_places_and_rules() -> None:
    document = json.loads(sarif.write(REPORT))
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert document["version"] == "2.1.0"
    assert [one["level"] for one in run["results"]] == ["warning", "warning", "error", "error"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "docker/Dockerfile"}, "region": {"startLine": 3}}
    assert run["results"][1]["suppressions"] == [{"kind": "external", "justification": "known"}]
    assert run["invocations"] == [{"executionSuccessful": False}]


# The page


class OpenTags(HTMLParser):
    """Tags that are opened and not closed, and every address that is named."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    reader = OpenTags()
    reader.feed(page.write(REPORT))
    assert (reader.open, reader.addresses) == ([], [])
    for words in ("404 <html>", "KeyError: <no>\n    at line 1", "begun <b>"):
        assert words in reader.text
    assert "http" not in page.write(REPORT).replace("https://docs", "")


def test_the_pages_verdict_stands_above_all_findings() -> None:
    text = page.write(REPORT)
    order = [text.index(words) for words in ("Not ready", "serve-ping", "image-user", "Skipped (1)", "Passed (1)")]
    assert order == sorted(order)


def test_every_report_has_why_a_fault_matters() -> None:
    rule = next(check.rule for check in CHECKS if check.rule.id == "train-model")
    report = dataclasses.replace(REPORT, findings=(rule.broken("it is empty"),), rules={rule.id: rule})
    reason = WHY["train-model"]
    screen = Console(width=200, file=io.StringIO())
    terminal.show(report, screen)
    assert isinstance(screen.file, io.StringIO)
    assert f"Why: {reason}" in screen.file.getvalue()
    assert json.loads(jsonfile.write(report))["findings"][0]["why"] == reason
    assert reason in json.loads(sarif.write(report))["runs"][0]["tool"]["driver"]["rules"][0]["fullDescription"]["text"]
    assert reason in junit.write(report)
    assert f"Why it matters: {reason}" in page.write(report)
