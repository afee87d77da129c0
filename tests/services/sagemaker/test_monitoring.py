"""Monitoring schedules: an empty list, which is the truth."""

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws


def test_there_is_no_monitoring_schedule(aws: Aws) -> None:
    pages = aws.sagemaker.get_paginator("list_monitoring_schedules").paginate(EndpointName="digits")
    assert [page["MonitoringScheduleSummaries"] for page in pages] == [[]]


def test_none_can_be_made(aws: Aws) -> None:
    with pytest.raises(ClientError, match="samebox does not implement sagemaker:CreateMonitoringSchedule"):
        aws.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName="digits",
            MonitoringScheduleConfig={"MonitoringJobDefinitionName": "d", "MonitoringType": "DataQuality"},
        )
