"""A full disk, or a quota: refused in words, nothing half written, and the storage goes on when there is room."""

import contextlib
import resource
from collections.abc import Iterator

import pytest

from samebox.errors import AwsError
from samebox.s3.store import Store
from tests.s3.harness import MIB, get, keys, put


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The kernel refuses what makes a file larger, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_body_that_does_not_fit_is_refused_and_leaves_nothing(store: Store) -> None:
    put(store, "key", b"old")
    with largest_file(MIB), pytest.raises(AwsError, match="no space left") as refused:
        put(store, "key", b"x" * (2 * MIB))
    assert (refused.value.code, refused.value.status) == ("InsufficientStorage", 507)
    assert get(store, "key") == b"old"
    assert list((store.folder / "incoming").iterdir()) == []
    put(store, "key", b"x" * (2 * MIB))


def test_rows_that_do_not_fit_are_refused_whole(store: Store) -> None:
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
