"""How long until `samebox up` answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, median

if TYPE_CHECKING:
    from bench.stand import Stand

UP = "up"
BAR = Bar("ours", 1.0)


def measure(stand: Stand, rounds: int) -> list[Row]:
    """On a new folder, and on one that has been used."""
    new: list[float] = []
    used: list[float] = []
    for number in range(rounds):
        emulator = stand.new_emulator()
        for seconds in (new, used):
            began = time.monotonic()
            emulator.up()
            seconds.append(time.monotonic() - began)
            emulator.down()
        stand.told(f"{number + 1} of {rounds}")
    return [
        Row(UP, "samebox up → ready, new data folder", "s", median(new), bar=BAR),
        Row(UP, "samebox up → ready, data folder in use", "s", median(used), bar=BAR),
    ]
