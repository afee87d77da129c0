"""Devices of a fleet: registered, shown and changed. No agent runs on one, so none has a heartbeat or a model."""

from typing import Any

from samebox.errors import ResourceNotFound, ValidationException
from samebox.resources.query import EVERYTHING, Column, Compare, Expression, Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import AlreadyThere, Resource
from samebox.resources.stored_kinds import DEVICE_FLEET
from samebox.services.context import Operation, Services
from samebox.services.sagemaker import shelf_pages
from samebox.wire.caller import Caller

_NOUN = "Device"
_PAGE = 100


def register(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """RegisterDevices: all, or none where one is there."""
    fleet = services.resources.named(DEVICE_FLEET, caller, params)
    shelf, scope = _shelf(services), Scope(caller.account, caller.region)
    tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
    for device in params["Devices"]:
        if shelf.find(scope, _name(fleet, device["DeviceName"])) is not None:
            raise _taken(fleet, device["DeviceName"])
    for device in params["Devices"]:
        name = device["DeviceName"]
        try:
            shelf.add(scope, _name(fleet, name), _arn(fleet, name), device, tags=tags, parent=fleet.arn)
        except AlreadyThere:
            raise _taken(fleet, name) from None


def deregister(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeregisterDevices; one that is not there is no error."""
    fleet = services.resources.named(DEVICE_FLEET, caller, params)
    shelf = _shelf(services)
    for name in params["DeviceNames"]:
        found = shelf.by_arn(_arn(fleet, name))
        if found is not None:
            shelf.remove(found)


def update(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """UpdateDevices: all, or none where one is missing."""
    fleet = services.resources.named(DEVICE_FLEET, caller, params)
    found = [(_named(services, fleet, device["DeviceName"]), device) for device in params["Devices"]]
    for row, device in found:
        _change(_shelf(services), row, device)


def _change(shelf: Shelf, row: Resource, device: dict[str, Any]) -> None:
    shelf.change(row, lambda now: {"spec": {**now.spec, **device}})


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeDevice."""
    fleet = services.resources.named(DEVICE_FLEET, caller, params)
    return _shown(_named(services, fleet, params["DeviceName"]))


def list_devices(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListDevices. Filters by model and by heartbeat find none."""
    where: Expression = EVERYTHING
    if "DeviceFleetName" in params:
        fleet = services.resources.named(DEVICE_FLEET, caller, params)
        where = Compare(Column("parent"), "=", fleet.arn)
    found = _shelf(services).all(Scope(caller.account, caller.region), where)
    if "ModelName" in params or "LatestHeartbeatAfter" in params:
        found = []
    rows, more = shelf_pages.page("ListDevices", found, params, _PAGE)
    return {"DeviceSummaries": [_shown(row) for row in rows], **more}


def report(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """GetDeviceFleetReport."""
    fleet = services.resources.named(DEVICE_FLEET, caller, params)
    devices = services.resources.store.children(fleet.arn, _NOUN)
    return {
        **services.resources.present(fleet),
        "ReportGenerated": services.clock(),
        "DeviceStats": {"ConnectedDeviceCount": 0, "RegisteredDeviceCount": len(devices)},
        "AgentVersions": [],
        "ModelStats": [],
    }


def _named(services: Services, fleet: Resource, name: str) -> Resource:
    found = _shelf(services).by_arn(_arn(fleet, name))
    if found is None:
        raise ResourceNotFound(f"No device with name [{name}] found in device fleet [{fleet.name}]")  # choice
    return found


def _shown(row: Resource) -> dict[str, Any]:
    fleet = row.name.partition("/")[0]
    return {**row.spec, "DeviceArn": row.arn, "DeviceFleetName": fleet, "RegistrationTime": row.created, "Models": []}


def _taken(fleet: Resource, name: str) -> ValidationException:
    return ValidationException(f"Device [{name}] is registered in device fleet [{fleet.name}]")  # choice


def _name(fleet: Resource, name: str) -> str:
    return f"{fleet.name}/{name}"


def _arn(fleet: Resource, name: str) -> str:
    return f"{fleet.arn}/device/{name}"


def _shelf(services: Services) -> Shelf:
    return Shelf(services.resources.store, _NOUN, services.clock)


OPERATIONS: dict[str, Operation] = {
    "RegisterDevices": register,
    "DeregisterDevices": deregister,
    "UpdateDevices": update,
    "DescribeDevice": describe,
    "ListDevices": list_devices,
    "GetDeviceFleetReport": report,
}
