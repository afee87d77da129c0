"""`samebox env`: the environment variables with which a shell's AWS clients use the emulator."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Mapping

from samebox.commands import client_environment


def run(given: argparse.Namespace) -> int:
    if given.unset:
        earlier = client_environment.before(os.environ)
        unwanted = [name for name in client_environment.SET if name not in earlier]
        sys.stdout.write(script(earlier, unwanted, given.shell))
        return 0
    # Stops here where the emulator has another token than this shell: the secret that would be printed is wrong.
    found = client_environment.place(given.data_dir, given.port)
    environment = client_environment.of(
        found, given.data_dir, with_endpoint=not given.proxy, with_proxy=not given.endpoint
    )
    for sentence in environment.warnings:
        # On stderr, which `eval "$(samebox env)"` shows and does not run.
        sys.stderr.write(f"samebox env: warning: {sentence}\n")
    variables = {**client_environment.replaced(os.environ, environment.variables), **environment.variables}
    sys.stdout.write(script(variables, environment.unset, given.shell))
    return 0


def script(variables: Mapping[str, str], unwanted: Iterable[str], shell: str) -> str:
    """Lines in a shell's syntax that set the variables, and unset others."""
    if shell == "fish":
        lines = [f"set -gx {name} {_fish(value)}" for name, value in variables.items()]
        lines += [f"set -e {name}" for name in unwanted]
    elif shell == "powershell":
        lines = [f"$Env:{name} = {_powershell(value)}" for name, value in variables.items()]
        lines += [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in unwanted]
    elif shell == "csh":
        # Within backquotes csh makes a blank of each line end, so each command ends with a semicolon.
        lines = [f"setenv {name} {_csh(value)};" for name, value in variables.items()]
        lines += [f"unsetenv {name};" for name in unwanted]
    else:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        lines += [f"unset {name}" for name in unwanted]
    return "\n".join(lines) + "\n"


def _fish(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _powershell(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _csh(value: str) -> str:
    # In single quotes, csh still replaces `!` by words of its history.
    return "'" + value.replace("'", "'\\''").replace("!", "\\!") + "'"
