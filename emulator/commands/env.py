"""`samebox env`: the variables with which AWS clients of a shell reach the emulator."""

import argparse
import shlex
import sys

from emulator.commands import aws, where

# A profile or a session token left in the shell would go before, or along with, the keys that we set.
UNWANTED = ("AWS_PROFILE", "AWS_SESSION_TOKEN")


def run(given: argparse.Namespace) -> int:
    settings = where.settings(data_dir=given.data_dir, port=given.port)
    running = where.record(settings.data_dir) if given.port is None else None
    url = running.url if running else settings.url
    # Stops here where the emulator has another token than this shell: the secret that would be printed is wrong.
    where.ask(url)
    identity = aws.identity(settings)
    variables = {
        "AWS_ENDPOINT_URL": url,
        **identity,
        "AWS_DEFAULT_REGION": identity["AWS_REGION"],
    }
    sys.stdout.write(script(variables, given.shell))
    return 0


def script(variables: dict[str, str], shell: str) -> str:
    """Lines that set the variables, in the words of a shell."""
    if shell == "fish":
        lines = [f"set -gx {name} {_fish(value)}" for name, value in variables.items()]
        lines += [f"set -e {name}" for name in UNWANTED]
    elif shell == "powershell":
        lines = [f"$Env:{name} = {_powershell(value)}" for name, value in variables.items()]
        lines += [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in UNWANTED]
    else:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        lines += [f"unset {name}" for name in UNWANTED]
    return "\n".join(lines) + "\n"


def _fish(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _powershell(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
