"""`samebox push`: pushes local images to ECR, the emulator's or AWS's, with the same options."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from samebox.commands import aws, consent, local_docker, repository
from samebox.commands.local_docker import LocalImage
from samebox.commands.outcome import Stop


def run(given: argparse.Namespace) -> int:
    targets = plan(given.images, given.repository, given.tag)
    held = {name: present(name) for name in given.images}
    notes = Console(stderr=True, soft_wrap=True)
    with aws.spoken():
        session = aws.of_environment(given.region)
        ecr = session.client("ecr")
        there = consent.place(session.endpoint, session.account, session.region)
        notes.print(f"To {there.name}", highlight=False)
        if there.costs:
            gigabytes = sum(image.size_bytes for image in held.values()) / 1e9
            consent.ask(
                f"This stores up to {gigabytes:.1f} GB (before compression) in ECR, which AWS bills by the month.",
                given.yes,
            )
        done = []
        for image, name, tag in targets:
            result = repository.push(ecr, held[image], name, tag, given.create)
            notes.print(f"{image} -> {result.uri}: {'there already' if result.skipped else 'pushed'}", highlight=False)
            done.append(result)
    if given.json:
        sys.stdout.write(json.dumps([{**asdict(one), "pinned": one.pinned} for one in done], indent=2) + "\n")
    else:
        for one in done:
            sys.stdout.write(f"{one.uri}  {one.digest}\n")
    return 0


def plan(images: Sequence[str], name: str | None, tags: Sequence[str] | None) -> list[tuple[str, str, str]]:
    """(image, repository, tag) for everything to push. Raises Stop when two images would take one name."""
    targets = []
    for image in images:
        own_name, own_tag = repository.default_name(image)
        targets += [(image, name or own_name, tag) for tag in (tags or [own_tag])]
    taken: dict[tuple[str, str], str] = {}
    for image, to, tag in targets:
        other = taken.setdefault((to, tag), image)
        if other != image:
            raise Stop(f"{other} and {image} would both become {to}:{tag}. Push them one at a time.", status=2)
    return targets


def present(name: str) -> LocalImage:
    """The local image. Raises Stop when there is none, with the way to get it where we know it."""
    found = local_docker.image(name)
    if found is None:
        ours = repository.default_name(name)
        target = f"{ours[0].removeprefix('samebox/')}-{ours[1]}"
        way = f" Build it: docker buildx bake {target}" if ours[0].startswith("samebox/") else ""
        raise Stop(f"there is no local image {name}.{way}")
    return found
