"""Bytes that come in: kept in memory while they are few, then in a file; with their checksums as they pass."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, BinaryIO, Self

from samebox.s3 import checksums, refusals
from samebox.s3.bodies import Body

if TYPE_CHECKING:
    from types import TracebackType

    from samebox.s3.files import Files
    from samebox.s3.records import Expected

# Up to here a body is a value in the index: one sync instead of three, and no file. Where more writers than one share
# commits, larger bodies cost less in files of their own: SQLite writes each of them twice, and one after the other.
# Measured with 8 writers, per second, as values and as files: 737 and 260 of 16 KiB, 386 and 442 of 64 KiB, 154 and 246
# of 256 KiB.
INLINE_BYTES = 64 * 1024


class Received:
    """A body as it arrives. One thread at a time uses it; at the end of its `with` what nothing took is gone."""

    def __init__(self, files: Files, algorithms: tuple[str, ...] = ()) -> None:
        self._files = files
        self._number = files.new_id()
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._has_file = False
        self._taken = False
        self._md5 = checksums.md5()
        self._running = {name: checksums.running(name) for name in algorithms}
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes. Raises InsufficientStorage."""
        self._md5.update(data)
        for one in self._running.values():
            one.update(data)
        self.size += len(data)
        if self._file is None and self.size <= INLINE_BYTES:
            self._memory += data
            return
        if self._file is None:
            self._file = self._files.create(self._number)
            self._has_file = True
            self._write(self._memory)
            self._memory = bytearray()
        self._write(data)

    @property
    def md5(self) -> str:
        """The MD5 of all bytes so far, in hex: the ETag of an object that came whole."""
        return self._md5.digest().hex()

    def checksums(self) -> dict[str, str]:
        """The checksums of all bytes so far, in base64, by algorithm."""
        return {name: checksums.encoded(one.digest()) for name, one in self._running.items()}

    def check(self, expected: Expected, *, is_object: bool = False) -> None:
        """Compare the bytes with the client's size and checksums. Raises IncompleteBody, BadDigest.

        Of a whole object S3 answers the digest that was expected in hex, of anything else in base64.
        """
        if expected.size is not None and expected.size != self.size:
            raise refusals.incomplete_body(expected.size, self.size)
        md5 = checksums.encoded(self._md5.digest())
        if expected.md5 and expected.md5 != md5:
            shown = base64.b64decode(expected.md5).hex() if is_object else expected.md5
            raise refusals.bad_md5(shown, md5)
        found = self.checksums()
        for name, value in expected.checksums.items():
            if value != found[name]:
                raise refusals.bad_checksum(name)

    def seal(self) -> Body:
        """Bring the bytes to the disk, where they are in a file. Nothing is added afterwards."""
        if not self._has_file:
            return Body(self._number, self.size, bytes(self._memory))
        if self._file is not None:
            self._files.sync(self._file)
            self._file = None
        return Body(self._number, self.size, None)

    def take(self) -> None:
        """The body has a row now."""
        self._taken = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._has_file and not self._taken:
            self._files.discard(self._number)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        assert self._file is not None
        rest = memoryview(data)
        with self._files.space_errors():
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
