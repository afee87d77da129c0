"""Devices of a fleet: registered, listed, changed and deregistered; none has a heartbeat."""

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws


@pytest.fixture
def fleet(aws: Aws) -> Aws:
    """The fleet `digits` with three devices."""
    aws.create("DeviceFleet")
    aws.sagemaker.register_devices(
        DeviceFleetName="digits", Devices=[{"DeviceName": name, "Description": "old"} for name in "abc"]
    )
    return aws


def test_devices_are_listed_in_pages(fleet: Aws) -> None:
    pages = fleet.sagemaker.get_paginator("list_devices")
    found = pages.paginate(DeviceFleetName="digits", PaginationConfig={"PageSize": 2})
    assert [one["DeviceName"] for page in found for one in page["DeviceSummaries"]] == ["a", "b", "c"]
    assert fleet.sagemaker.list_devices(ModelName="digits")["DeviceSummaries"] == []


def test_a_device_is_described_as_it_was_registered_and_changed(fleet: Aws) -> None:
    fleet.sagemaker.update_devices(DeviceFleetName="digits", Devices=[{"DeviceName": "a", "IotThingName": "thing"}])
    shown = fleet.sagemaker.describe_device(DeviceFleetName="digits", DeviceName="a")
    assert (shown["Description"], shown["IotThingName"], shown["Models"]) == ("old", "thing", [])
    assert "LatestHeartbeat" not in shown


def test_a_name_is_registered_once_and_none_of_a_request_where_one_is(fleet: Aws) -> None:
    with pytest.raises(ClientError, match=r"\[a\] is registered"):
        fleet.sagemaker.register_devices(DeviceFleetName="digits", Devices=[{"DeviceName": "d"}, {"DeviceName": "a"}])
    with pytest.raises(fleet.sagemaker.exceptions.ResourceNotFound):
        fleet.sagemaker.describe_device(DeviceFleetName="digits", DeviceName="d")


def test_a_fleet_goes_after_its_devices(fleet: Aws) -> None:
    report = fleet.sagemaker.get_device_fleet_report(DeviceFleetName="digits")
    assert report["DeviceStats"] == {"ConnectedDeviceCount": 0, "RegisteredDeviceCount": 3}
    with pytest.raises(fleet.sagemaker.exceptions.ResourceInUse):
        fleet.sagemaker.delete_device_fleet(DeviceFleetName="digits")
    fleet.sagemaker.deregister_devices(DeviceFleetName="digits", DeviceNames=["a", "b", "c", "never"])
    fleet.sagemaker.delete_device_fleet(DeviceFleetName="digits")
