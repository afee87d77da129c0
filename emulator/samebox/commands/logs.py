"""`samebox logs`: shows the log of a job or an endpoint, once or while it grows."""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial

from rich.console import Console

from samebox.commands import aws, job_kinds
from samebox.commands.display import Screen
from samebox.commands.job_kinds import FINAL, JobKind
from samebox.commands.lines import ENDPOINTS, Lines
from samebox.commands.outcome import Stop

LOOK_EVERY_SECONDS = 0.5


def run(given: argparse.Namespace) -> int:
    session = aws.of_running(given.data_dir)
    # On a terminal for a person; else as it was written, for a program.
    with aws.spoken(), closing(Screen(Console(), raw=True)) as screen:
        lines, is_over = find(session, given.name)
        while True:
            # Asked before the lines are read: what was written before the end is then among them.
            over = is_over()
            show(lines, screen)
            if over or not given.follow:
                return 0
            time.sleep(LOOK_EVERY_SECONDS)


def show(lines: Lines, screen: Screen) -> None:
    """Print what is new."""
    for line in lines.new():
        screen.line(line)
    screen.flush()


def find(session: aws.Session, given: str | None) -> tuple[Lines, Callable[[], bool]]:
    """The lines of a job or an endpoint, and whether more can follow.

    The name may be a prefix, which means the newest match; without a name it is the newest job. The choice is reported
    on stderr. Raises Stop if there is none.
    """
    if given is None:
        newest = next(job_kinds.newest(session), None)
        if newest is None:
            raise Stop("there is no job yet.")
        return _of_job(session, newest[0], _said(newest[1]))
    for kind in job_kinds.KINDS:
        if kind.describe(session, given) is not None:
            return _of_job(session, kind, given)
    if _has_endpoint(session, given):
        return _of_endpoint(session, given)
    jobs = itertools.islice(job_kinds.newest(session, given), 1)
    found = [(created, name, partial(_of_job, session, kind)) for kind, name, created in jobs]
    endpoints = itertools.islice(_endpoints(session, given), 1)
    found += [(created, name, partial(_of_endpoint, session)) for name, created in endpoints]
    if not found:
        raise Stop(f"there is neither a job nor an endpoint whose name is {given} or begins so.")
    _, name, lines = max(found, key=lambda one: one[0])
    return lines(_said(name))


def _of_job(session: aws.Session, kind: JobKind, name: str) -> tuple[Lines, Callable[[], bool]]:
    def is_over() -> bool:
        job = kind.describe(session, name)
        return job is None or kind.status(job) in FINAL

    return Lines(session.client("logs"), kind.log_group, f"{name}/"), is_over


def _of_endpoint(session: aws.Session, name: str) -> tuple[Lines, Callable[[], bool]]:
    return Lines(session.client("logs"), f"{ENDPOINTS}/{name}"), lambda: False


def _endpoints(session: aws.Session, prefix: str) -> Iterator[tuple[str, datetime]]:
    pages = session.client("sagemaker").get_paginator("list_endpoints")
    for page in pages.paginate(SortBy="CreationTime", SortOrder="Descending", NameContains=prefix, MaxResults=100):
        for endpoint in page["Endpoints"]:
            if endpoint["EndpointName"].startswith(prefix):
                yield endpoint["EndpointName"], endpoint["CreationTime"]


def _has_endpoint(session: aws.Session, name: str) -> bool:
    try:
        session.client("sagemaker").describe_endpoint(EndpointName=name)
    except aws.ClientError as missing:
        if aws.code(missing) not in ("ValidationException", "ResourceNotFound"):
            raise
        return False
    return True


def _said(name: str) -> str:
    sys.stderr.write(f"{name}\n")
    return name
