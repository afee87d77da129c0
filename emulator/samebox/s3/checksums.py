"""Checksums of objects and of their parts: S3's five algorithms beside MD5, as the bytes arrive."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from samebox.s3.records import Checksums, ChecksumType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
# What S3 computes of an object whose client named nothing else.
DEFAULT = "CRC64NVME"
# Of these the checksum of a whole follows from those of its parts.
_COMBINED: dict[str, tuple[int, Callable[[int, int, int], int]]] = {
    "CRC32": (4, lambda first, second, length: _crt().combine_crc32(first, second, length)),
    "CRC32C": (4, lambda first, second, length: _crt().combine_crc32c(first, second, length)),
    "CRC64NVME": (8, lambda first, second, length: _crt().combine_crc64nvme(first, second, length)),
}


class Running(Protocol):
    """A checksum of the bytes so far."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """The checksum of all bytes so far."""


class _Crc:
    def __init__(self, step: Callable[[bytes | memoryview, int], int], size: int) -> None:
        self._step = step
        self._size = size
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def _crt() -> Any:
    """A library that takes longer to load than most of a start does; the first object waits for it."""
    from awscrt import checksums

    return checksums


def running(algorithm: str) -> Running:
    """A new checksum. Raises KeyError for an algorithm that is not S3's."""
    return _STARTS[algorithm]()


_STARTS: dict[str, Callable[[], Running]] = {
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    "CRC32C": lambda: _Crc(_crt().crc32c, 4),
    "CRC64NVME": lambda: _Crc(_crt().crc64nvme, 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}


def encoded(digest: bytes) -> str:
    """Base64, as S3 writes checksums."""
    return base64.b64encode(digest).decode()


def md5() -> Running:
    """A new MD5: of ETags and Content-MD5."""
    return hashlib.md5(usedforsecurity=False)


def multipart_etag(etags: Iterable[str]) -> str:
    """The ETag of an object that came in parts: the MD5 of the parts' MD5s, and their number."""
    digests = [bytes.fromhex(one) for one in etags]
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def default_type(algorithm: str) -> ChecksumType:
    """What a multipart upload's checksum is of where the client does not say (S3 user guide, object integrity)."""
    if not algorithm:
        return ""
    return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"


def of_parts(algorithm: str, kind: ChecksumType, parts: Sequence[tuple[int, Mapping[str, str]]]) -> Checksums:
    """The checksum of an object of parts, each with its size and checksums; empty where one of them has none."""
    found = [values.get(algorithm, "") for _, values in parts]
    if not all(found):
        return Checksums()
    digests = [base64.b64decode(one) for one in found]
    if kind == "FULL_OBJECT" and algorithm in _COMBINED:
        size, combine = _COMBINED[algorithm]
        whole = 0
        for (length, _), digest in zip(parts, digests, strict=True):
            whole = combine(whole, int.from_bytes(digest, "big"), length)
        return Checksums({algorithm: encoded(whole.to_bytes(size, "big"))}, "FULL_OBJECT")
    joint = running(algorithm)
    joint.update(b"".join(digests))
    return Checksums({algorithm: f"{encoded(joint.digest())}-{len(digests)}"}, "COMPOSITE")
