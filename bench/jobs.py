"""Job overhead: from the request to the first line that the container prints, which is its own clock."""

from __future__ import annotations

import time

from bench.figures import Bar, Row, alternate, median
from bench.stand import PRINT_THE_TIME, Stand

JOB = "job"
BAR = Bar("ratio", 1.1)


def measure(stand: Stand, rounds: int, peer: dict[str, float]) -> list[Row]:
    """CreateTrainingJob against `docker run`, the image being present in both cases."""
    ours(stand), bare(stand)  # the first of each fetches, connects and caches what later ones find
    seen_bare, seen_ours = alternate(rounds, lambda: bare(stand), lambda: ours(stand), report=stand.report)
    return [
        Row(
            JOB, "job overhead: request → first line of `train`", "s", median(seen_ours), median(seen_bare),
            peer.get("fit"), BAR,
        )
    ]  # fmt: skip


def bare(stand: Stand) -> float:
    """Seconds from `docker run` to the container's line."""
    began = time.time()
    return float(stand.bare_run(PRINT_THE_TIME)) - began


def ours(stand: Stand, script: str = PRINT_THE_TIME, **given: object) -> float:
    """Seconds from CreateTrainingJob to the container's line."""
    emulator, image, name = stand.emulator, stand.box, stand.name("job")
    began = time.time()
    emulator.train(name, image, script, **given)
    stand.completed(name)
    lines = [line for line in emulator.log_lines(name) if not line.startswith("samebox: ")]
    return float(lines[0]) - began
