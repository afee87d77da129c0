"""What lives in the zoo, and how an image of it is made: in a second, out of busybox or of an image that is there.

Images stay with the engine under a tag made of their recipe, so that the next run starts at once.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.tiny_image import import_tiny

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Claim

    from tests.check.images import Made

REPOSITORY = "samebox-test/zoo"


@dataclass(frozen=True)
class Recipe:
    """An image: programs over a base. `base` None is busybox alone, with all its names in /bin."""

    programs: Mapping[str, str] = field(default_factory=dict)  # path in the image -> text; the run bit is set
    instructions: tuple[str, ...] = ()  # of a Dockerfile, after the programs are there: 'USER nobody', 'ENTRYPOINT []'
    base: str | None = None

    @property
    def tag(self) -> str:
        words = json.dumps([dict(self.programs), self.instructions, self.base])
        return f"{REPOSITORY}:{hashlib.sha256(words.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Broken:
    """Something with one fault: an image that is run, an archive that is only read, or a model (in `arguments`)."""

    name: str  # what is wrong with it, as a phrase
    fails: str  # the id of the one check that must say so
    subject: Recipe | Made | bytes | None
    claims: frozenset[Claim] = frozenset()
    arguments: Mapping[str, Any] = field(default_factory=dict)  # further Options; a function gets a folder
    dockerfile: str = ""
    says: str = ""  # words of what is seen, or of the remedy, where one rule has several causes


@dataclass(frozen=True)
class Sound:
    """Something without a fault: what it is checked for passes, or is skipped for a reason."""

    name: str
    subject: Recipe | Made | bytes | None
    claims: frozenset[Claim] = frozenset()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    dockerfile: str = ""


Animal = Broken | Sound


def build(recipe: Recipe) -> str:
    """The name of the image; made when it is not there."""
    there = subprocess.run(["docker", "image", "inspect", recipe.tag], capture_output=True, check=False)
    if there.returncode != 0:
        base = recipe.base or import_tiny("plain")
        lines = [f"FROM {base}", "COPY root/ /", "LABEL samebox-test=zoo", *recipe.instructions]
        context = _context("\n".join(lines) + "\n", recipe.programs)
        made = subprocess.run(
            ["docker", "build", "--quiet", "--tag", recipe.tag, "-"], input=context, capture_output=True, timeout=300
        )
        assert made.returncode == 0, made.stderr.decode(errors="replace")
    return recipe.tag


def _context(dockerfile: str, programs: Mapping[str, str]) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        folder = tarfile.TarInfo("root")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for path, text in (("Dockerfile", dockerfile), *((f"root/{path}", text) for path, text in programs.items())):
            member = tarfile.TarInfo(path)
            member.mode, member.size = 0o755, len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return spool.getvalue()
