"""AWS's partitions: commercial regions, China, GovCloud and others, each with its word in ARNs and its domain."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from samebox.wire.models import data_folder


@dataclass(frozen=True)
class Partition:
    """`name` stands in ARNs (`arn:aws-cn:…`), `dns_suffix` in host names (`amazonaws.com.cn`)."""

    name: str
    dns_suffix: str


@lru_cache(maxsize=256)
def partition_of(region: str) -> Partition:
    """The partition of a region, by botocore's data; a region that no partition has is taken for a commercial one."""
    partitions = _partitions()
    found = next((one for one in partitions if region in one["regions"]), None)
    found = found or next((one for one in partitions if re.match(one["regionRegex"], region)), partitions[0])
    return Partition(found["id"], found["outputs"]["dnsSuffix"])


@lru_cache(maxsize=256)
def is_region(name: str) -> bool:
    """Whether a partition has a region of this name, or may get one."""
    return any(name in one["regions"] or re.match(one["regionRegex"], name) for one in _partitions())


@lru_cache(maxsize=256)
def is_known_region(name: str) -> bool:
    """Whether a partition has a region of this name today."""
    return any(name in one["regions"] for one in _partitions())


@lru_cache(maxsize=256)
def description_of(region: str) -> str:
    """The words for a region, such as "US East (N. Virginia)"; its name, where there are none."""
    found = next((one["regions"][region] for one in _partitions() if region in one["regions"]), None)
    return region if found is None else str(found["description"])


def _partitions() -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = json.loads((data_folder() / "partitions.json").read_text())["partitions"]
    return found
