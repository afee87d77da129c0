"""Checks that process: the image runs as a processing job does, under /opt/ml/processing and cut off from the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.processing import baseline, events

if TYPE_CHECKING:
    from samebox.check.checks import Check

PROCESSING: tuple[Check, ...] = (*baseline.CHECKS, *events.CHECKS)
