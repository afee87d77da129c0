"""How a command ends: with a status, or with one sentence for the person who typed it."""

import os
import sys
from collections.abc import Callable


class Stop(Exception):
    """Nothing more can be done; the message says why, and what to do about it."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def of(command: Callable[[], int], program: str = "samebox") -> int:
    """Run a command. A Stop becomes a line on stderr and its status; Ctrl-C becomes 130."""
    try:
        return command()
    except Stop as stop:
        sys.stderr.write(f"{program}: {stop}\n")
        return stop.status
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`samebox logs … | head`): no error, and nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
