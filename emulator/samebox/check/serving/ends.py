"""Why a server ended before it was ready: it went to the background, or it rejects the argument `serve`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from samebox.check.archive import NotAnImage
from samebox.check.checks import OutOfTime
from samebox.check.serving.causes import Cause
from samebox.check.serving.server import Boot, Setup, engine_of, start
from samebox.check.static import programs
from samebox.containers.engine import EngineError

if TYPE_CHECKING:
    from samebox.check.checks import Context

_CONTROL_SECONDS = 20.0  # for the run without the word: one that is at fault for another reason ends as soon again
_SHELL = re.compile(r"#![^\n]*sh\b")
_LONGEST_SCRIPT = 64 << 10
_MOST_LINES = 3

WORD_REMEDY = (
    "SageMaker runs `docker run IMAGE serve`. Put a script named serve on PATH that starts the server with its "
    "options, and drop the ENTRYPOINT; or let it ignore the word."
)
BACKGROUND_REMEDY = (
    "A container ends with its first process. Keep the server in the foreground: nginx -g 'daemon off;', gunicorn "
    "without --daemon, no & behind it; and exec it as the last line."
)
# Of a script's lines, those that leave something in the background; some programs do so by themselves.
_BACKGROUND = re.compile(
    r"[^&]&\s*$|--daemon(?:ize)?\b|\bnohup\b|\bsetsid\b|\bstart-stop-daemon\b"
    r"|\b(?:service|systemctl)\s+(?:start\s+\S+|\S+\s+start\b)|/etc/init\.d/\S+\s+start"
)
_BY_ITSELF = re.compile(
    r"(?:^|[;&|]\s*|\bexec\s+)(?:\S*/)?"
    r"(?:nginx\b(?!.*daemon off)(?!.*\s-[tvVs]\b)|supervisord\b(?!.*\s(?:-n\b|--nodaemon)))"
)


def of(context: Context, boot: Boot) -> Cause | None:
    """The cause, found by reading its program or by a run without the argument; None if neither shows it."""
    if boot.exit_code == 0:
        return _background(context)
    return _word(context, boot)


def _background(context: Context) -> Cause:
    lines = in_background(_script(context))
    words = "exit code 0 and no complaint: what it started went to the background, and ended with it"
    if lines:
        shown = "; ".join(f"`{line}`" for line in lines[:_MOST_LINES])
        words = f"exit code 0, because what it starts goes to the background, and ends with it: {shown}"
    return Cause(words, BACKGROUND_REMEDY, is_certain=bool(lines))


def in_background(script: str) -> list[str]:
    """The lines of a shell script that leave something in the background."""
    lines = [line.strip() for line in script.splitlines() if not line.lstrip().startswith("#")]
    return [line for line in lines if _BACKGROUND.search(line) or _BY_ITSELF.search(line)]


def _script(context: Context) -> str:
    """What SageMaker starts, where that is a shell's script and can be read; "" where not."""
    try:
        subject, entrypoint = context.subject, context.subject.config.entrypoint
        if programs.is_shell_form(entrypoint):
            return " ".join(entrypoint[2:3])
        found = subject.which(entrypoint[0] if entrypoint else "serve")
        text = (subject.read_file(found.path, _LONGEST_SCRIPT) or b"").decode(errors="replace") if found else ""
    except (NotAnImage, EngineError, OutOfTime, OSError):
        return ""
    return text if _SHELL.match(text) else ""


def _word(context: Context, boot: Boot) -> Cause | None:
    """Whether the image's ENTRYPOINT starts without the argument."""
    facts = engine_of(context).image(str(context.subject.reference))
    if facts is None or not facts.entrypoint or programs.is_shell_form(facts.entrypoint):
        return None
    control = start(context, Setup(command=None, window=max(_CONTROL_SECONDS, 3 * boot.seconds)))
    if control.server is not None:
        control.server.remove()
    ended_as_well = control.how in ("cannot start", "exited")
    if ended_as_well and control.seconds < 3 * boot.seconds + 5:
        return None
    how = f"it is ready after {control.seconds:.1f} s" if control.how == "ready" else "it stays"
    return Cause(f"without the word serve (`docker run IMAGE`) {how}", WORD_REMEDY, is_certain=True)
