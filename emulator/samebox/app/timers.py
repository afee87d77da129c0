"""What is done when its time has come, and not because a request asks for it."""

from collections.abc import Callable

from samebox.app.endings import Endings
from samebox.app.stores import Stores
from samebox.services.cloudwatch.evaluation import AlarmEvaluation


def start_timers(stores: Stores, clock: Callable[[], float], endings: Endings) -> None:
    """Start them, until the emulator's end."""
    alarms = AlarmEvaluation(stores.store, stores.metrics, clock)
    endings.add(alarms.close)
    alarms.start()
