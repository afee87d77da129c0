"""What the storage is given and gives back: frozen values, without bytes of objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Versioning = Literal["", "Enabled", "Suspended"]
ChecksumType = Literal["", "FULL_OBJECT", "COMPOSITE"]
Algorithm = Literal["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]

NULL_VERSION = "null"


@dataclass(frozen=True)
class Bucket:
    """A bucket. `created` is in seconds since 1970; `versioning` is empty until it was ever enabled."""

    name: str
    account: str
    region: str
    created: float
    versioning: Versioning = ""
    object_lock: bool = False


@dataclass(frozen=True)
class Retention:
    """Until when a version is kept; `until` is in seconds since 1970."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    until: float


@dataclass(frozen=True)
class Checksums:
    """Checksums in base64 by algorithm, and what they are of: the whole object, or the checksums of its parts.

    A composite value ends in `-N`, N being the number of parts.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    kind: ChecksumType = ""


@dataclass(frozen=True)
class Attributes:
    """What an object is put with besides its key and its bytes.

    `headers` holds what is answered as it was given, by the names of the model's members: `ContentType`,
    `CacheControl`, `ServerSideEncryption` and so on. The storage gives them no meaning. `acl` is any text.
    `legal_hold` is None where none was ever placed or lifted.
    `restored_until`: until when an archived object can be read, in epoch seconds.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    acl: str = ""
    retention: Retention | None = None
    legal_hold: bool | None = None
    restored_until: float | None = None


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker.

    `version` is "null" for what was written while versioning was not enabled. `etag` is without quotation marks.
    `part_count` is 0 unless the object came in parts.
    """

    bucket: str
    key: str
    version: str
    modified: float
    size: int = 0
    etag: str = ""
    is_latest: bool = True
    is_delete_marker: bool = False
    attributes: Attributes = field(default_factory=Attributes)
    checksums: Checksums = field(default_factory=Checksums)
    part_count: int = 0


@dataclass(frozen=True)
class ObjectPart:
    """A part of an object that came in parts: `start` is the offset of its first byte in the object."""

    number: int
    start: int
    size: int
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What the client says of the bytes it sent: checked before anything is kept.

    `md5` is Content-MD5, in base64. `checksums` are base64 by algorithm. `size` is the length that was announced.
    """

    md5: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None


@dataclass(frozen=True)
class Upload:
    """An open multipart upload. `algorithm` is empty where the client named none."""

    bucket: str
    key: str
    upload_id: str
    initiated: float
    attributes: Attributes = field(default_factory=Attributes)
    algorithm: str = ""
    checksum_type: ChecksumType = ""


@dataclass(frozen=True)
class Part:
    """A part of an open upload, as the last request that sent it left it."""

    number: int
    size: int
    etag: str
    modified: float
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NamedPart:
    """A part that CompleteMultipartUpload names."""

    number: int
    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Completion:
    """What CompleteMultipartUpload names: the parts in ascending order, and what it says of the whole object."""

    parts: tuple[NamedPart, ...]
    size: int | None = None
    checksums: Checksums = field(default_factory=Checksums)


@dataclass(frozen=True)
class Deletion:
    """What a delete did: `version` is the one that was removed, or the delete marker that was made; "" for neither.

    `is_delete_marker`: a delete marker was made, or the removed version was one.
    """

    version: str = ""
    is_delete_marker: bool = False


@dataclass(frozen=True)
class Source:
    """What is copied: an object's current version, or the version named."""

    bucket: str
    key: str
    version: str | None = None


class Listed(NamedTuple):
    """One line of a listing."""

    key: str
    version: str
    modified: float
    size: int
    etag: str
    storage_class: str
    is_latest: bool
    is_delete_marker: bool
    algorithms: str  # of its checksums, joined by commas
    checksum_type: str


@dataclass(frozen=True)
class Page:
    """A page of a listing of keys or versions, in the byte order of UTF-8.

    `next_key` and `next_version` are where the next page begins: the last key or common prefix of this page, and the
    last version. They are empty on the last page.
    """

    items: tuple[Listed, ...]
    prefixes: tuple[str, ...] = ()
    truncated: bool = False
    next_key: str = ""
    next_version: str = ""


@dataclass(frozen=True)
class UploadsPage:
    """A page of a listing of open uploads, by key and then by when they were begun."""

    items: tuple[Upload, ...]
    prefixes: tuple[str, ...] = ()
    truncated: bool = False
    next_key: str = ""
    next_upload: str = ""


@dataclass(frozen=True)
class PartsPage:
    """A page of the parts of an upload or of an object; `next_number` is the last number of this page."""

    items: tuple[Part, ...] | tuple[ObjectPart, ...]
    truncated: bool = False
    next_number: int = 0
    total: int = 0
