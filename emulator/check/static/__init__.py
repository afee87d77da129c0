"""Checks that read an image and run nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.check.checks import Check

STATIC: tuple[Check, ...] = ()
