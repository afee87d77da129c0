"""The arguments and help of `samebox env`, `samebox run` and `samebox docker-setup`."""

from __future__ import annotations

import argparse
from pathlib import Path

from samebox.commands.option_form import Commands, add_location


def env(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `samebox env`."""
    command = commands.add_parser(
        "env",
        help="print the environment variables for AWS clients of a shell",
        description='Print the variables with which AWS clients reach the emulator: eval "$(samebox env)"',
    )
    add_location(command, port=True)
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


def run(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `samebox run`."""
    command = commands.add_parser(
        "run",
        help="run a command whose AWS clients use the emulator",
        usage="samebox run [options] -- COMMAND [arguments]",
        description="Run one command with the variables of `samebox env`: its AWS clients reach the emulator by "
        "AWS_ENDPOINT_URL and by the forward proxy. The emulator must be running.",
        epilog="Exit status: that of the command; 127 if the program does not exist, 126 if it cannot be run.",
    )
    add_location(command, port=True)
    command.add_argument("words", metavar="COMMAND", nargs=argparse.REMAINDER, help="the command, after --")


def docker_setup(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `samebox docker-setup`."""
    command = commands.add_parser(
        "docker-setup",
        help="let docker push to ECR's own names reach the emulator",
        description="Teach the Docker daemon the names <account>.dkr.ecr.<region>.amazonaws.com: a line of the hosts "
        "file and a certificate for each, or the emulator's proxy for the daemon. Shows what it will write, and asks.",
        epilog="Needs root. `docker push localhost:PORT/NAME` works without it.",
    )
    add_location(command, port=True)
    command.add_argument("--account", help="12 digits (default: this shell's)")
    command.add_argument(
        "--region", action="append", default=[], help="a region whose ECR is meant; repeatable (default: this shell's)"
    )
    command.add_argument(
        "--proxy",
        action="store_true",
        help="have the daemon use the emulator's proxy, without the hosts file: for an emulator that is not root",
    )
    command.add_argument(
        "--address", help="address at which the daemon reaches the emulator (default: a loopback address)"
    )
    command.add_argument("--etc", type=Path, metavar="FOLDER", help="write below this folder and not below /etc")
    command.add_argument("--undo", action="store_true", help="take back what was written")
    command.add_argument("--yes", "-y", action="store_true", help="do not ask")
