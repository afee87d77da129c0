"""Which type to answer with: the Accept header as RFC 9110 §12.5.1 reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox_serve.errors import NotAcceptable
from samebox_serve.formats import ALIASES

if TYPE_CHECKING:
    from collections.abc import Sequence


def ranges(header: str) -> list[tuple[str, float]]:
    """(media range, quality), best first; equals stay in the client's order. An unreadable quality counts as 1."""
    found = []
    for part in header.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if not name:
            continue
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    quality = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    quality = 1.0
        found.append((name.lower(), quality))
    return sorted(found, key=lambda item: -item[1])


def choose(header: str | None, producible: Sequence[str], default: str) -> str:
    """The producible type the client likes best; the default where it leaves the choice to us.

    Returns the client's own spelling of a type (application/x-ndjson) where it is an alias. Raises NotAcceptable.
    """
    wishes = ranges(header or "")
    if not wishes:
        return default
    candidates = [default, *(kind for kind in producible if kind != default)]
    best: tuple[float, int, str] | None = None
    for kind in candidates:
        quality, position, spelling = _liking(kind, wishes)
        if quality > 0 and (best is None or (-quality, position) < (-best[0], best[1])):
            best = (quality, position, spelling)
    if best is None:
        raise NotAcceptable(
            f"none of the types in Accept ({header}) can be produced; ask for one of {', '.join(producible)}",
            supported=list(producible),
        )
    return best[2]


def first_concrete(header: str | None, default: str) -> str:
    """For handlers that produce what they like: the client's first wish, or the default where it has none."""
    for kind, quality in ranges(header or ""):
        if quality > 0:
            return default if "*" in kind else kind
    return default


def _liking(kind: str, wishes: list[tuple[str, float]]) -> tuple[float, int, str]:
    """How much the client likes a type: the most specific range that matches decides."""
    main = kind.partition("/")[0]
    for position, (name, quality) in enumerate(wishes):
        if ALIASES.get(name, name) == kind:
            return quality, position, name
    for pattern in (f"{main}/*", "*/*", "*"):
        for position, (name, quality) in enumerate(wishes):
            if name == pattern:
                return quality, position, kind
    return 0.0, len(wishes), kind
