"""What the emulator reports of itself: whether it is ready, and what `samebox status` shows."""

import os
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from samebox.app.data_folder import DataFolder
from samebox.app.engine_side import EngineSide
from samebox.app.stores import Stores
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT
from samebox.services import images
from samebox.settings import CONFIDENTIAL, Settings

STATUS_ENGINE_SECONDS = 1.0  # how long a status waits for the container engine


class Status:
    """`is_ready` is set when the start is complete."""

    def __init__(self, settings: Settings, folder: DataFolder, stores: Stores, containers: EngineSide) -> None:
        self._settings = settings
        self._folder = folder
        self._store = stores.store
        self._containers = containers
        self.version = version("samebox")  # read from files, so once
        self.is_ready = False

    def readiness(self) -> dict[str, Any]:
        """Whether the start is complete. It reads nothing, and its response holds nothing confidential."""
        return {"ready": self.is_ready, "version": self.version}

    def report(self) -> dict[str, Any]:
        """What `samebox status` shows."""
        settings = self._settings
        why_not = self._containers.health.why_not(STATUS_ENGINE_SECONDS)
        return {
            "ready": self.is_ready,
            "pid": os.getpid(),
            "version": self.version,
            "url": settings.url,
            "data_dir": str(self._folder.path),
            "id": self._folder.id,
            "account": settings.account,
            "region": settings.region,
            "settings": {
                name: value if isinstance(value, int | float) else str(value)
                for name, value in asdict(settings).items()
                if name not in CONFIDENTIAL
            },
            "token": bool(settings.token),
            "engine": {"available": why_not is None, "detail": why_not or ""},
            "registry": {"image": settings.registry_image, "running": self._containers.registry.is_known},
            "localstack": self._localstack(),
            "jobs": {kind.noun: self._store.count_by_status(kind.noun) for kind in CONTAINER_JOBS},
            "endpoints": self._store.statuses(ENDPOINT.noun),
            "stand_ins": [
                {"name": row.name, "image": found.given, "stand_in": found.image}
                for row, found in images.stand_ins(self._store)
            ],
        }

    def _localstack(self) -> dict[str, Any]:
        server = self._containers.localstack
        if server is None:
            return {"wanted": False, "running": False, "detail": ""}
        state = server.state
        return {"wanted": True, "running": bool(state.url), "detail": state.why_not}
