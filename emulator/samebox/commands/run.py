"""`samebox run`: becomes another command, whose AWS clients use the emulator."""

import argparse
import os
import sys

from samebox.commands import client_environment
from samebox.commands.outcome import Stop


def run(given: argparse.Namespace) -> int:
    command = given.words[1:] if given.words[:1] == ["--"] else given.words
    if not command:
        raise Stop("a command is wanted: samebox run -- python train.py", status=2)
    found = client_environment.place(given.data_dir, given.port)
    if found.status is None:
        raise Stop(found.absence)
    wanted = client_environment.of(found, given.data_dir)
    for sentence in wanted.warnings:
        sys.stderr.write(f"samebox run: warning: {sentence}\n")
    environment = {name: value for name, value in os.environ.items() if name not in wanted.unset}
    sys.stderr.flush()
    try:
        # It takes our place, so signals, terminal and exit status are its own.
        os.execvpe(command[0], command, {**environment, **wanted.variables})  # noqa: S606  (no shell is wanted)
    except FileNotFoundError:
        raise Stop(f"{command[0]}: there is no such program.", status=127) from None
    except OSError as error:
        raise Stop(f"{command[0]}: {error.strerror}.", status=126) from None
