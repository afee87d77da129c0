"""`samebox down`: end the emulator of a data folder, and wait until it has ended."""

import argparse
import contextlib
import os
import signal
import time

from rich.console import Console

from emulator.commands import emulators, prune, where
from emulator.commands.outcome import Stop

# Requests under way are answered first; what runs in containers is not waited for.
END_SECONDS = 60.0
LOST = "Its data folder {} had been removed while it ran."


def run(given: argparse.Namespace) -> int:
    settings = where.settings(data_dir=given.data_dir)
    screen = Console(soft_wrap=True)
    running = where.record(settings.data_dir)
    if running is None:
        screen.print(f"No emulator runs on {settings.data_dir}.")
    else:
        lost = emulators.lost(settings.data_dir)
        end(running)
        screen.print(f"samebox at {running.url} has ended.")
        if lost:
            screen.print(f"{LOST.format(settings.data_dir)} `samebox prune` removes the containers that it left.")
    if given.stop_containers:
        removed = prune.clear(settings.data_dir)
        if removed:
            screen.print(f"Removed {removed} containers and networks. Jobs that ran in them fail at the next start.")
    return 0


def end(running: emulators.Record) -> None:
    """SIGTERM, and wait. Raises Stop when it takes longer than it may."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while running.alive:
        if time.monotonic() > deadline:
            raise Stop(
                f"process {running.pid} has not ended within {END_SECONDS:g} s. It loses nothing if it is killed: "
                f"kill -9 {running.pid}"
            )
        time.sleep(0.05)
