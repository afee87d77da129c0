"""A histogram of values that are not negative, with buckets of equal ratio: percentiles to one percent.

Histograms of parts are added into that of the whole, and a percentile of it is as near as those of the parts.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

ACCURACY = 0.01
_RATIO = (1 + ACCURACY) / (1 - ACCURACY)
_LOGARITHM = math.log(_RATIO)
# The bucket of all that is too small to tell from nothing.
_ZERO = -(2**31)
_SMALLEST = 1e-300


def bucket_of(value: float) -> int:
    """The number of the bucket that a value, which is not negative, falls into."""
    return _ZERO if value < _SMALLEST else math.ceil(math.log(value) / _LOGARITHM)


def percentile(counts: Mapping[int, float], percent: float) -> float:
    """The value that `percent` of all are not above, by nearest rank. There must be values."""
    buckets = sorted(counts)
    below = list(accumulate(counts[bucket] for bucket in buckets))
    bucket = buckets[min(bisect_left(below, percent / 100 * below[-1]), len(buckets) - 1)]
    # The middle of a bucket is within ACCURACY of all in it.
    return 0.0 if bucket == _ZERO else 2 * _RATIO**bucket / (_RATIO + 1)


def pack(counts: Mapping[int, float]) -> bytes:
    """As bytes, in order of the buckets."""
    buckets = sorted(counts)
    return array("i", buckets).tobytes() + array("d", (counts[bucket] for bucket in buckets)).tobytes()


def unpack(packed: bytes) -> dict[int, float]:
    """The counts that were packed."""
    size = len(packed) // 12
    buckets, counts = array("i"), array("d")
    buckets.frombytes(packed[: size * 4])
    counts.frombytes(packed[size * 4 :])
    return dict(zip(buckets, counts, strict=True))


def add(total: dict[int, float], other: Mapping[int, float]) -> None:
    """Add the values of `other` to `total`."""
    for bucket, count in other.items():
        total[bucket] = total.get(bucket, 0.0) + count
