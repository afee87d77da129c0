"""What is done when its time has come, and not because a request asks for it: alarms, events, old log events."""

from collections.abc import Callable

from samebox.app.endings import Endings
from samebox.app.stores import Stores
from samebox.services.cloudwatch.evaluation import AlarmEvaluation
from samebox.services.events.delivery import Deliver, Targets
from samebox.services.events.dispatch import EventDispatch
from samebox.services.log_retention import LogRetention
from samebox.settings import Settings, destinations


def start_timers(
    settings: Settings, stores: Stores, forward: Deliver, clock: Callable[[], float], endings: Endings
) -> None:
    """Start them, until the emulator's end. `forward` delivers events to targets that are not the emulator's own."""
    targets = Targets(stores.logbook, clock, destinations(settings.event_destinations), forward)
    for one in (
        EventDispatch(stores.resources, stores.metrics, targets, clock),
        AlarmEvaluation(stores.store, stores.metrics, clock),
        LogRetention(stores.logbook, clock),
    ):
        endings.add(one.close)
        one.start()
