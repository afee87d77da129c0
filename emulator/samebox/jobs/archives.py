"""The engine's archive of a folder as it is read: in pieces, and no more of it than the job's volume holds."""

from collections.abc import Iterator
from typing import BinaryIO

from samebox.data.objects import DiskFull

CHUNK_BYTES = 1024 * 1024
# Seconds. A tar has times in whole ones: a file that was written so recently may be written again within the same one.
SAME_SECOND = 2.0


def chunks(stream: BinaryIO, name: str = "", volume_bytes: int | None = None) -> Iterator[bytes]:
    """What is in it. Raises DiskFull with its `name` where it is larger than the volume: on SageMaker, the program
    could not have written it.
    """
    size = 0
    while chunk := stream.read(CHUNK_BYTES):
        size += len(chunk)
        if volume_bytes is not None and size > volume_bytes:
            raise DiskFull(name, size, volume_bytes)
        yield chunk
