"""Credentials of containers: each container that runs has those of its role, and no others."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from samebox.resources.deployment import serving
from samebox.resources.unique_id import credentials_id
from samebox.services.container_roles import ContainerRoles, Role, role_keys
from samebox.services.metadata import CREDENTIALS_PATH, Metadata
from tests import samples
from tests.conftest import REGION, Aws

if TYPE_CHECKING:
    from samebox.resources.store import Resource

SECRET = b"a secret"
OTHER_ROLE = "arn:aws:iam::123456789012:role/other"


@pytest.fixture
def roles(aws: Aws) -> ContainerRoles:
    return ContainerRoles(aws.resources, SECRET)


def endpoint(aws: Aws) -> "Resource":
    return aws.row(aws.create("Endpoint"))


def test_a_job_has_its_role_until_it_has_ended(aws: Aws, roles: ContainerRoles) -> None:
    job = aws.row(aws.create("TrainingJob"))
    own = credentials_id(job, SECRET)
    assert roles.find(own) == Role(samples.ROLE, REGION, job.arn)
    aws.resources.advance(job, "Failed")
    assert roles.find(own) is None


def test_a_variant_of_an_endpoint_has_the_role_of_its_model(aws: Aws, roles: ContainerRoles) -> None:
    row = endpoint(aws)
    (variant,) = serving(row).wanted.variants
    assert roles.find(credentials_id(row, SECRET, variant.variant_name)) == Role(samples.ROLE, REGION, row.arn)


def test_what_serves_keeps_its_role_while_its_variant_is_replaced(aws: Aws, roles: ContainerRoles) -> None:
    row = endpoint(aws)
    before = serving(row).wanted
    renamed = replace(before.variants[0], variant_name="next", execution_role_arn=OTHER_ROLE)
    after = replace(before, variants=(renamed,))
    row = aws.resources.change(row, facts=lambda row: replace(serving(row), current=before, wanted=after))
    assert roles.find(credentials_id(row, SECRET, before.variants[0].variant_name)) == Role(
        samples.ROLE, REGION, row.arn
    )
    assert roles.find(credentials_id(row, SECRET, "next")) == Role(OTHER_ROLE, REGION, row.arn)


def test_other_credentials_have_no_role(aws: Aws, roles: ContainerRoles) -> None:
    row = endpoint(aws)
    assert roles.find(credentials_id(row, b"another secret", "AllTraffic")) is None
    assert roles.find(credentials_id(row, SECRET)) is None
    assert roles.find("") is None


def test_the_credentials_that_a_variant_gets_are_of_its_role(aws: Aws, roles: ContainerRoles) -> None:
    row = endpoint(aws)
    (variant,) = serving(row).wanted.variants
    path = CREDENTIALS_PATH + credentials_id(row, SECRET, variant.variant_name)
    status, given = Metadata(aws.call, roles.find).answer("GET", path)
    assert (status, given["RoleArn"]) == (200, samples.ROLE)
    client = aws.client("sts", account=given["AccessKeyId"], secret=given["SecretAccessKey"], session=given["Token"])
    assert client.get_caller_identity()["Account"] == "123456789012"


def test_a_role_that_cannot_be_assumed_is_refused_with_the_message_of_sts(aws: Aws) -> None:
    status, given = Metadata(aws.call, lambda _: Role("arn:aws:iam::123456789012:user/me", REGION, "")).answer(
        "GET", f"{CREDENTIALS_PATH}x"
    )
    assert (status, given["code"]) == (400, "ValidationError")


def test_keys_in_the_environment_of_a_container_are_its_roles_while_it_runs(aws: Aws) -> None:
    secret = aws.services.secret
    job, other = aws.row(aws.create("TrainingJob")), endpoint(aws)
    keys = role_keys(secret, "", samples.ROLE, credentials_id(job, secret))
    assert keys == role_keys(secret, "", samples.ROLE, credentials_id(job, secret))
    assert keys["AWS_ACCESS_KEY_ID"] != role_keys(secret, "", samples.ROLE, credentials_id(other, secret))[
        "AWS_ACCESS_KEY_ID"
    ]  # fmt: skip
    sts = aws.client(
        "sts", account=keys["AWS_ACCESS_KEY_ID"], secret=keys["AWS_SECRET_ACCESS_KEY"],
        session=keys["AWS_SESSION_TOKEN"],
    )  # fmt: skip
    assert sts.get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/Execution/SageMaker"
    aws.resources.advance(job, "Failed")
    assert sts.get_caller_identity()["Arn"].endswith("assumed-role/samebox/samebox")


def test_keys_of_another_emulator_are_not_taken(aws: Aws) -> None:
    keys = role_keys(b"another secret", "", samples.ROLE, "an id")
    sts = aws.client("sts", account=keys["AWS_ACCESS_KEY_ID"], session=keys["AWS_SESSION_TOKEN"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()


def test_a_container_reads_what_ecs_says_of_it_and_not_of_others(aws: Aws) -> None:
    job = aws.row(aws.create("TrainingJob"))
    metadata = Metadata(aws.call, ContainerRoles(aws.resources, SECRET).find)
    own = credentials_id(job, SECRET)
    for version in ("v3", "v4"):
        status, container = metadata.answer("GET", f"/{version}/{own}")
        assert (status, container["Name"], container["KnownStatus"]) == (200, job.name, "RUNNING")
        status, task = metadata.answer("GET", f"/{version}/{own}/task")
        assert (status, task["Containers"]) == (200, [container])
        assert task["TaskARN"].startswith("arn:aws:ecs:us-east-1:123456789012:task/")
        assert metadata.answer("GET", f"/{version}/{credentials_id(job, b'other')}")[0] == 404
