"""Monitoring schedules: none can be made here, so none is listed. SDKs ask before they delete an endpoint."""

from typing import Any

from samebox.errors import ValidationException
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller


def list_schedules(_: Services, params: dict[str, Any], __: Caller) -> dict[str, Any]:
    """ListMonitoringSchedules."""
    if params.get("NextToken"):
        raise ValidationException("Invalid NextToken.")  # nothing here gives one out
    return {"MonitoringScheduleSummaries": []}


OPERATIONS: dict[str, Operation] = {"ListMonitoringSchedules": list_schedules}
