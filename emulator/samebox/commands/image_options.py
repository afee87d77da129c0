"""Arguments and help of `samebox images`. It imports nothing heavy, because cli.py always loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.commands.option_form import add_location

if TYPE_CHECKING:
    import argparse

    from samebox.commands.option_form import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """The command, with what it takes."""
    images = commands.add_parser(
        "images",
        help="show which local images stand in for images that AWS owns",
        description="Show which local images stand in for images that AWS owns, which of them the container engine "
        "holds, and the commands that make the others. With scripts, notebooks or URIs: what these need; exit status 1 "
        "when something of it is not there. Needs no emulator.",
    )
    add_location(images)
    images.add_argument(
        "asked", metavar="SCRIPT|URI", nargs="*", help="a script or notebook that uses the SageMaker SDK, or an image"
    )
    images.add_argument("--json", action="store_true", help="print one JSON list instead of a table")
