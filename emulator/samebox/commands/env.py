"""`samebox env`: the environment variables with which a shell's AWS clients use the emulator."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from samebox.commands import aws, emulators, sdk_defaults, where

# A profile or a session token left in the shell would go before, or along with, the keys that we set.
UNWANTED = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
SET = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    sdk_defaults.VARIABLE,
    sdk_defaults.VALIDATE_ROLE,
)


def run(given: argparse.Namespace) -> int:
    if given.unset:
        sys.stdout.write(script({}, SET, given.shell))
        return 0
    settings = where.settings(data_dir=given.data_dir, port=given.port)
    running = where.record(settings.data_dir)
    url = running.url if running is not None and given.port is None else settings.url
    # Stops here where the emulator has another token than this shell: the secret that would be printed is wrong.
    said = where.ask(url)
    if said is None:
        _warn(f"no emulator answers at {url}. {_way_to_one(running, url)}")
    identity = aws.identity(where.settings_of(said or {}, given.data_dir))
    variables = {
        "AWS_ENDPOINT_URL": url,
        **identity,
        "AWS_DEFAULT_REGION": identity["AWS_REGION"],
    }
    try:
        # By its port an emulator is found that has another folder than this shell's.
        folder = Path(said["data_dir"]) if said and where.is_here(url) else settings.data_dir
        path = sdk_defaults.written(folder, identity["AWS_ACCESS_KEY_ID"], identity["AWS_REGION"])
    except OSError as error:
        _warn(f"the defaults of the SageMaker SDKs cannot be written: {error.filename}: {error.strerror}")
    else:
        if path is not None:
            variables |= {sdk_defaults.VARIABLE: str(path), sdk_defaults.VALIDATE_ROLE: "false"}
    sys.stdout.write(script(variables, UNWANTED, given.shell))
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


def _way_to_one(running: emulators.EmulatorRecord | None, url: str) -> str:
    if running is not None:
        return f"The emulator of this data folder runs at {running.url}: `samebox env` without --port names it."
    return f"`samebox up --port {urlsplit(url).port}` starts one."


def _warn(sentence: str) -> None:
    # On stderr, which `eval "$(samebox env)"` shows and does not run.
    sys.stderr.write(f"samebox env: warning: {sentence}\n")


def _fish(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _powershell(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _csh(value: str) -> str:
    # In single quotes, csh still replaces `!` by words of its history.
    return "'" + value.replace("'", "'\\''").replace("!", "\\!") + "'"
