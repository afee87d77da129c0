"""Partitions as botocore knows them."""

import pytest
from botocore.session import get_session

from samebox.wire.partitions import Partition, partition_of


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", Partition("aws", "amazonaws.com")),
        ("eu-north-1", Partition("aws", "amazonaws.com")),
        ("cn-northwest-1", Partition("aws-cn", "amazonaws.com.cn")),
        ("us-gov-east-1", Partition("aws-us-gov", "amazonaws.com")),
        ("us-iso-east-1", Partition("aws-iso", "c2s.ic.gov")),
        ("cn-somewhere-9", Partition("aws-cn", "amazonaws.com.cn")),  # newer than botocore
        ("global", Partition("aws", "amazonaws.com")),
    ],
)
def test_a_region_is_in_a_partition(region: str, partition: Partition) -> None:
    assert partition_of(region) == partition


def test_every_region_of_botocore_is_in_its_partition() -> None:
    session = get_session()
    for name in session.get_available_partitions():
        for region in session.get_available_regions("ecr", partition_name=name):
            assert partition_of(region).name == name
