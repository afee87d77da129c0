"""Bytes that come in: kept in memory while they are few, then in a file; with their checksums as they pass."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, BinaryIO, Self

from samebox.s3 import checksums, refusals
from samebox.s3.bodies import Body, Slice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from samebox.s3.checksums import Running
    from samebox.s3.files import Files
    from samebox.s3.gathering import Region
    from samebox.s3.records import Expected

# Up to here a body is a value in the index: one sync instead of three, and no file. Where more writers than one share
# commits, larger bodies cost less in files of their own: SQLite writes each of them twice, and one after the other.
# Measured with 8 writers, per second, as values and as files: 737 and 260 of 16 KiB, 386 and 442 of 64 KiB, 154 and 246
# of 256 KiB.
INLINE_BYTES = 64 * 1024
# So much is written before the disk begins with it. Of 512 MB that come at 750 MB/s nothing is left for the sync at the
# end, which takes 0.2 s otherwise; the writes themselves take as long as before.
_SYNC_BYTES = 8 * 1024 * 1024
_TAGS = ("CRC64NVME", "CRC32C")  # what tells objects of several parts apart


class Received:
    """A body as it arrives. One thread at a time uses it; at the end of its `with` what nothing took is gone.

    `part_bytes`: one that is longer is an object as of a multipart upload with parts of this size. `region`: where in
    the file of its upload a part is written.
    """

    def __init__(
        self,
        files: Files,
        algorithms: tuple[str, ...] = (),
        part_bytes: int | None = None,
        region: Region | None = None,
    ) -> None:
        self._files = files
        self._region = region
        self._number = files.new_id()
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._has_file = False
        self._synced = 0  # so many bytes, or they are on their way
        self._taken = False
        self._part_bytes = part_bytes
        # With it the MD5 is computed at the end, where it is needed at all: it costs more than everything else.
        self._md5 = None if part_bytes else checksums.md5()
        wanted = (*algorithms, *(_TAGS if part_bytes else ()))
        self._running = {name: checksums.running(name) for name in wanted}
        self._algorithms = algorithms
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes. Raises InsufficientStorage, and IncompleteBody where a part is longer than its region."""
        if self._region is not None and self.size + len(data) > self._region.size:
            raise refusals.incomplete_body(self._region.size, self.size + len(data))
        if self._md5 is not None:
            self._md5.update(data)
        for one in self._running.values():
            one.update(data)
        self.size += len(data)
        if self._file is None and self.size <= INLINE_BYTES and self._region is None:
            self._memory += data
            return
        if self._file is None:
            self._file = self._files.create(self._number) if self._region is None else self._region.open()
            self._has_file = True
            self._write(self._memory)
            self._memory = bytearray()
        self._write(data)
        if self.size - self._synced >= _SYNC_BYTES:
            start = self._synced + (0 if self._region is None else self._region.offset)
            self._files.begin_sync(self._file, start, self.size - self._synced)
            self._synced = self.size

    @property
    def etag(self) -> str:
        """The ETag of an object of all bytes so far: their MD5 in hex, where they are not several parts.

        Of several parts it is a digest neither here nor on AWS (user guide, "Checking object integrity"); here it is
        their checksums and size, which cost a tenth.
        """
        if self.parts:
            tag = b"".join(self._running[name].digest() for name in _TAGS) + (self.size % (1 << 32)).to_bytes(4, "big")
            return f"{tag.hex()}-{len(self.parts)}"
        return (self._md5 or self._whole_md5()).digest().hex()

    @property
    def parts(self) -> Sequence[int]:
        """The sizes of its parts; none of an object that came whole."""
        most = self._part_bytes
        if most is None or self.size <= most:
            return ()
        return [min(most, self.size - start) for start in range(0, self.size, most)]

    def checksums(self) -> dict[str, str]:
        """The checksums of all bytes so far, in base64, by algorithm."""
        return {name: checksums.encoded(self._running[name].digest()) for name in self._algorithms}

    def check(self, expected: Expected, *, is_object: bool = False) -> None:
        """Compare the bytes with the client's size and checksums. Raises IncompleteBody, BadDigest.

        Of a whole object S3 answers the digest that was expected in hex, of anything else in base64.
        """
        size = expected.size if self._region is None else self._region.size
        if size is not None and size != self.size:
            raise refusals.incomplete_body(size, self.size)
        if expected.md5:
            assert self._md5 is not None, "a body that is checked comes whole"
            md5 = checksums.encoded(self._md5.digest())
            if expected.md5 != md5:
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
        where = None if self._region is None else Slice(self._region.body, self._region.offset, self.size)
        return Body(self._number, self.size, None, where)

    def take(self) -> None:
        """The body has a row now."""
        self._taken = True
        if self._region is not None:
            self._region.take()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._taken:
            return
        if self._region is not None:
            self._region.release()
        elif self._has_file:
            self._files.discard(self._number)

    def _whole_md5(self) -> Running:
        md5 = checksums.md5()
        md5.update(bytes(self._memory))
        if self._file is not None:
            md5.update(os.pread(self._file.fileno(), self.size, 0))
        return md5

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        assert self._file is not None
        rest = memoryview(data)
        with self._files.space_errors():
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
