"""The operations of CloudWatch."""

from samebox.services.cloudwatch import alarms, data, metrics
from samebox.services.context import Operation

OPERATIONS: dict[str, Operation] = {**metrics.OPERATIONS, **data.OPERATIONS, **alarms.OPERATIONS}
