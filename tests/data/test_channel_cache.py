"""The channel cache: what is fetched once, what is dropped, and what no job can lose by it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest

from samebox.data.channel_cache import ChannelCache
from samebox.data.local_objects import LocalObjects
from samebox.data.objects import NoSuchKey, Object, Objects
from samebox.data.remote_objects import RANGE_BYTES, RemoteObjects
from tests.s3_server import ACCOUNT, REGION, S3Server

BODY = bytes(range(256)) * 256  # more than S3 keeps in its index
ROOM = 10 * len(BODY)


class Counted:
    """S3 that has no files on this machine, with the keys that were downloaded; `gate` holds downloads up."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.downloads: list[str] = []
        self.gate = Event()
        self.gate.set()

    def __getattr__(self, name: str) -> object:
        return getattr(self.objects, name)

    def link(self, _item: Object, _path: Path) -> bool:
        return False

    def download(self, item: Object, path: Path, cancelled: Event | None = None) -> Object:
        self.downloads.append(item.key)
        assert self.gate.wait(60)
        return self.objects.download(item, path, cancelled)


@pytest.fixture
def local(server: S3Server) -> LocalObjects:
    objects = LocalObjects(server.store, ACCOUNT, REGION)
    objects.create_bucket("digits")
    for key in ("a", "b", "c"):
        objects.put(f"s3://digits/{key}", BODY + key.encode())
    return objects


@pytest.fixture
def s3(local: LocalObjects) -> Counted:
    return Counted(local)


def has(cache: ChannelCache, item: Object) -> bool:
    """Whether the object is kept."""
    with TemporaryDirectory() as folder:
        return cache.link(item, Path(folder) / "looked-at")


def cache_of(tmp_path: Path, s3: object, limit: int = ROOM) -> ChannelCache:
    return ChannelCache(tmp_path / "cache", limit, s3)  # type: ignore[arg-type]


def test_a_file_of_our_own_s3_is_linked_and_not_kept_twice(
    local: LocalObjects, server: S3Server, tmp_path: Path
) -> None:
    cache = cache_of(tmp_path, local)
    cache.fetch(local.head("s3://digits/a"), tmp_path / "a")
    with server.store.objects.open("digits", "a") as reading:
        assert reading.path is not None
        assert (tmp_path / "a").samefile(reading.path)
    assert not (tmp_path / "cache").exists()


def test_what_is_in_pieces_or_in_the_index_of_s3_is_kept_as_a_file(
    local: LocalObjects, server: S3Server, tmp_path: Path
) -> None:
    local.put("s3://digits/small", b"small")
    cache = cache_of(tmp_path, local)
    for name in ("one", "two"):
        cache.fetch(local.head("s3://digits/small"), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == b"small"
    assert (tmp_path / "one").samefile(tmp_path / "two")


def test_an_object_is_fetched_once_and_another_of_its_key_anew(s3: Counted, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, s3)
    cache.fetch(s3.objects.head("s3://digits/a"), tmp_path / "1")
    cache.fetch(s3.objects.head("s3://digits/a"), tmp_path / "2")
    assert s3.downloads == ["a"]
    s3.objects.put("s3://digits/a", BODY)
    cache.fetch(s3.objects.head("s3://digits/a"), tmp_path / "3")
    assert s3.downloads == ["a", "a"]
    assert [(tmp_path / name).read_bytes() for name in "123"] == [BODY + b"a", BODY + b"a", BODY]


def test_an_object_that_is_replaced_before_it_is_read_is_kept_as_what_it_is(s3: Counted, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, s3)
    old = s3.objects.head("s3://digits/a")
    s3.objects.put("s3://digits/a", BODY)
    cache.fetch(old, tmp_path / "1")
    assert not has(cache, old)
    assert has(cache, s3.objects.head("s3://digits/a"))


def test_jobs_that_start_together_fetch_once(s3: Counted, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, s3)
    item = s3.objects.head("s3://digits/a")
    s3.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(cache.fetch, item, tmp_path / str(number)) for number in range(4)]
        while not s3.downloads:
            time.sleep(0.001)
        s3.gate.set()
        for job in jobs:
            job.result(60)
    assert s3.downloads == ["a"]
    assert all((tmp_path / str(number)).read_bytes() == BODY + b"a" for number in range(4))


