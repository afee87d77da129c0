"""`samebox status`: shows the emulator, its helper processes, and the jobs and endpoints that it runs."""

import argparse
import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from samebox.commands import aws, emulators, prune, up, where
from samebox.commands.job_kinds import KINDS, TRAINING, JobKind
from samebox.commands.outcome import Stop
from samebox.settings import Settings

MOST_SHOWN = 20


def run(given: argparse.Namespace) -> int:
    url = where.url(given.data_dir)
    settings = where.settings(data_dir=given.data_dir)
    running = where.record(settings.data_dir)
    its = running if running is not None and running.url == url else None
    lost = its is not None and emulators.lost(settings.data_dir) is not None
    said = None if lost else where.ask(url)
    if said is None:
        if given.json:
            facts = {"pid": its.pid, "data_dir_removed": lost} if its else {}
            sys.stdout.write(json.dumps({"running": its is not None, "url": url, **facts}) + "\n")
            return 1
        raise Stop(_why_silent(url, settings, its, lost))
    session = aws.of_emulator(url, where.settings_of(said, given.data_dir))
    with aws.spoken():
        jobs = {kind: running_jobs(session, kind) for kind in KINDS}
        endpoints = present_endpoints(session)
    strays = stray_lines(said)
    if given.json:
        report = {
            "running": True,
            **said,
            **({} if strays is None else {"strays": strays}),
            **{f"{kind.word}_jobs": found for kind, found in jobs.items()},
            "endpoints": endpoints,
        }
        sys.stdout.write(json.dumps(report, default=_text) + "\n")
        return 0
    screen = Console(soft_wrap=True)
    screen.print(overview(url, said))
    for title, name, status, since, rows in (
        *(
            (f"Running {kind.word} jobs", f"{kind.noun}Name", f"{kind.noun}Status", "CreationTime", found)
            for kind, found in jobs.items()
        ),
        ("Endpoints", "EndpointName", "EndpointStatus", "LastModifiedTime", endpoints),
    ):
        if rows:
            screen.print(listing(title, [(row[name], row[status], age(row[since])) for row in rows]))
        else:
            screen.print(f"{title}: none", highlight=False)
    if stand_ins := said.get("stand_ins"):
        screen.print(_stand_ins(stand_ins))
    if strays is not None:
        screen.print("Strays: none" if not strays else "Strays, which `samebox prune` removes:", highlight=False)
    for line in strays or ():
        screen.print(f"  {line}", highlight=False, markup=False)
    return 0


def stray_lines(said: dict[str, Any]) -> list[str] | None:
    """What nothing needs that an emulator has made; None where its engine is not this machine's, or does not answer."""
    folder = Path(said["data_dir"])
    running = where.record(folder)
    if running is None or running.pid != said.get("pid") or not (said.get("engine") or {}).get("available"):
        return None
    return prune.of_emulator(folder).lines()


def _stand_ins(found: list[dict[str, str]]) -> Table:
    """What of the above runs a local image in place of one that AWS owns."""
    table = Table(title="Stand-ins for images that AWS owns", title_justify="left", box=None, pad_edge=False)
    for column in ("name", "stand-in", "image"):
        table.add_column(column)
    for one in found[:MOST_SHOWN]:
        table.add_row(one["name"], one["stand_in"], one["image"])
    return table


def _why_silent(url: str, settings: Settings, running: emulators.EmulatorRecord | None, lost: bool) -> str:
    if running is None:
        return f"no emulator answers at {url}. `samebox up` starts one."
    process, folder = f"samebox runs at {url} (process {running.pid})", settings.data_dir
    if lost:
        down = f"samebox down{up.folder_option(settings)}"
        return f"{process}, but {folder} was removed while it ran: what it kept is lost. `{down}` ends it."
    return f"{process} and does not answer. Its log, if it is in the background: {up.log_file(folder)}"


def running_jobs(session: aws.Session, kind: JobKind = TRAINING) -> list[dict[str, Any]]:
    """Jobs of a kind that have not ended, the newest first."""
    # No page size: with one, ListTrainingJobs cuts the page first and looks at the status then, as on AWS.
    found = [job for status in ("InProgress", "Stopping") for job in kind.summaries(session, StatusEquals=status)]
    return sorted(found, key=lambda job: job["CreationTime"], reverse=True)


def present_endpoints(session: aws.Session) -> list[dict[str, Any]]:
    """All endpoints, the newest first."""
    pages = session.client("sagemaker").get_paginator("list_endpoints")
    return [endpoint for page in pages.paginate(MaxResults=100) for endpoint in page["Endpoints"]]


def overview(url: str, said: dict[str, Any]) -> Table:
    """One line for each part."""
    table = Table(show_header=False, box=None, pad_edge=False)
    ready = "[green]ready[/]" if said.get("ready") else "[yellow]starting[/]"
    table.add_row("samebox", f"{ready}, version {said['version']}, process {said.get('pid', '?')}, {url}")
    table.add_row("data folder", str(said["data_dir"]))
    engine, registry = said.get("engine") or {}, said.get("registry") or {}
    if engine.get("available"):
        table.add_row("container engine", "[green]answers[/]")
    else:
        table.add_row("container engine", f"[red]does not answer[/]: {engine.get('detail') or 'no reason is given'}")
    table.add_row("ECR's registry", "[green]runs[/]" if registry.get("running") else "starts when it is first needed")
    localstack = said.get("localstack") or {}
    if localstack.get("wanted"):
        table.add_row("LocalStack", "[green]runs[/]" if localstack.get("running") else str(localstack.get("detail")))
    return table


def listing(title: str, rows: list[tuple[str, str, str]]) -> Table:
    """A table with a title; a long one is cut, with a note."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("name", "status", "since"):
        table.add_column(column)
    for row in rows[:MOST_SHOWN]:
        table.add_row(*row)
    if len(rows) > MOST_SHOWN:
        table.add_row(f"… and {len(rows) - MOST_SHOWN} more", "", "")
    return table


def age(moment: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int(time.time() - moment.timestamp()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
