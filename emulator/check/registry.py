"""All checks there are, in the order in which they run: what is cheap and grave first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.check.static import STATIC

if TYPE_CHECKING:
    from emulator.check.checks import Check

CHECKS: tuple[Check, ...] = (*STATIC,)
