"""Checks that run the image as a processing job, under /opt/ml/processing and without network access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.processing import baseline, events

if TYPE_CHECKING:
    from samebox.check.checks import Check

PROCESSING: tuple[Check, ...] = (*baseline.CHECKS, *events.CHECKS)
