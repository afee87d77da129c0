"""The pytest plugin: the contract kit's checks, and fixtures that run an image, for any test suite.

`pytest --samebox-image IMAGE` collects the checks; tests use the fixtures `train_run` and `endpoint`. The names here
are for annotations (`TrainRun`, `Endpoint`, `Response`) and filters (`CheckWarning`). They are imported lazily, because
every pytest in an environment with samebox loads this package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.testing.items import CheckWarning
    from samebox.testing.serving import Endpoint, EndpointResponse
    from samebox.testing.training import TrainRun

__all__ = ["CheckWarning", "Endpoint", "EndpointResponse", "TrainRun"]

_PLACES = {"CheckWarning": "items", "Endpoint": "serving", "EndpointResponse": "serving", "TrainRun": "training"}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
