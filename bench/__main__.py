"""`scripts/bench`: measure, print one table, put everything away."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from bench import (
    channels,
    deploys,
    fast_files,
    invocations,
    jobs,
    large,
    metrics,
    observed,
    peer,
    piping,
    proxy,
    pushes,
    rebake,
    s3_engine,
    s3_lists,
    startup,
    storage,
    stored_jobs,
    together,
    transforms,
    verdicts,
)
from bench.figures import Row, as_json
from bench.load import LoadFailed
from bench.stand import ROOT, NotMeasured, Stand
from bench.table import table

EPILOG = """\
Every row is measured in this one run, ours and the bare limit by turns, and medians are shown: compare the ratios, not
figures of different machines. Bars are printed, never asserted; the exit status only says whether all was measured.

The peer is local mode of the SageMaker Python SDK v2. `scripts/bench --peer` installs it into .venv-peer, once; from
then on it is measured whenever its rows are. It needs the images that `docker buildx bake default registry` makes.
"""


@dataclass(frozen=True)
class Repetitions:
    """How often each thing is done, and how large it is."""

    rounds: int
    blocks: int
    megabytes: int
    rebakes: int
    keys: tuple[int, ...]
    large_megabytes: int
    log_megabytes: int
    values: int


FULL = Repetitions(
    rounds=9, blocks=20, megabytes=256, rebakes=3, keys=(100_000, 1_000_000), large_megabytes=20_000,
    log_megabytes=1_000, values=1_000_000,
)  # fmt: skip
QUICK = Repetitions(
    rounds=3, blocks=6, megabytes=64, rebakes=0, keys=(100_000,), large_megabytes=1_000,
    log_megabytes=50, values=50_000,
)  # fmt: skip

Measure = Callable[[Stand, Repetitions, dict[str, float]], list[Row]]


def _rebake(stand: Stand, plan: Repetitions, _: dict[str, float]) -> list[Row]:
    if not plan.rebakes:
        raise NotMeasured("left out by --quick, as its first push moves every layer: --only rebake measures it")
    return rebake.measure(stand, plan.rebakes)


MEASUREMENTS: dict[str, tuple[str, Measure]] = {
    startup.UP: ("samebox up → ready", lambda stand, plan, _: startup.measure(stand, min(plan.rounds, 5))),
    jobs.JOB: ("job overhead", lambda stand, plan, peer: jobs.measure(stand, plan.rounds, peer)),
    together.TOGETHER: (
        "jobs at once, and two hosts",
        lambda stand, plan, _: together.measure(stand, min(plan.rounds, 3)),
    ),
    transforms.TRANSFORM: (
        "batch transform",
        lambda stand, plan, _: transforms.measure(stand, min(plan.rounds, 3), plan.megabytes),
    ),
    deploys.DEPLOY: ("deploy", lambda stand, plan, peer: deploys.measure(stand, min(plan.rounds, 5), peer)),
    invocations.INVOKE: ("InvokeEndpoint", lambda stand, plan, peer: invocations.measure(stand, plan.blocks, peer)),
    pushes.PUSH: ("invocations during a push", lambda stand, plan, _: pushes.measure(stand, min(plan.rounds, 3))),
    storage.S3: ("S3 up and down", lambda stand, plan, _: storage.measure(stand, min(plan.rounds, 5), plan.megabytes)),
    s3_engine.ENGINE: (
        "S3 engine: its storage alone",
        lambda stand, plan, _: s3_engine.measure(stand, plan.rounds, plan.megabytes, plan.keys),
    ),
    s3_lists.LISTS: ("S3 lists", lambda stand, plan, _: s3_lists.measure(stand, plan.keys)),
    large.LARGE: (
        "S3, a large upload",
        lambda stand, plan, _: large.measure(stand, min(plan.rounds, 3), plan.large_megabytes),
    ),
    stored_jobs.STORED: ("Describe and List of stored jobs", lambda stand, _, __: stored_jobs.measure(stand)),
    proxy.PROXY: (
        "forward proxy",
        lambda stand, plan, _: proxy.measure(stand, plan.rounds, plan.megabytes),
    ),
    observed.LOGS: (
        "a page of a long log",
        lambda stand, plan, _: observed.measure_logs(stand, plan.log_megabytes),
    ),
    observed.METRICS: (
        "metrics through the API",
        lambda stand, plan, _: observed.measure_metrics(stand, plan.values),
    ),
    metrics.METRICS: ("metrics store", lambda stand, plan, _: metrics.measure(stand, plan.rounds)),
    channels.CHANNEL: (
        "S3 → channel",
        lambda stand, plan, _: channels.measure(stand, min(plan.rounds, 5), plan.megabytes // 2),
    ),
    fast_files.FAST: (
        "FastFile",
        lambda stand, plan, _: fast_files.measure(stand, min(plan.rounds, 5), plan.megabytes),
    ),
    fast_files.CACHED: (
        "a channel seen before",
        lambda stand, plan, _: fast_files.measure_cached(stand, min(plan.rounds, 5), plan.large_megabytes // 2),
    ),
    piping.PIPING: (
        "S3 → pipe",
        lambda stand, plan, _: piping.measure(stand, min(plan.rounds, 5), plan.megabytes),
    ),
    verdicts.VERDICT: ("time to verdict", lambda stand, plan, _: verdicts.measure(stand, min(plan.rounds, 3))),
    rebake.REBAKE: ("re-bake and push", _rebake),
}
PAGE_COLUMNS = 120  # where no terminal says how wide it is
WITH_PEER = (jobs.JOB, deploys.DEPLOY, invocations.INVOKE)


def main() -> int:
    given = parser().parse_args()
    # SIGTERM ends it as Ctrl-C does: with everything removed. Set for SIGINT too: a shell that starts us in the
    # background has it ignored, and Python leaves that as it is.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    screen, notes = Console(), Console(stderr=True, highlight=False, soft_wrap=True)
    if not screen.is_terminal:
        screen.width = PAGE_COLUMNS
    plan = QUICK if given.quick else FULL
    rounds = given.rounds or plan.rounds
    where = machine()
    if os.getloadavg()[0] > (os.cpu_count() or 1) / 2:
        notes.print("this machine is busy: ratios will be rough, and figures too high", style="yellow")
    chosen = given.only or list(MEASUREMENTS)
    # A row that is named is measured, quick or not.
    rebakes = plan.rebakes or (1 if given.only else 0)
    plan = replace(plan, rounds=rounds, blocks=max(plan.blocks, given.rounds or 0), rebakes=min(rounds, rebakes))
    rows: list[Row] = []
    missing: list[str] = []
    stand = Stand(lambda words: notes.print(f"    {words}", style="dim"))
    try:
        if given.peer:
            notes.print("installing the peer …")
            with _noting(missing, "peer", notes):
                peer.set_up()
        figures: dict[str, float] = {}
        if any(key in WITH_PEER for key in chosen):
            notes.print("peer: SDK v2 local mode …")
            with _noting(missing, "peer", notes):
                peer.measure(stand, min(plan.rounds, 3), figures)
        for key in chosen:
            words, measure = MEASUREMENTS[key]
            notes.print(f"{words} …")
            began = time.monotonic()
            with _noting(missing, key, notes):
                rows += measure(stand, plan, figures)
            notes.print(f"    {time.monotonic() - began:.0f} s", style="dim")
    except KeyboardInterrupt:
        notes.print("interrupted: what was measured is below")
        missing.append("interrupted")
    finally:
        # Putting away is short, and half of it would be none.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        stand.close()
    if rows:
        screen.print()
        screen.print(table(rows, title=where))
    for words in missing:
        screen.print(f"not measured: {words}", style="yellow", highlight=False)
    if given.json:
        document = {"machine": where, "rows": [as_json(row) for row in rows], "not_measured": missing}
        given.json.write_text(json.dumps(document, indent=2) + "\n")
    return 130 if "interrupted" in missing else int(any(not one.startswith(("peer", "rebake")) for one in missing))


def parser() -> argparse.ArgumentParser:
    words = "\n".join(f"  {key:9} {words}" for key, (words, _) in MEASUREMENTS.items())
    bench = argparse.ArgumentParser(
        prog="scripts/bench",
        description="How fast samebox is, against the bare limit and against its peer, in one table.",
        epilog=f"rows:\n{words}\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench.add_argument("--quick", action="store_true", help="fewer rounds, smaller objects, no re-bake")
    keys = list(MEASUREMENTS)
    bench.add_argument("--only", metavar="ROW", action="append", choices=keys, help="only this row; repeatable")
    bench.add_argument("--rounds", metavar="N", type=_rounds, help="how often each thing is measured")
    bench.add_argument("--json", metavar="FILE", type=Path, help="write the rows there too")
    bench.add_argument("--peer", action="store_true", help="install the peer into .venv-peer first (network)")
    return bench


def machine() -> str:
    """What this was measured on."""
    engine = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=False
    ).stdout.strip()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"samebox {commit}, {time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, Docker {engine or 'unknown'}, load {os.getloadavg()[0]:.1f}"
    )


def _rounds(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


@contextlib.contextmanager
def _noting(missing: list[str], key: str, notes: Console) -> Iterator[None]:
    """One failed measurement does not stop the others: it is reported at once, and again at the end."""
    try:
        yield
    except (NotMeasured, LoadFailed, ClientError, BotoCoreError, RuntimeError, AssertionError, OSError) as error:
        notes.print(f"    not measured: {error}", style="yellow")
        missing.append(f"{key}: {error}")


if __name__ == "__main__":
    sys.exit(main())
