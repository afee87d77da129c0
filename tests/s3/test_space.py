"""A full disk, or a quota: refused in words, nothing half written, and the storage goes on when there is room."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.errors import AwsError
from samebox.s3.receiving import INLINE_BYTES
from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, MIB, REGION, get, keys, put


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The kernel refuses what makes a file larger, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_body_that_does_not_fit_is_refused_and_leaves_nothing(store: S3Store) -> None:
    put(store, "key", b"old")
    with largest_file(MIB), pytest.raises(AwsError, match="no space left") as refused:
        put(store, "key", b"x" * (2 * MIB))
    assert (refused.value.code, refused.value.status) == ("InsufficientStorage", 507)
    assert get(store, "key") == b"old"
    assert list((store.folder / "incoming").iterdir()) == []
    put(store, "key", b"x" * (2 * MIB))


def test_rows_that_do_not_fit_are_refused_whole(store: S3Store) -> None:
    written = 0
    with largest_file(MIB):
        try:
            while written < 1000:
                put(store, f"{written:04}", b"x" * 20_000)
                written += 1
        except AwsError as error:
            refused = error
    assert (refused.code, refused.status) == ("InsufficientStorage", 507)
    assert written > 10
    assert keys(store) == [f"{number:04}" for number in range(written)]
    put(store, "after", b"1")
    assert get(store, f"{written - 1:04}") == b"x" * 20_000


def test_room_of_deleted_objects_goes_back_to_the_disk_at_the_next_starts(tmp_path: Path) -> None:
    other = S3Store(tmp_path / "other")
    other.buckets.create("bucket", ACCOUNT, REGION)
    for number in range(100):
        put(other, f"{number}", b"x" * INLINE_BYTES)
    for number in range(100):
        other.objects.delete("bucket", f"{number}")
    other.close()
    index = tmp_path / "other" / "index.sqlite"
    before = index.stat().st_size
    S3Store(tmp_path / "other").close()
    assert before > 100 * INLINE_BYTES
    assert index.stat().st_size < before / 10
