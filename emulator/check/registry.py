"""All checks there are, in the order in which they run: what is cheap and grave first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.check.artifact import ARTIFACT
from emulator.check.processing import PROCESSING
from emulator.check.serving import SERVING
from emulator.check.static import STATIC
from emulator.check.training import TRAINING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.check.checks import Check

# Ids that were published once, and why they are not checked any more; an acceptance of one is no mistake.
RETIRED: Mapping[str, str] = {
    "serve-pipelining": "neither SageMaker nor a client of it sends a request before the last one is answered",
}
CHECKS: tuple[Check, ...] = (*STATIC, *ARTIFACT, *TRAINING, *PROCESSING, *SERVING)
