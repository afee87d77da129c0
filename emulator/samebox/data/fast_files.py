"""A channel in FastFile mode as data: each file, and where its bytes are: in files here, or in another S3."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Piece:
    """`length` bytes of a file of this machine, from `offset` on."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True)
class FastFile:
    """A file of the channel. `pieces` None: its bytes are those of the object `uri` with this ETag."""

    path: str
    size: int
    modified: float
    uri: str = ""
    etag: str = ""
    pieces: tuple[Piece, ...] | None = None


@dataclass(frozen=True)
class S3Address:
    """An S3 that any process can ask, and keys for it."""

    url: str | None
    access_key: str
    secret_key: str
    session_token: str | None
    region: str


@dataclass(frozen=True)
class FastChannel:
    """What is mounted at `target`. `name` is its source in the table of mounts; `log` is for what goes wrong."""

    target: str
    name: str
    log: str
    directories: tuple[str, ...]
    files: tuple[FastFile, ...]
    s3: S3Address | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> FastChannel:
        given: dict[str, Any] = json.loads(text)
        files = tuple(
            FastFile(**{**one, "pieces": None if one["pieces"] is None else tuple(Piece(**p) for p in one["pieces"])})
            for one in given["files"]
        )
        s3 = None if given["s3"] is None else S3Address(**given["s3"])
        return FastChannel(**{**given, "directories": tuple(given["directories"]), "files": files, "s3": s3})
