"""`samebox fault`: lists, sets and clears the faults of a running emulator."""

import argparse
import sys

from samebox.commands import where
from samebox.commands.outcome import Stop
from samebox.faults.kinds import KINDS, BadFault, Fault


def run(given: argparse.Namespace) -> int:
    url, _ = where.running(given.data_dir)
    if given.action == "set":
        try:
            fault = Fault.read(" ".join(given.fault))
            fault.check_set()
        except BadFault as error:
            raise Stop(f"{error}.", status=2) from None
        found = where.faults(url, "POST", str(fault))
    elif given.fault:
        raise Stop(f"samebox fault {given.action} takes no fault.", status=2)
    else:
        found = where.faults(url, "DELETE" if given.action == "clear" else "GET")
    for one in found:
        sys.stdout.write(f"{one}\n")
    if not found:
        sys.stdout.write("No fault is set. There are:\n")
        for kind in KINDS.values():
            sys.stdout.write(f"  {kind.name:<14} {kind.sees}\n")
    return 0
