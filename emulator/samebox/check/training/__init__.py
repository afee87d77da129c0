"""Checks that train: the image runs as a job does, under SageMaker's /opt/ml and cut off from the world.

The plain job runs once, in `baseline`; most rules are read off it. What else runs takes as long again each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.training import baseline, claimed, failing, interruptions

if TYPE_CHECKING:
    from samebox.check.checks import Check

TRAINING: tuple[Check, ...] = (*baseline.CHECKS, *failing.CHECKS, *claimed.CHECKS, *interruptions.CHECKS)
