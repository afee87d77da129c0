"""The operations of EventBridge."""

from samebox.services.context import Operation
from samebox.services.events import buses, rules, targets

OPERATIONS: dict[str, Operation] = {**rules.OPERATIONS, **targets.OPERATIONS, **buses.OPERATIONS}
