"""Why a server ended before it was ready: it went to the background, or it does not take the word `serve`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from emulator.check.serving.causes import Cause
from emulator.check.serving.server import Boot, Setup, engine_of, start
from emulator.check.static import programs

if TYPE_CHECKING:
    from emulator.check.checks import Context

_CONTROL_SECONDS = 20.0  # for the run without the word: one that is at fault for another reason ends as soon again
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
# Of a script's lines, those that leave something in the background.
_BACKGROUND = re.compile(
    r"\s&\s*$|--daemon\b|--daemonize\b|\bnohup\b|\bservice\s+\S+\s+start\b|\bsystemctl\s+start\b|/etc/init\.d/\S+\s+start"
    r"|\bsetsid\b|\bstart-stop-daemon\b|\bdocker-compose\b|\bsupervisord\b(?!.*(?:-n|--nodaemon))"
)
_NGINX = re.compile(r"(?:^|[\s/;&])nginx\b(?!.*daemon off)(?!.*\s-[tvVs]\b)")


def of(context: Context, boot: Boot) -> Cause | None:
    """The reason, where a look at its program, or a run without the word, tells it."""
    if boot.exit_code == 0:
        return _background(context)
    return _word(context, boot)


def _background(context: Context) -> Cause:
    lines = _lines_in_background(context)
    words = "exit code 0 and no complaint: what it started went to the background, and ended with it"
    if lines:
        shown = "; ".join(f"`{line}`" for line in lines[:_MOST_LINES])
        words = f"exit code 0, because what it starts goes to the background, and ends with it: {shown}"
    return Cause(words, BACKGROUND_REMEDY, is_certain=bool(lines))


def _lines_in_background(context: Context) -> list[str]:
    """Of the script that SageMaker starts; none where it is none, or cannot be read."""
    subject = context.subject
    entrypoint = subject.config.entrypoint
    if programs.is_shell_form(entrypoint):
        text = " ".join(entrypoint[2:3])
    else:
        found = subject.which(entrypoint[0] if entrypoint else "serve")
        text = (subject.read_file(found.path, _LONGEST_SCRIPT) or b"").decode(errors="replace") if found else ""
        if not text.startswith("#!"):
            return []
    lines = [line.strip() for line in text.splitlines()[not programs.is_shell_form(entrypoint) :]]
    return [line for line in lines if not line.startswith("#") and (_BACKGROUND.search(line) or _NGINX.search(line))]


def _word(context: Context, boot: Boot) -> Cause | None:
    """Whether the image's ENTRYPOINT starts where it does not get the word."""
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
