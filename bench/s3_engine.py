"""The storage of S3 without its protocol: puts, listings and streams, beside what the disk takes for the same."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, alternate, median
from samebox.s3.store import S3Store
from tests.s3.harness import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.stand import Stand

ENGINE = "s3-engine"
SMALL_BYTES = 4096
SMALL = 1000
WRITERS = 8
CHUNK = 1 << 20
MB = 1 << 20
FOLDER_KEYS = 1000
PAGES = 9
_BUCKET = "bench"


def measure(stand: Stand, rounds: int, megabytes: int, keys: Sequence[int]) -> list[Row]:
    """Small puts, one large stream each way, and pages of buckets of so many keys."""
    with _store(stand.folder) as store:
        rows = [
            _puts(stand, store, rounds, 1, Bar("ours", 1000, at_least=True)),
            _puts(stand, store, rounds, WRITERS, Bar("ours", 2000, at_least=True)),
            *_streams(stand, store, min(rounds, 5), megabytes),
        ]
    for number in keys:
        stand.report(f"a bucket of {number:,} keys")
        with _store(stand.folder) as store:
            rows += _lists(store, number)
    return rows


@contextmanager
def _store(folder: Path) -> Iterator[S3Store]:
    place = Path(tempfile.mkdtemp(prefix="engine-", dir=folder))
    store = S3Store(place)
    store.buckets.create(_BUCKET, "123456789012", "us-east-1")
    try:
        yield store
    finally:
        store.close()
        shutil.rmtree(place)


def put(store: S3Store, key: str, chunk: bytes, times: int = 1) -> None:
    """Store one object of so many chunks."""
    with store.receive(("CRC64NVME",)) as body:
        for _ in range(times):
            body.write(chunk)
        store.objects.put(_BUCKET, key, body)


def _puts(stand: Stand, store: S3Store, rounds: int, writers: int, bar: Bar) -> Row:
    data = os.urandom(SMALL_BYTES)

    def ours(writer: int) -> None:
        for number in range(SMALL // writers):
            put(store, f"{writer}/{number}", data)

    def bare(writer: int) -> None:
        for number in range(SMALL // writers):
            _write(store.folder / f"bare-{writer}-{number}", data, 1)

    disk, engine = alternate(
        rounds, lambda: _at_once(bare, writers), lambda: _at_once(ours, writers), report=stand.report
    )
    many = "one after the other" if writers == 1 else f"{writers} at once"
    note = "bare: a file, written and synced"
    what = f"S3 engine, puts of 4 KB, {many}"
    return Row(ENGINE, what, "per s", SMALL / median(engine), SMALL / median(disk), bar=bar, note=note)


def _streams(stand: Stand, store: S3Store, rounds: int, megabytes: int) -> list[Row]:
    chunk = os.urandom(CHUNK)
    plain, target = store.folder / "plain", store.folder / "target"
    times = megabytes * MB // CHUNK

    def down(read: Callable[[], Iterator[bytes]]) -> None:
        with target.open("wb") as file:
            for data in read():
                file.write(data)

    def ours() -> Iterator[bytes]:
        with store.objects.open(_BUCKET, "large") as reading:
            yield from reading.chunks(size=CHUNK)

    def bare() -> Iterator[bytes]:
        with plain.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK), b"")

    bare_in, ours_in = alternate(
        rounds, lambda: _seconds(lambda: _write(plain, chunk, times)),
        lambda: _seconds(lambda: put(store, "large", chunk, times)), report=stand.report,
    )  # fmt: skip
    bare_out, ours_out = alternate(
        rounds, lambda: _seconds(lambda: down(bare)), lambda: _seconds(lambda: down(ours)), report=stand.report
    )
    note = "bare: the same bytes, written and synced"
    return [
        Row(ENGINE, f"S3 engine, {megabytes} MB in", "MB/s", megabytes / median(ours_in), megabytes / median(bare_in),
            note=note),
        Row(ENGINE, f"S3 engine, {megabytes} MB out", "MB/s", megabytes / median(ours_out),
            megabytes / median(bare_out), note="bare: a file, read and written"),
    ]  # fmt: skip


def _lists(store: S3Store, keys: int) -> list[Row]:
    fill_keys(store, keys)
    half = f"data/{keys // FOLDER_KEYS // 2:05}/{FOLDER_KEYS // 2:04}.parquet"
    pages: dict[str, Callable[[], object]] = {
        "first page": lambda: store.lists.objects(_BUCKET),
        "page in the middle": lambda: store.lists.objects(_BUCKET, after=half),
        "page of folders": lambda: store.lists.objects(_BUCKET, prefix="data/", delimiter="/"),
        "page of one folder": lambda: store.lists.objects(_BUCKET, prefix=half[:-12], delimiter="/"),
    }
    bar = Bar("ours", 10.0)
    return [
        Row(ENGINE, f"S3 engine, list of {keys:,} keys, {what}", "ms",
            1000 * median(_seconds(page) for _ in range(PAGES)), bar=bar)
        for what, page in pages.items()
    ]  # fmt: skip


def fill_keys(store: S3Store, keys: int) -> None:
    """So many empty objects in the first bucket, FOLDER_KEYS of them in each folder."""
    # A put each would take a quarter of an hour for a million.
    fill(store, (b"data/%05d/%04d.parquet" % divmod(number, FOLDER_KEYS) for number in range(keys)))


def _at_once(work: Callable[[int], None], writers: int) -> float:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _seconds(run)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _write(path: Path, chunk: bytes, times: int) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(chunk)
        os.fsync(file.fileno())
