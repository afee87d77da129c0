"""Arguments and help of the commands on one job. It imports nothing heavy, because cli.py always loads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from samebox.commands.option_form import add_location

if TYPE_CHECKING:
    import argparse

    from samebox.commands.option_form import Commands


def spot(commands: Commands[argparse.ArgumentParser]) -> None:
    """`samebox spot interrupt JOB`."""
    command = commands.add_parser(
        "spot",
        help="interrupt a managed spot training job",
        description="Interrupt a managed spot training job, as AWS does when it takes spot instances back: its "
        "containers get SIGTERM, and SIGKILL after 120 s; then the job starts again with its checkpoints.",
    )
    command.add_argument("action", metavar="interrupt", choices=["interrupt"], help="what happens to the instances")
    command.add_argument("job", metavar="JOB", help="name of the job")
    add_location(command)


def metrics(commands: Commands[argparse.ArgumentParser]) -> None:
    """`samebox metrics JOB`."""
    command = commands.add_parser(
        "metrics",
        help="draw the metrics of a job",
        description="Draw the metrics of a job by time: those of its log by MetricDefinitions, and the processor, "
        "memory, GPUs and disk of each host in percent.",
    )
    command.add_argument("job", metavar="JOB", help="name of the job")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write time, metric and value; - is standard output")
    command.add_argument(
        "--png", type=Path, metavar="FILE", help="draw a picture; needs Pillow: pip install 'samebox[png]'"
    )
    add_location(command)


def shell(commands: Commands[argparse.ArgumentParser]) -> None:
    """`samebox shell JOB`."""
    command = commands.add_parser(
        "shell",
        help="open a shell in a container of a job that runs",
        description="Open a shell in a container of a training, processing or transform job while it runs. The exit "
        "status is the shell's.",
    )
    command.add_argument("job", metavar="JOB", help="name of the job")
    command.add_argument("--host", default="algo-1", help="which of the job's hosts (default algo-1)")
    command.add_argument(
        "--run", dest="run_command", metavar="COMMAND", help="run this command by sh, in place of a shell"
    )
    add_location(command)
