"""Where a container or network belongs, by a label: it is known for ours when its data folder is gone."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.containers.engine import INSTANCE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_LABEL = "samebox.home"


@dataclass(frozen=True)
class Home:
    """The data folder of the emulator that made it, the id that was in the folder, and the emulator's URL.

    `host`: an engine may be shared by machines, and by containers that it runs; a path means nothing on another one.
    """

    instance: str
    host: str
    folder: Path
    url: str

    @property
    def is_on_this_host(self) -> bool:
        return self.host == platform.node()


def label(folder: Path, url: str) -> dict[str, str]:
    """The label of what an emulator of this machine makes."""
    return {HOME_LABEL: json.dumps({"host": platform.node(), "folder": str(folder.resolve()), "url": url})}


def of(labels: Mapping[str, str]) -> Home | None:
    """Where something belongs; None where its labels do not say."""
    try:
        labelled = json.loads(labels[HOME_LABEL])
        return Home(labels[INSTANCE_LABEL], str(labelled["host"]), Path(labelled["folder"]), str(labelled["url"]))
    except (KeyError, ValueError, TypeError):
        return None
