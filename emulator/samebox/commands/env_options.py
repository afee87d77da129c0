"""The arguments and help of `samebox env` and `samebox run`."""

from __future__ import annotations

import argparse
from pathlib import Path


def env(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `samebox env`."""
    command = words.add_parser(
        "env",
        help="print the environment variables for AWS clients of a shell",
        description='Print the variables with which AWS clients reach the emulator: eval "$(samebox env)"',
    )
    _where(command)
    command.add_argument(
        "--shell",
        choices=("sh", "bash", "zsh", "csh", "fish", "powershell"),
        default="sh",
        help="syntax of the output (default: sh, for bash and zsh as well)",
    )
    ways = command.add_mutually_exclusive_group()
    ways.add_argument("--proxy", action="store_true", help="only the forward proxy, without AWS_ENDPOINT_URL")
    ways.add_argument("--endpoint", action="store_true", help="only AWS_ENDPOINT_URL, without the forward proxy")
    command.add_argument("--unset", action="store_true", help="unset the variables instead")


def run(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `samebox run`."""
    command = words.add_parser(
        "run",
        help="run a command whose AWS clients use the emulator",
        usage="samebox run [options] -- COMMAND [arguments]",
        description="Run one command with the variables of `samebox env`: its AWS clients reach the emulator by "
        "AWS_ENDPOINT_URL and by the forward proxy. The emulator must be running.",
        epilog="Exit status: the command's; 127 if there is no such program, 126 if it cannot be run.",
    )
    _where(command)
    command.add_argument("words", metavar="COMMAND", nargs=argparse.REMAINDER, help="the command, after --")


def _where(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data-dir", type=Path, help="the emulator's folder (default: ~/.local/share/samebox)")
    command.add_argument("--port", type=int, help="port of the one URL for everything (default: 4566)")
