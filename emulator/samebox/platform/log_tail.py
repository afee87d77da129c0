"""The end of a container's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.containers.engine import Engine, LogLine

MOST_LINES = 2_000


def last_lines(engine: Engine, container: str, most: int = MOST_LINES) -> tuple[LogLine, ...]:
    """The last lines that a container has written, in bounded memory."""
    last: list[LogLine] = []
    stream = engine.logs(container)
    try:
        for line in stream:
            last.append(line)
            if len(last) > 2 * most:
                del last[:most]
    finally:
        stream.close()
    return tuple(last[-most:])
