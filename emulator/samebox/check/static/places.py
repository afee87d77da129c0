"""Where a fault can be mended: the Dockerfile's line, where one was given; and lists that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.check.checks import Context


def line_of(context: Context, word: str, containing: str = "") -> int | None:
    """Of the instruction that counts; None where no Dockerfile was given, or it has none."""
    return context.dockerfile.line(word, containing) if context.dockerfile else None


def line_naming(context: Context, *texts: str) -> int | None:
    """Of the last instruction that names one of these."""
    found = context.dockerfile.mentioning(*texts) if context.dockerfile else None
    return found.line if found else None


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few, and how many there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def megabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 10**9 else f"{size / 1e6:,.1f} MB"
