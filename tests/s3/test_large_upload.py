"""The memory of the server is flat over a large upload; scripts/s3-large-upload does the same with 20 GiB."""

from pathlib import Path

from tests.s3.large_upload import MIB, PART, growth


def test_memory_does_not_grow_with_the_size_of_an_object(tmp_path: Path) -> None:
    assert growth(tmp_path, 512 * MIB) < PART
