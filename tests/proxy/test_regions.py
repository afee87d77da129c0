"""Regions by AWS's own addresses: each is there at once, and none sees what another has."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.settings import Settings
from tests.proxy.test_tunnel import client, emulator

SEOUL, IRELAND = "ap-northeast-2", "eu-west-1"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An emulator that redirects requests of S3 for another region, as AWS does."""
    with emulator(tmp_path_factory.mktemp("regions"), s3_redirects=True) as settings:
        yield settings


@pytest.fixture
def both(strict: Settings) -> Iterator[dict[str, Any]]:
    found = {region: client("s3", strict, region) for region in (SEOUL, IRELAND)}
    yield found
    for one in found.values():
        one.close()


def test_a_name_means_another_resource_in_another_region(strict: Settings) -> None:
    arns = []
    for region in (SEOUL, IRELAND):
        with closing(client("ecr", strict, region)) as ecr:
            arns.append(ecr.create_repository(repositoryName="digits")["repository"]["repositoryArn"])
            (only,) = ecr.describe_repositories()["repositories"]
            assert only["repositoryArn"] == arns[-1]
    assert arns == [f"arn:aws:ecr:{region}:123456789012:repository/digits" for region in (SEOUL, IRELAND)]


def test_a_bucket_has_the_region_that_it_was_made_in(both: dict[str, Any]) -> None:
    here, there = both[SEOUL], both[IRELAND]
    here.create_bucket(Bucket="seoul", CreateBucketConfiguration={"LocationConstraint": SEOUL})
    assert there.get_bucket_location(Bucket="seoul")["LocationConstraint"] == SEOUL
    assert here.head_bucket(Bucket="seoul")["BucketRegion"] == SEOUL
    with pytest.raises(ClientError, match="IllegalLocationConstraintException"):
        there.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": SEOUL})


def test_a_client_of_another_region_is_redirected_to_the_address_of_the_buckets(both: dict[str, Any]) -> None:
    both[SEOUL].create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": SEOUL})
    both[IRELAND].put_object(Bucket="far", Key="k", Body=b"1")
    answer = both[IRELAND].get_object(Bucket="far", Key="k")
    assert (answer["Body"].read(), answer["ResponseMetadata"]["RetryAttempts"]) == (b"1", 0)
    assert both[IRELAND].head_bucket(Bucket="far")["BucketRegion"] == SEOUL
