"""`samebox down`: stops the emulator of a data folder, and waits until it has ended."""

import argparse

from rich.console import Console

from samebox.commands import emulators, prune, where

LOST = "Its data folder {} had been removed while it ran."


def run(given: argparse.Namespace) -> int:
    settings = where.settings(data_dir=given.data_dir)
    screen = Console(soft_wrap=True)
    running = where.record(settings.data_dir)
    if running is None:
        screen.print(f"No emulator runs on {settings.data_dir}.")
        if prune.remove_helpers(settings.data_dir):
            screen.print("Removed what an emulator that was killed had left for itself.")
    else:
        lost = emulators.lost(settings.data_dir)
        emulators.end(running)
        screen.print(f"samebox at {running.url} has ended.")
        if lost:
            screen.print(f"{LOST.format(settings.data_dir)} `samebox prune` removes the containers that it left.")
    if given.stop_containers:
        removed = prune.clear(settings.data_dir)
        if removed:
            screen.print(f"Removed {removed} containers or networks. Jobs that ran in them fail at the next start.")
    return 0
