"""/opt/ml/output/failure: what becomes the FailureReason of the job (contract.md §1.7).

SageMaker shows the first 1024 characters, composed as `AlgorithmError: <text>, exit code: N`. sagemaker-training 4.9.0
puts no word of the user's error into that text, and ends with 0 (a completed job!) when the file cannot be written.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from samebox_train.signals import say

if TYPE_CHECKING:
    from pathlib import Path

    from samebox_train.processes import Finished

# `AlgorithmError: ` and `, exit code: NNN` stand around the text, and it is not known whether they count.
LIMIT = 1024 - len("AlgorithmError: ") - len(", exit code: 255")
COMMAND_LIMIT = 200

_RANK = re.compile(r"(\[\d+,\d+\]<(?:stderr|stdout)>:?)")
_TRACEBACK = "Traceback (most recent call last):"


def script_text(finished: Finished, extra: str | None = None, name: str = "ExecuteUserScriptError") -> str:
    """The toolkit's own form for a user script, or pip, that failed, with the error in it and within the limit."""
    command = _shorten_end(" ".join(finished.command), COMMAND_LIMIT)
    extra_line = f'\nExtraInfo "{extra}"' if extra else ""
    form = f'{name}:\nExitCode {finished.code}\nErrorMessage "%s"{extra_line}\nCommand "{command}"'
    room = LIMIT - (len(form) - len("%s"))
    return form.replace("%s", _shorten_start(error_message(finished.stderr), room), 1)


def framework_text(traceback: str) -> str:
    """The toolkit's form for an error of the image's own code."""
    head = "Framework Error: \n"
    return head + _shorten_start(traceback.strip(), LIMIT - len(head))


def client_text(message: str) -> str:
    return _shorten_end(message.strip(), LIMIT)


def error_message(stderr: str) -> str:
    """What a person would look for in the end of a log: the last traceback, else the last lines."""
    # mpirun mixes the ranks' lines, and its own banner would push the traceback out of the limit.
    failed = next((text for text in _by_rank(stderr) if _TRACEBACK in text), None)
    stderr = failed if failed is not None else stderr
    start = stderr.rfind(_TRACEBACK)
    return (stderr[start:] if start >= 0 else stderr).strip()


def write(path: Path, text: str) -> None:
    """Write the file unless the user's program has: its own words are better than ours."""
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        say(f"{path} was written by the training program and stays as it is")
    except OSError as error:
        say(f"could not write {path}: {error}")
    sys.stderr.flush()


def _by_rank(stderr: str) -> list[str]:
    """What each rank wrote. mpirun marks every piece it reads, which need not begin where a line begins."""
    ranks: dict[str, str] = {}
    _, *pieces = _RANK.split(stderr)
    for rank, piece in zip(pieces[::2], pieces[1::2], strict=True):
        # Up to the end of the line: what follows without a mark is mpirun's own.
        line, newline, _ = piece.partition("\n")
        ranks[rank] = ranks.get(rank, "") + line + newline
    return list(ranks.values())


def _shorten_start(text: str, limit: int) -> str:
    """Keep the end, where the exception is; the first line of a traceback stays to show what it is."""
    if len(text) <= limit:
        return text
    head = f"{_TRACEBACK}\n...\n" if text.startswith(_TRACEBACK) else "..."
    rest = text[-(limit - len(head)) :]
    # Begin with a whole line if that costs little.
    line_end = rest.find("\n")
    return head + (rest[line_end + 1 :] if 0 <= line_end < 120 else rest)


def _shorten_end(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
