"""Arguments and help of `samebox coverage`. It imports nothing, because cli.py always loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from samebox.commands.option_form import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """The command, with what it takes."""
    coverage = commands.add_parser(
        "coverage",
        help="show which operations of AWS run, are only stored, or are absent",
        description="Show which operations of AWS run, are only stored, or are absent, and why; of those that run, "
        "which members have no effect. Needs no emulator.",
    )
    coverage.add_argument(
        "about",
        metavar="SERVICE|OPERATION",
        nargs="?",
        help="sagemaker, say, or CreateTrainingJob (default: a summary)",
    )
    for form, name in (("json", "JSON"), ("html", "an HTML page"), ("markdown", "Markdown")):
        coverage.add_argument(f"--{form}", metavar="FILE", help=f"write it as {name}; - is standard output")
