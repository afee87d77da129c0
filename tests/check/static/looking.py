"""One static check, run over a tiny image."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.check import dockerfile, subject
from samebox.check.checks import Claim, Options
from samebox.check.runner import Run
from samebox.check.static import STATIC
from tests.check.images import SHELL, ImageSource, LayerFile, layer, script

if TYPE_CHECKING:
    from samebox.check.findings import Finding

GOOD = (*SHELL, script("usr/local/bin/train"), script("usr/local/bin/serve"))


def look(
    rule_id: str,
    image: ImageSource | bytes,
    *claims: Claim,
    words: str = "",
    options: Options | None = None,
) -> Finding:
    """What the check says. `image`: an archive, or what to make one of; `words`: the Dockerfile's."""
    findings = look_all(rule_id, image, *claims, words=words, options=options)
    assert len(findings) == 1
    return findings[0]


def look_all(
    rule_id: str,
    image: ImageSource | bytes,
    *claims: Claim,
    words: str = "",
    options: Options | None = None,
) -> list[Finding]:
    (check,) = [one for one in STATIC if one.rule.id == rule_id]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        path.write_bytes(image if isinstance(image, bytes) else image.docker_archive())
        read = dockerfile.parse(words) if words else None
        with Run(None, options or Options(claims=frozenset(claims)), read, subject=subject.from_path(path)) as run:
            return run.one(check)


def holding(*entries: LayerFile, **config: object) -> ImageSource:
    """A sound image with more in it."""
    return ImageSource((layer(*GOOD, *entries),), config)
