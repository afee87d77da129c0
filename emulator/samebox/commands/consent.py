"""The destination of a command's requests, and the confirmation before it costs money."""

import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

from samebox.commands import where
from samebox.commands.outcome import Stop


@dataclass(frozen=True)
class Destination:
    """Where requests go. `costs` is true for AWS, and for any endpoint that is not known to be an emulator.

    `is_here` is true for an emulator on this machine, which can use the images of this machine's engine.
    """

    name: str
    costs: bool
    is_here: bool = False


def place(endpoint: str, account: str, region: str) -> Destination:
    """What answers at an endpoint."""
    host = urlsplit(endpoint).hostname or ""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and where.is_emulator(endpoint):
        name = f"the emulator at {endpoint}, account {account}, {region}"
        return Destination(name, costs=False, is_here=where.is_here(endpoint))
    return Destination(f"AWS account {account} in {region} ({endpoint})", costs=True)


def ask(what: str, given: bool) -> None:
    """Ask for confirmation before money is spent. Raises Stop if it is refused, or without a terminal to ask on."""
    if given:
        return
    if not sys.stdin.isatty():
        raise Stop(f"{what} There is no terminal to confirm that on: give --yes.", status=2)
    sys.stderr.write(f"{what} Go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Stop("nothing was done.")
