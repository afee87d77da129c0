"""What operations ask of S3 before they accept a request, answered in their words: yes, no, or an AwsError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from samebox.data.objects import Location, NotS3, S3Error, Unreachable
from samebox.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.data.objects import Object


class Storage(Protocol):
    """What is asked of data/objects.py, with the errors that it raises."""

    def head(self, uri: str) -> Object: ...

    def exists_under(self, uri: str) -> bool: ...

    def bucket_exists(self, uri: str) -> bool: ...


class Lookups:
    """Questions about addresses of S3. An address that is none of S3's, or that S3 refuses, leads to nothing: no.

    AwsError, a fault of ours, only where S3 cannot be asked.
    """

    def __init__(self, objects: Storage) -> None:
        self._objects = objects

    def place(self, uri: str) -> tuple[str, str] | None:
        """Bucket and key of the address; the key may be empty. None where it is not an address of S3's."""
        try:
            found = Location.parse(uri)
        except NotS3:
            return None
        return found.bucket, found.key

    def exists(self, uri: str) -> bool:
        """True when this very key exists."""
        return self._ask(lambda: bool(self._objects.head(uri)))

    def exists_under(self, uri: str) -> bool:
        """True when at least one key starts with the URI's key. False too when the bucket does not exist."""
        return self._ask(lambda: self._objects.exists_under(uri))

    def bucket_exists(self, uri: str) -> bool:
        """True when the URI's bucket exists."""
        return self._ask(lambda: self._objects.bucket_exists(uri))

    @staticmethod
    def _ask(ask: Callable[[], bool]) -> bool:
        try:
            return ask()
        except Unreachable as error:
            raise AwsError("InternalFailure", f"S3 could not be asked: {error}", 500) from error
        except S3Error:
            return False
