"""Jobs that start at once, and a job on two hosts: until the last first line, against as many bare `docker run`s."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, alternate, median
from bench.jobs import bare, ours
from bench.stand import PRINT_THE_TIME, Stand

if TYPE_CHECKING:
    from collections.abc import Callable

TOGETHER = "jobs-together"
NUMBERS = (4, 8)
BAR = Bar("ratio", 1.3)
SMALL = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}


def measure(stand: Stand, rounds: int) -> list[Row]:
    """Four and eight jobs at once, and two hosts against one."""
    ours(stand, ResourceConfig=SMALL), bare(stand)
    rows = []
    for number in NUMBERS:
        seen_bare, seen_ours = alternate(
            rounds,
            partial(slowest, number, lambda: bare(stand)),
            partial(slowest, number, lambda: ours(stand, ResourceConfig=SMALL)),
            report=stand.report,
        )
        what = f"{number} jobs at once: request → first line of the slowest"
        rows.append(Row(TOGETHER, what, "s", median(seen_ours), median(seen_bare), None, BAR))
    one, two = alternate(
        rounds, lambda: ours(stand, ResourceConfig=SMALL), lambda: two_hosts(stand), report=stand.report
    )
    note = "bare: the same job on one host"
    rows.append(
        Row(TOGETHER, "two hosts: request → first line of the slower", "s", median(two), median(one), note=note)
    )
    return rows


def slowest(number: int, call: Callable[[], float]) -> float:
    """Seconds of the slowest of so many calls at once."""
    with ThreadPoolExecutor(number) as pool:
        return max(pool.map(lambda _: call(), range(number)))


def two_hosts(stand: Stand) -> float:
    """Seconds from CreateTrainingJob to the line of the slower host."""
    emulator, image, name = stand.emulator, stand.box, stand.name("pair")
    began = time.time()
    emulator.train(name, image, PRINT_THE_TIME, ResourceConfig={**SMALL, "InstanceCount": 2})
    stand.completed(name)
    lines = [
        line
        for host in ("algo-1", "algo-2")
        for line in emulator.log_lines(f"{name}/{host}-")
        if not line.startswith("samebox: ")
    ]
    return max(map(float, lines)) - began