def test_what_was_not_used_for_longest_makes_room_and_what_a_job_has_stays(s3: Counted, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, s3, int(2.5 * len(BODY)))
    items = {key: s3.objects.head(f"s3://digits/{key}") for key in "abc"}
    for key in "ab":
        cache.fetch(items[key], tmp_path / key)
    (tmp_path / "b").unlink()  # its job has ended; the other one's goes on, although it is older
    cache.fetch(items["c"], tmp_path / "c")
    assert [key for key in "abc" if has(cache, items[key])] == ["a", "c"]
    (tmp_path / "a").unlink()
    (tmp_path / "c").unlink()
    cache.fetch(items["a"], tmp_path / "a")  # used again
    (tmp_path / "a").unlink()
    cache.fetch(items["b"], tmp_path / "b")
    assert [key for key in "abc" if has(cache, items[key])] == ["a", "b"]
    assert (tmp_path / "b").read_bytes() == BODY + b"b"


@pytest.mark.parametrize("limit", [0, len(BODY) // 2])
def test_what_is_larger_than_the_cache_is_fetched_and_not_kept(s3: Counted, tmp_path: Path, limit: int) -> None:
    cache = cache_of(tmp_path, s3, limit)
    for name in ("1", "2"):
        cache.fetch(s3.objects.head("s3://digits/a"), tmp_path / name)
        assert (tmp_path / name).read_bytes() == BODY + b"a"
    assert s3.downloads == ["a", "a"]


def test_a_failed_fetch_leaves_nothing_and_takes_no_room(s3: Counted, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, s3, int(1.5 * len(BODY)))
    item = s3.objects.head("s3://digits/a")
    s3.objects.delete("s3://digits/a")
    for _ in range(3):
        with pytest.raises(NoSuchKey):
            cache.fetch(item, tmp_path / "a")
    assert list((tmp_path / "cache").iterdir()) == []
    cache.fetch(s3.objects.head("s3://digits/b"), tmp_path / "b")
    assert has(cache, s3.objects.head("s3://digits/b"))


def test_what_a_killed_process_left_half_written_is_removed_and_the_rest_is_counted(
    s3: Counted, tmp_path: Path
) -> None:
    cache_of(tmp_path, s3).fetch(s3.objects.head("s3://digits/a"), tmp_path / "a")
    (tmp_path / "a").unlink()
    (tmp_path / "cache" / "half.part").write_bytes(BODY)
    again = cache_of(tmp_path, s3, int(1.5 * len(BODY)))
    again.fetch(s3.objects.head("s3://digits/b"), tmp_path / "b")
    assert not has(again, s3.objects.head("s3://digits/a"))
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.fixture
def remote(server: S3Server, local: LocalObjects) -> Iterator[RemoteObjects]:
    del local  # which has made the objects
    objects = RemoteObjects(server.url, ACCOUNT, "whatever", attempts=2)
    yield objects
    objects.close()


def test_a_large_object_of_another_s3_is_read_in_ranges(remote: RemoteObjects, tmp_path: Path) -> None:
    large = b"".join(number.to_bytes(4, "big") for number in range((2 * RANGE_BYTES + 4096) // 4))
    remote.put("s3://digits/large", large)
    cache_of(tmp_path, remote, len(large)).fetch(remote.head("s3://digits/large"), tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == large


def test_an_object_of_another_s3_that_is_replaced_is_read_as_it_is_now(remote: RemoteObjects, tmp_path: Path) -> None:
    old = remote.head("s3://digits/a")
    remote.put("s3://digits/a", b"new")
    assert remote.download(old, tmp_path / "a") == remote.head("s3://digits/a")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_threads_that_wait_for_an_object_are_forgotten_afterwards(s3: Counted, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, s3)
    item = s3.objects.head("s3://digits/a")
    threads = [threading.Thread(target=cache.fetch, args=(item, tmp_path / str(number))) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    s3.objects.delete("s3://digits/a")
    cache.fetch(item, tmp_path / "again")
    assert s3.downloads == ["a"]
