"""Where moto is known to differ from AWS: what AWS answers, and the source. Ours is compared with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING = "<missing>"
_USER_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"


@dataclass(frozen=True)
class KnownDifference:
    """`aws` has AWS's value by the path of each member of an observation where moto has another.

    The path "" is the whole, where moto's answer cannot be read at all.
    """

    source: str
    aws: Mapping[str, Any]


@dataclass(frozen=True)
class UnsaidMember:
    """A member that moto answers nowhere, and the values that it may have."""

    source: str
    values: tuple[Any, ...]


UNSAID: Mapping[str, UnsaidMember] = {
    "ServerSideEncryption": UnsaidMember(f"{_USER_GUIDE}/default-encryption-faq.html", ("AES256",)),
    "ChecksumType": UnsaidMember(f"{_USER_GUIDE}/checking-object-integrity.html", ("FULL_OBJECT", "COMPOSITE")),
    # Recorded from AWS in localstack/localstack, tests/aws/services/s3/test_s3_list_operations.snapshot.json (2025).
    "Marker": UnsaidMember("https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html", ("",)),
    "Prefix": UnsaidMember("https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html", ("",)),
}
# Members that moto answers and AWS does no longer, each with the source.
OUTDATED: Mapping[str, str] = {
    "DisplayName": "https://docs.aws.amazon.com/AmazonS3/latest/API/API_Owner.html (returned no more since 2025-11-21)",
}
