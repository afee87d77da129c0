"""Pages of large buckets over HTTP: wherever a page begins, it takes the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import load
from bench.figures import Bar, Row, median
from bench.s3_engine import FOLDER_KEYS, fill_keys
from bench.storage import head
from samebox.s3.store import S3Store
from tests.scenarios.emulator_process import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stand import Stand

LISTS = "s3-lists"
PAGES = 15
BAR = Bar("ours", 10.0)
_BUCKET = "keys"


def measure(stand: Stand, keys: Sequence[int]) -> list[Row]:
    """The first page, one in the middle, the last one, and pages of folders, for each number of keys."""
    rows = []
    for number in keys:
        stand.report(f"a bucket of {number:,} keys")
        rows += _lists(stand, number)
    return rows


def _lists(stand: Stand, keys: int) -> list[Row]:
    emulator = stand.new_emulator()
    # A put each would take a quarter of an hour for a million.
    store = S3Store(emulator.data_dir / "objects")
    store.buckets.create(_BUCKET, ACCOUNT, "us-east-1")
    fill_keys(store, keys)
    store.close()
    emulator.up()
    try:
        folders = keys // FOLDER_KEYS
        half, last = f"data/{folders // 2:05}/", f"data/{folders - 1:05}/"
        pages = {
            "first page": {},
            "page in the middle": {"StartAfter": f"{half}{FOLDER_KEYS // 2:04}.parquet"},
            "last page": {"StartAfter": last},
            "page of folders": {"Prefix": "data/", "Delimiter": "/"},
            "page of one folder": {"Prefix": half, "Delimiter": "/"},
        }
        note = "over HTTP, from the request's first byte to the answer's last"
        rows = []
        for what, params in pages.items():
            url = emulator.s3.generate_presigned_url("list_objects_v2", {"Bucket": _BUCKET, **params})
            target = load.LoadTarget("ours", "127.0.0.1", emulator.port, (load.encoded(head("GET", url)),))
            seconds = load.run(load.Load((target,), 1, 1, PAGES, 3))["ours"]
            rows.append(
                Row(LISTS, f"S3 list of {keys:,} keys, {what}", "ms", 1000 * median(seconds), bar=BAR, note=note)
            )
        return rows
    finally:
        emulator.down()
