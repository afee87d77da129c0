"""Who lives in the zoo, what each animal is asked, and what is found of it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

import pytest
from samebox.check import dockerfile, subject
from samebox.check.checks import LABEL, Options
from samebox.check.registry import CHECKS
from samebox.check.runner import Run
from samebox.check.serving import SERVING
from samebox.commands.workbench import OptMl

from tests.check import zoo
from tests.check.zoo.zoo import Animal, Broken, Recipe, Sound, build

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import ModuleType

    from samebox.check.checks import Check
    from samebox.check.findings import Finding
    from samebox.containers.engine import Engine

# A module of the zoo that has these tables is a room of it, and its animals are looked at.
ROOMS: tuple[ModuleType, ...] = tuple(
    module
    for one in pkgutil.iter_modules(zoo.__path__)
    if not one.name.startswith("test_")
    and hasattr(module := importlib.import_module(f"{zoo.__name__}.{one.name}"), "BROKEN")
)
BROKEN: tuple[Broken, ...] = tuple(animal for room in ROOMS for animal in room.BROKEN)
SOUND: tuple[Sound, ...] = tuple(animal for room in ROOMS for animal in room.SOUND)

SERVED = frozenset({"serve", "transform", "serverless", "multi-model", "streaming"})
FAMILIES = {"train": "training", "processing": "processing"}  # of the other claims of images that are run


def is_served(animal: Animal) -> bool:
    """Whether it is a server, and run as one."""
    return isinstance(animal.subject, Recipe) and bool(animal.claims & SERVED)


def is_processor(animal: Animal) -> bool:
    """Whether it runs as a processing job."""
    return isinstance(animal.subject, Recipe) and "processing" in animal.claims


def asked(animal: Animal) -> list[Check]:
    """The checks that it is looked at with. Where one is of no interest for its claims, the kit leaves it out."""
    if isinstance(animal.subject, Recipe):
        if is_served(animal):
            return list(SERVING)
        families = {FAMILIES[claim] for claim in animal.claims if claim in FAMILIES}
        return [check for check in CHECKS if check.rule.family in families]
    if animal.subject is None:  # only its arguments are of interest
        return [check for check in CHECKS if check.needs == {"model"}]
    met = {"files", "dockerfile"} if animal.dockerfile else {"files"}
    read = [check for check in CHECKS if not check.needs - met]
    if isinstance(animal, Sound):
        return read
    # An archive has little in it, and so is no good model of what its other families are about.
    (family,) = [check.rule.family for check in CHECKS if check.rule.id == animal.fails]
    return [check for check in read if check.rule.family == family]


def is_put_to(check: Check, animal: Animal) -> bool:
    """Whether the kit can and will look at the animal with it: then it does not skip it for want of anything."""
    given = {name for name in ("data", "model") if name in animal.arguments}
    given |= {"payloads"} if "payloads" in animal.arguments else set()
    given |= {"dockerfile"} if animal.dockerfile else set()
    given |= {"files"} if animal.subject is not None else set()
    given |= {"engine"} if isinstance(animal.subject, Recipe) else set()
    return check in asked(animal) and check.is_of_interest(animal.claims) and not check.needs - given


def look(animal: Animal, folder: Path, engine: Engine | None = None) -> list[Finding]:
    """What the kit finds. Whatever it started is gone afterwards."""
    arguments = {
        name: value(folder) if name != "unpack" and callable(value) else value
        for name, value in animal.arguments.items()
    }
    if animal.dockerfile:
        (folder / "Dockerfile").write_text(animal.dockerfile)
        arguments["dockerfile"] = folder / "Dockerfile"
    options = Options(claims=animal.claims, fast=True, workbench=OptMl(), **arguments)
    with Run(engine, options, dockerfile.parse(animal.dockerfile) if animal.dockerfile else None) as run:
        if isinstance(animal.subject, Recipe):
            assert engine is not None
            run.examine(subject.from_engine(engine, build(animal.subject), run.context.labels))
        elif animal.subject is not None:
            path = folder / "image.tar"
            image = animal.subject
            path.write_bytes(image if isinstance(image, bytes) else image.docker_archive())
            run.examine(subject.from_path(path))
        found = run.run(asked(animal))
        labels = {LABEL: run.run_id}
    if engine is not None:
        assert engine.find(labels) == []
        assert engine.networks(labels) == []
    return found


def faults(found: Iterable[Finding]) -> dict[str, str]:
    return {one.rule_id: one.seen for one in found if one.counts}


def says(found: Iterable[Finding], words: str) -> bool:
    return any(one.counts and words in f"{one.seen} {one.remedy}" for one in found)


def parameters(animals: Iterable[Animal]) -> list[Any]:
    """Of a test; those that are run need an engine."""
    return [
        pytest.param(
            animal,
            id=f"{animal.fails if isinstance(animal, Broken) else 'sound'}: {animal.name}",
            marks=[pytest.mark.docker] if isinstance(animal.subject, Recipe) else [],
        )
        for animal in animals
    ]
