"""Older data folders are taken over, and a storage is read while nothing runs on it."""

import hashlib
import os
from pathlib import Path

import pytest

from samebox.s3.offline import Archive
from samebox.s3.records import Completion, NamedPart
from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, MIB, REGION, get, put, send

LARGE = b"0123456789abcdef" * 8192


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """What `rclone serve s3` left: buckets are folders, keys are paths."""
    folder = tmp_path / "s3"
    for name, data in {"b/a/large.csv": LARGE, "b/a/small.json": b"{}", "b/é": b"", "c/x": b"1"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        os.utime(folder / name, (1_700_000_000.25, 1_700_000_000.25))
    (folder / "empty" / "folder").mkdir(parents=True)
    (folder / "b" / ".rclone_temp_1").write_bytes(b"never confirmed")
    return folder


def test_every_object_is_as_it_was(store: S3Store, old: Path) -> None:
    inode = (old / "b/a/large.csv").stat().st_ino
    done = store.migration.take_over(old, ACCOUNT, REGION)
    assert (done.buckets, done.objects, done.size, done.left) == (3, 4, len(LARGE) + 3, [])
    assert [one.name for one in store.buckets.list()] == ["b", "bucket", "c", "empty"]
    found = {one.key: get(store, one.key, bucket="b") for one in store.lists.objects("b").items}
    assert found == {"a/large.csv": LARGE, "a/small.json": b"{}", "é": b""}
    version = store.objects.head("b", "a/large.csv")
    assert (version.modified, version.etag) == (1_700_000_000.25, hashlib.md5(LARGE).hexdigest())
    assert version.attributes.headers == {"ContentType": "text/csv"}
    assert store.objects.head("c", "x").attributes.headers == {}
    with store.objects.open("b", "a/large.csv") as reading:
        assert reading.path is not None
        assert reading.path.stat().st_ino == inode  # the same file, not a copy
    assert not old.exists()
    assert store.migration.take_over(old, ACCOUNT, REGION).objects == 0


def test_what_cannot_be_an_object_stays_and_is_named(store: S3Store, old: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (old / "b" / "link").symlink_to(tmp_path / "secret")
    (old / "b" / "folder").symlink_to(tmp_path)
    (old / "linked").symlink_to(tmp_path)
    (old / "b" / os.fsdecode(b"\xff")).write_bytes(b"no UTF-8")
    done = store.migration.take_over(old, ACCOUNT, REGION)
    left = {old / "b" / "link", old / "b" / "folder", old / "linked", old / "b" / os.fsdecode(b"\xff")}
    assert set(done.left) == left
    assert all(os.path.lexists(path) for path in left)
    assert [one.key for one in store.lists.objects("b").items] == ["a/large.csv", "a/small.json", "é"]


def test_an_object_that_is_there_is_not_replaced(store: S3Store, old: Path) -> None:
    store.buckets.create("b", ACCOUNT, REGION)
    put(store, "a/large.csv", b"newer", bucket="b")
    done = store.migration.take_over(old, ACCOUNT, REGION)
    assert done.left == [old / "b/a/large.csv"]
    assert get(store, "a/large.csv", bucket="b") == b"newer"
    assert (old / "b/a/large.csv").read_bytes() == LARGE


def test_a_storage_is_read_and_exported_while_nothing_runs(store: S3Store, tmp_path: Path) -> None:
    upload = store.uploads.create("bucket", "a/joined").upload_id
    parts = [NamedPart(1, send(store, upload, "a/joined", 1, b"1" * (5 * MIB)))]
    parts.append(NamedPart(2, send(store, upload, "a/joined", 2, b"2")))
    store.uploads.complete("bucket", "a/joined", upload, Completion(tuple(parts)))
    for key, data in {"a/large": LARGE, "a/small": b"1", "a/small/er": b"2", "a//b": b"3", "../up": b"4"}.items():
        put(store, key, data)
    archive = Archive(store.folder)  # beside a process that writes
    put(store, "b", b"later")
    assert [one.name for one in archive.buckets()] == ["bucket"]
    assert [one.key for one in archive.list("bucket", "a/")] == ["a//b", "a/joined", "a/large", "a/small", "a/small/er"]
    with archive.open("bucket", "a/large") as reading:
        assert b"".join(reading.chunks()) == LARGE
    out = tmp_path / "out"
    done = archive.export("bucket", "", out)
    assert (done.files, done.left_out) == (4, ("../up", "a//b", "a/small/er"))
    assert (out / "a/large").read_bytes() == LARGE
    assert (out / "a/joined").read_bytes() == b"1" * (5 * MIB) + b"2"
    assert (out / "a/large").stat().st_mtime == store.objects.head("bucket", "a/large").modified
    archive.close()


def test_where_there_is_no_storage_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Archive(tmp_path / "none")
    assert not (tmp_path / "none").exists()
