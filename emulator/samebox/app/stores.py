"""What is kept in the data folder: resources, logs and metrics."""

from collections.abc import Callable
from dataclasses import dataclass

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.resources.kinds import KINDS
from samebox.resources.logbook import Logbook
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.reserve import Reserve
from samebox.resources.resources import Resources
from samebox.resources.store import Store
from samebox.settings import Settings
from samebox.wire.models import Models


@dataclass(frozen=True)
class Stores:
    """`resources` is the view of `store` that knows the kinds and their lifecycles."""

    store: Store
    resources: Resources
    logbook: Logbook
    metrics: MetricsStore


def open_stores(
    folder: DataFolder, settings: Settings, models: Models, clock: Callable[[], float], endings: Endings
) -> Stores:
    """Open what does not take long."""
    reserve = Reserve(folder.path / "reserve")
    store = Store(folder.path / "state.sqlite", reserve)
    endings.add(store.close)
    metrics = MetricsStore(folder.path / "metrics.sqlite", clock)
    endings.add(metrics.close)
    return Stores(
        store,
        Resources(store, models, KINDS, clock, settings.lower_case_arns),
        Logbook(folder.path / "logs" / "streams", settings.log_bytes, reserve),
        metrics,
    )
