"""The environments of other programs' clients: made by scripts/clients when they are missing, and what runs in them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
_MAKE = HERE.parents[1] / "scripts" / "clients"
# Downloads of hundreds of megabytes, on a slow line.
_MAKE_SECONDS = 1800
# One program; far more than any takes on a slow machine.
_RUN_SECONDS = 300


@cache
def folder(name: str) -> Path:
    """The folder of an environment, which is made first where there is none for its lock."""
    made = subprocess.run([_MAKE, name], capture_output=True, text=True, timeout=_MAKE_SECONDS, check=False)
    assert made.returncode == 0, f"scripts/clients {name}:\n{made.stderr[-4000:]}"
    return Path(made.stdout.strip())


@dataclass(frozen=True)
class ClientShell:
    """Runs a user's programs in a folder, with an emulator's variables and nothing else of this machine."""

    folder: Path
    variables: Mapping[str, str]

    seconds: float = _RUN_SECONDS

    def run(self, environment: str, program: str, *arguments: str, **variables: str) -> str:
        """Run one of programs/ in an environment; what it printed. Fails with all of its output.

        `environment` is empty for programs of the system alone.
        """
        where = folder(environment) if environment else None
        source = self._in_our_folder(PROGRAMS / program, where)
        interpreter = {".py": "python", ".sh": "bash", ".mjs": "node"}[source.suffix]
        ended = subprocess.run(
            [*([interpreter, "-eux"] if interpreter == "bash" else [interpreter]), str(source), *arguments],
            cwd=self.folder,
            env={**self._environment(where), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.seconds,
            check=False,
        )
        assert ended.returncode == 0, f"{program} ended with {ended.returncode}:\n{ended.stdout[-8000:]}"
        return ended.stdout

    def _environment(self, where: Path | None) -> dict[str, str]:
        paths = [*([str(where / "bin")] if where else []), "/usr/local/bin", "/usr/bin", "/bin"]
        return {"PATH": os.pathsep.join(paths), "HOME": str(self.folder), "LANG": "C.UTF-8", **self.variables}

    def _in_our_folder(self, program: Path, where: Path | None) -> Path:
        """JavaScript finds its packages in folders above the program, so there it is a copy beside a link to them."""
        if program.suffix != ".mjs" or where is None:
            return program
        modules = self.folder / "node_modules"
        if not modules.exists():
            modules.symlink_to(where / "node_modules")
        return Path(shutil.copy(program, self.folder))
