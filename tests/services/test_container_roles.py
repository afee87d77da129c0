"""Credentials of containers: each container that runs has those of its role, and no others."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from samebox.resources.deployment import serving
from samebox.resources.unique_id import credentials_id
from samebox.services.container_roles import ContainerRoles, Role
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
    assert roles.find(own) == Role(samples.ROLE, REGION)
    aws.resources.advance(job, "Failed")
    assert roles.find(own) is None


def test_a_variant_of_an_endpoint_has_the_role_of_its_model(aws: Aws, roles: ContainerRoles) -> None:
    row = endpoint(aws)
    (variant,) = serving(row).wanted.variants
    assert roles.find(credentials_id(row, SECRET, variant.variant_name)) == Role(samples.ROLE, REGION)


def test_what_serves_keeps_its_role_while_its_variant_is_replaced(aws: Aws, roles: ContainerRoles) -> None:
    row = endpoint(aws)
    before = serving(row).wanted
    renamed = replace(before.variants[0], variant_name="next", execution_role_arn=OTHER_ROLE)
    after = replace(before, variants=(renamed,))
    row = aws.resources.change(row, facts=lambda row: replace(serving(row), current=before, wanted=after))
    assert roles.find(credentials_id(row, SECRET, before.variants[0].variant_name)) == Role(samples.ROLE, REGION)
    assert roles.find(credentials_id(row, SECRET, "next")) == Role(OTHER_ROLE, REGION)


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
    status, given = Metadata(aws.call, lambda _: Role("arn:aws:iam::123456789012:user/me", REGION)).answer(
        "GET", f"{CREDENTIALS_PATH}x"
    )
    assert (status, given["code"]) == (400, "ValidationError")
