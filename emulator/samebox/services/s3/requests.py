"""What an operation of S3 is given and gives back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError

if TYPE_CHECKING:
    from samebox.s3.reading import OpenObject
    from samebox.s3.records import Bucket, Source
    from samebox.s3.store import S3Store
    from samebox.wire.caller import Caller
    from samebox.wire.chunk_signature import ChunkSignatures
    from samebox.wire.http import Request


_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class S3Request:
    """One request: `params` are the operation's members but for a streamed body, which `pieces` gives as it came.

    `head` is the request in path style, with what a presigned URL carries in its query among the headers. `now` is in
    epoch seconds.
    """

    operation: str
    params: Mapping[str, Any]
    head: Request
    caller: Caller
    store: S3Store
    now: float
    pieces: Callable[[], Iterator[bytes]] = lambda: iter(())
    scheme: str = "http"
    is_signed_form: bool = False  # made of a browser's form, which is signed in its body
    signatures: ChunkSignatures | None = None  # that the chunks of the body must have, where signatures are checked

    @property
    def bucket_name(self) -> str:
        """The bucket that the request names, "" where it names none."""
        return str(self.params.get("Bucket", ""))

    @property
    def key(self) -> str:
        return str(self.params.get("Key", ""))

    @property
    def version(self) -> str | None:
        """The version that the request names, or None for the current one."""
        return self.params.get("VersionId") or None

    @cached_property
    def bucket(self) -> Bucket:
        """The bucket. Raises NoSuchBucket, and AccessDenied where it is not the expected owner's."""
        return self._owned(self.bucket_name, "ExpectedBucketOwner")

    def check_source_owner(self, source: Source) -> Bucket:
        """The bucket of what is copied. Raises NoSuchBucket, and AccessDenied as for `bucket`."""
        return self._owned(source.bucket, "ExpectedSourceBucketOwner")

    def _owned(self, name: str, owner: str) -> Bucket:
        expected = self.params.get(owner)
        if expected is not None and not _ACCOUNT.fullmatch(expected):
            text = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
            raise AwsError("InvalidBucketOwnerAWSAccountID", text)
        found = self.store.buckets.get(name)
        if expected not in (None, found.account):
            raise AwsError("AccessDenied", "Access Denied", 403)
        return found

    def header(self, name: str) -> str | None:
        """A header by its lower-case name."""
        return self.head.headers.get(name)


@dataclass(frozen=True)
class S3Response:
    """The members of an operation's output, and for a streamed body the opened object and what of it is sent.

    The endpoint closes `reading`. `status` 0 is the model's; `headers` are those that the model has no member for.
    """

    result: Mapping[str, Any] = field(default_factory=dict)
    reading: OpenObject | None = None
    first: int = 0
    length: int | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[S3Request], S3Response]
