"""Images of tests, which stay in the engine so that the next run starts at once: all are named `samebox-test/…`.

Each run says which ones it uses, by naming them anew, and removes those that no run has used for a day: their recipes
have changed. So a run beside it, perhaps of another checkout, loses none.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from datetime import datetime

PREFIX = "samebox-test/"
UNUSED_SECONDS = 24 * 3600.0
# Naming an image takes a moment, and there are many.
_NAMED_SECONDS = 3600.0


def use(reference: str) -> bool:
    """Whether the image is there; if so, it stays for another day."""
    named_at = _named_at([reference]).get(reference)
    if named_at is not None and time.time() - named_at > _NAMED_SECONDS:
        _docker("tag", reference, reference)
    return named_at is not None


def sweep(names: str = f"{PREFIX}*", now: float | None = None) -> list[str]:
    """Remove those of these names that no run has used for a day; gives them. What a container has stays."""
    listed = _docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={names}")
    before = (time.time() if now is None else now) - UNUSED_SECONDS
    there = [name for name in listed.split() if not name.endswith(":<none>")]
    unused = [name for name, at in _named_at(there).items() if at < before]
    if unused:
        _docker("image", "rm", *unused)
    return unused


def _named_at(references: list[str]) -> dict[str, float]:
    """When each image that is there got a name last, in epoch seconds."""
    if not references:
        return {}
    shown = _docker("image", "inspect", *references)
    found: dict[str, float] = {}
    for image in json.loads(shown or "[]"):
        at = _epoch(image["Metadata"]["LastTagTime"])
        found |= {name: at for name in image["RepoTags"] or [] if name in references}
    return found


def _epoch(time_of_docker: str) -> float:
    # Nanoseconds, of which Python's parser takes six digits.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", time_of_docker)).timestamp()


def _docker(*words: str) -> str:
    """What it prints. What is not there, or has gone since, is not an error here."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=300).stdout
