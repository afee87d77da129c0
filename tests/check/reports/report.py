"""A report in which everything happens once."""

from __future__ import annotations

from datetime import date

from samebox.check.findings import Acceptance, Finding, Quote, Rule
from samebox.check.report import Report

PING = Rule("serve-ping", "/ping answers", "contract §2.2", "fail", "serving", "Answer <200>.")
USER = Rule("image-user", "It runs as root", "contract §1.1", "warn", "static", "Drop USER.")
SIZE = Rule("image-size", "It is small", "contract §2.10", "warn", "static", "Shrink it.")
TRAIN = Rule("train-exit", "It ends", "contract §1.1.1", "fail", "training", "End.")
HANGS = Rule("serve-hang", "It does not hang", "contract §2.2", "fail", "serving", "Do not.")
FINE = Rule("image-manifest", "It is Docker's", "contract §7", "fail", "static", "Build anew.")
RULES = {rule.id: rule for rule in (PING, USER, SIZE, TRAIN, HANGS, FINE)}

FINDINGS = (
    FINE.passed("docker v2"),
    USER.broken("USER <app> & \x1b[31mred\x00", line=3),
    Finding("image-size", "warn", "9 GB", "Shrink it.", accepted=Acceptance(SIZE.id, "known", date(2026, 11, 1))),
    TRAIN.skipped("no engine"),
    PING.broken("404 <html>").quoting(
        [Quote("its log", "KeyError: <no>\n    at line 1\x1b")], ["begun <b>\x1b", "KeyError: <no>"]
    ),
    HANGS.unknown("not done within 60 s"),
)
REPORT = Report(
    image="mine:1",
    findings=FINDINGS,
    rules=RULES,
    claims=("serve", "train"),
    notes=("train and serve on its PATH",),
    started_at=1_790_000_000,
    seconds=12.34,
    image_id="sha256:abc",
    version="0.1.0",
    dockerfile="docker/Dockerfile",
)
