"""Writes a command's reports to files. The paths are checked first, before minutes of work."""

import sys
from collections.abc import Iterable
from pathlib import Path

from samebox.commands import writable
from samebox.commands.outcome import UNUSABLE, Stop


def look_at(paths: Iterable[str]) -> None:
    """Raises Stop for a place that takes no file. "-" is standard output."""
    for path in paths:
        if path == "-":
            continue
        reason = writable.why_no_file(Path(path))
        if reason is not None:
            raise _refused(path, reason)


def write(path: str, text: str) -> None:
    """Raises Stop. Unpaired surrogates in untrusted text are escaped, because no encoding takes them."""
    text = text.encode("utf-8", "backslashreplace").decode()
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None


def _refused(path: str, reason: str) -> Stop:
    return Stop(f"the report cannot be written to {path}: {reason}", status=UNUSABLE)
