"""What each member of each request does is in its table, in one row."""

import pytest

from samebox.services.members.row import accepted, acted_on, members, refused
from samebox.services.members.tables import TABLES
from samebox.services.operations import operations
from tests.conftest import Aws
from tests.laws.members import MODELS, faults, row_of, table_of

# S3's do not come through the gateway (test_s3_members.py).
OPERATIONS = [(service, operation) for service, tables in TABLES.items() for operation in tables if service != "s3"]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_each_member_of_the_model_has_one_row_and_no_other_has(service: str, operation: str) -> None:
    assert faults(TABLES[service][operation], MODELS.operation(service, operation).input) == []


def test_each_operation_that_is_run_has_a_table(aws: Aws) -> None:
    run = {(service, operation) for service, known in operations(aws.services).items() for operation in known}
    assert [one for one in sorted(run) if table_of(*one) is None] == []
    # Invocations do not come through the gateway.
    assert set(OPERATIONS) - run == {("sagemaker-runtime", "InvokeEndpoint")}


def test_a_table_that_is_incomplete_or_too_much_is_found() -> None:
    shape = MODELS.operation("logs", "CreateLogStream").input
    assert faults(acted_on("logGroupName", "logStreamName"), shape) == []
    assert faults(acted_on("logGroupName"), shape) == ["logStreamName: no row says what becomes of it"]
    more = acted_on("logGroupName", "logStreamName", "tags", "logGroupName")
    assert faults(more, shape) == [
        "logGroupName: has several rows",
        "tags: the model has no such member",
        "logGroupName: has several rows",
    ]


def test_the_nearest_row_speaks_of_a_member() -> None:
    table = members(accepted("A", "why"), refused("A.B[].C", 1))
    assert row_of(table, "A.X") is table[0]
    assert row_of(table, "A.B[].C") is row_of(table, "A.B[].C.D") is table[1]
    assert row_of(table, "AB") is None
