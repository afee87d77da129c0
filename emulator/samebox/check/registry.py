"""All checks, in the order in which they run: cheap and serious ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.artifact import ARTIFACT
from samebox.check.processing import PROCESSING
from samebox.check.serving import SERVING
from samebox.check.static import STATIC
from samebox.check.training import TRAINING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Check

# Ids that were published once, and why they are not checked any more; an acceptance of one is not a mistake.
RETIRED: Mapping[str, str] = {
    "serve-pipelining": "neither SageMaker nor a client of it sends a request before the last one is answered",
}
CHECKS: tuple[Check, ...] = (*STATIC, *ARTIFACT, *TRAINING, *PROCESSING, *SERVING)
