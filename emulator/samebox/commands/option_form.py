"""What the options of several commands have in common. It imports nothing heavy, because cli.py always loads it."""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # noqa: SLF001 - what add_subparsers returns, which has no public name


def add_location(command: argparse.ArgumentParser, port: bool = False) -> None:
    """Add --data-dir, and --port where the command asks the emulator before it knows its data folder."""
    command.add_argument("--data-dir", type=Path, help="the emulator's folder (default: ~/.local/share/samebox)")
    if port:
        command.add_argument("--port", type=int, help="port of the one URL for everything (default: 4566)")
