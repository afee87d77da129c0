"""Each operation of AWS has a grade, an absent one its reason, and docs/coverage.md is what the code says.

That a grade is what the emulator answers is seen in test_emulator_never_500.py.
"""

import pytest

from samebox.commands import coverage_markdown
from samebox.services.absent import ABSENT, AbsentOperations
from samebox.services.coverage import SERVICES, Grade, covered
from samebox.wire.models import Models
from tests.laws.client_calls import called, calls_in
from tests.laws.test_documents import ROOT

COVERED = covered()


def test_each_operation_of_the_models_has_one_grade() -> None:
    models = Models(SERVICES)
    every = [(service, name) for service in SERVICES for name in models.service(service).operations]
    assert sorted((one.service, one.name) for one in COVERED) == sorted(every)


def test_an_absent_operation_has_one_reason() -> None:
    absent = [one for one in COVERED if one.grade is Grade.ABSENT]
    reasons = {
        f"{one.service}:{one.name}": [row.reason for row in ABSENT if row.covers(one.service, one.name)]
        for one in absent
    }
    assert {name: found for name, found in reasons.items() if len(found) != 1} == {}


@pytest.mark.parametrize("row", ABSENT, ids=lambda row: f"{row.service}-{row.reason[:30]}")
def test_a_reason_is_that_of_an_absent_operation(row: AbsentOperations) -> None:
    assert any(row.covers(one.service, one.name) for one in COVERED if one.grade is Grade.ABSENT), "its row goes"


def test_an_operation_that_runs_is_called_by_a_test_through_a_client() -> None:
    running = {(one.service, one.name) for one in COVERED if one.grade is Grade.RUNS}
    assert running - called() == set(), "a test is missing, or the grade is wrong"


def test_calls_are_found_by_receiver_name_and_helper() -> None:
    source = """
iam, own = aws.client("iam"), aws.client("sts")
iam.get_role(RoleName="a")
own.get_caller_identity()
aws.logs.tag_resource(resourceArn=arn)
emulator.runtime.invoke_endpoint(EndpointName="e")
s3.get_paginator("list_parts")
aws.sagemaker.get_waiter("endpoint_in_service")
other.filter_log_events(logGroupName="g")
other.tag_resource(Tags=[])
other.get_role_of_another(1)
"""
    assert set(calls_in(source)) == {
        ("iam", "GetRole"),
        ("sts", "GetCallerIdentity"),
        ("logs", "TagResource"),
        ("sagemaker-runtime", "InvokeEndpoint"),
        ("s3", "ListParts"),
        ("sagemaker", "DescribeEndpoint"),
        ("logs", "FilterLogEvents"),
    }


def test_the_page_is_that_of_the_code() -> None:
    page = ROOT / "docs" / "coverage.md"
    assert page.read_text() == coverage_markdown.write(COVERED), "scripts/fidelity writes it"
