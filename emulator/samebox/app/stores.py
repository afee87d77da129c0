"""What is kept in the data folder: resources, logs, metrics and the objects of S3."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.resources.kinds import KINDS
from samebox.resources.logbook import Logbook
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.resources import Resources
from samebox.resources.store import Store
from samebox.s3.migration import TakenOver
from samebox.s3.store import S3Store
from samebox.services.s3.housekeeping import Housekeeping
from samebox.settings import Settings
from samebox.wire.models import Models

log = logging.getLogger(__name__)


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
    store = Store(folder.path / "state.sqlite")
    endings.add(store.close)
    metrics = MetricsStore(folder.path / "metrics.sqlite", clock)
    endings.add(metrics.close)
    return Stores(
        store,
        Resources(store, models, KINDS, clock, settings.lower_case_arns),
        Logbook(folder.path / "logs" / "streams", settings.log_bytes),
        metrics,
    )


def open_objects(folder: DataFolder, settings: Settings, clock: Callable[[], float], endings: Endings) -> S3Store:
    """Open S3's storage. Objects of an older data folder, plain files below `s3/`, are taken over before it returns."""
    s3 = S3Store(folder.path / "objects", clock=clock)
    endings.add(s3.close)
    taken = s3.migration.take_over(folder.path / "s3", settings.account, settings.region, _log_progress)
    for path in taken.left:
        log.warning("%s is no object and stays where it is", path)
    housekeeping = Housekeeping(s3)
    housekeeping.start()
    endings.add(housekeeping.close)
    return s3


def _log_progress(taken: TakenOver) -> None:
    # Each object is read once, for its digests. `samebox up` waits as long as this goes on.
    if taken.objects:
        log.info("S3: %d objects, %d bytes, are taken over from an older data folder", taken.objects, taken.size)
