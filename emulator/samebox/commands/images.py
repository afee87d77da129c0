"""`samebox images`: which local images stand in for those that AWS owns, which are here, and what makes the others."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from samebox.commands import script_images, where
from samebox.commands.outcome import Stop
from samebox.commands.script_images import ImageUse
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import EngineError
from samebox.services import image_aliases
from samebox.services.image_aliases import ImageAliases

NO_STAND_IN = "none; SAMEBOX_IMAGE_ALIASES may name yours"


def run(given: argparse.Namespace) -> int:
    aliases = _aliases(given)
    uses = _uses(given.asked, aliases)
    names = sorted({use.alias.image for use in uses if use.alias})
    held = _held(names)
    if given.json:
        rows = [
            {
                "asked": use.what,
                "image": use.alias.image if use.alias else None,
                "here": use.alias.image in held if use.alias else None,
                "build": use.alias.command if use.alias else None,
            }
            for use in uses
        ]
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        _show(uses, held)
    return 0 if all(use.alias and use.alias.image in held for use in uses) or not given.asked else 1


def _aliases(given: argparse.Namespace) -> ImageAliases:
    settings = where.settings(data_dir=given.data_dir)
    said = where.ask(where.url(given.data_dir)) or {}
    try:
        return image_aliases.read(said.get("settings", {}).get("image_aliases", settings.image_aliases))
    except ValueError as error:
        raise Stop(str(error), status=2) from None


def _uses(asked: Sequence[str], aliases: ImageAliases) -> list[ImageUse]:
    if not asked:
        return [ImageUse("\n".join(entry.uris), entry) for entry in aliases.entries]
    uses: list[ImageUse] = []
    for one in asked:
        path = Path(one)
        if path.suffix not in (".py", ".ipynb"):
            uses += script_images.of_uri(one, aliases)
            continue
        try:
            uses += script_images.of_script(path, aliases)
        except (OSError, ValueError) as error:
            raise Stop(f"{one}: {error}", status=2) from None
    return uses


def _held(names: Sequence[str]) -> frozenset[str]:
    """Those that the container engine holds. Raises Stop where it cannot be asked."""
    engine = DockerEngine(instance_id="")
    try:
        if why_not := engine.available():
            raise Stop(f"no container engine: {why_not}")
        return frozenset(name for name in names if engine.image(name) is not None)
    except EngineError as error:
        raise Stop(f"the container engine: {error}") from None
    finally:
        engine.close()


def _show(uses: Sequence[ImageUse], held: frozenset[str]) -> None:
    screen = Console(soft_wrap=True)
    if not uses:
        screen.print("No image of AWS's is named there.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("asked for", "stand-in", "here"):
        table.add_column(column, overflow="fold")
    for use in uses:
        image = use.alias.image if use.alias else NO_STAND_IN
        here = "" if use.alias is None else "[green]yes[/]" if use.alias.image in held else "[red]no[/]"
        table.add_row(use.what.replace("[", "\\["), image, here)
    screen.print(table)
    missing = dict.fromkeys(use.alias.command for use in uses if use.alias and use.alias.image not in held)
    if missing:
        screen.print("\nWhat is missing is made so, in a clone of samebox:", highlight=False)
        for command in missing:
            screen.print(f"  {command}", highlight=False, markup=False)
