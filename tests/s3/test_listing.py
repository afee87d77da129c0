"""Listings of many keys: the right ones in the right order, page by page, without reading what a prefix hides."""

import sqlite3

import pytest

from samebox.s3.folding import Range
from samebox.s3.index import Row, Transaction, Values
from samebox.s3.store import S3Store
from tests.s3.harness import fill, put

KEYS = 30_000


@pytest.fixture
def many(store: S3Store) -> S3Store:
    fill(store, (b"data/%03d/%04d" % divmod(number, 1000) for number in range(KEYS)))
    return store


def test_pages_of_many_keys_are_all_keys_in_order(many: S3Store) -> None:
    found: list[str] = []
    after, pages = "", 0
    while True:
        page = many.lists.objects("bucket", after=after)
        found += [one.key for one in page.items]
        pages += 1
        if not page.truncated:
            break
        after = page.next_key
    assert found == [f"data/{number // 1000:03}/{number % 1000:04}" for number in range(KEYS)]
    assert pages == KEYS // 1000


class Counting(Transaction):
    """Counts the rows that its queries give."""

    read = 0

    def all(self, statement: str, values: Values = ()) -> list[Row]:
        rows = super().all(statement, values)
        self.read += len(rows)
        return rows


def test_folders_are_found_without_reading_their_keys(many: S3Store) -> None:
    with many._index.read() as t:
        counting = Counting(t._connection)
        page = many.lists._objects.page(counting, 1, Range(b"data/", b"data/", b"/"), (), 1000)
    assert page.prefixes == [b"data/%03d/" % number for number in range(KEYS // 1000)]
    assert counting.read < KEYS // 1000 + 50


def test_a_page_of_folders_goes_on_behind_the_last_one(many: S3Store) -> None:
    page = many.lists.objects("bucket", prefix="data/", delimiter="/", after="data/009/", limit=5)
    assert list(page.prefixes) == [f"data/{number:03}/" for number in range(10, 15)]
    assert (page.truncated, page.next_key) == (True, "data/014/")


def test_a_page_is_found_by_the_index_wherever_it_begins(many: S3Store) -> None:
    with sqlite3.connect(many.folder / "index.sqlite") as connection:
        for statement in (many.lists._objects._select, many.lists._versions._select):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1, b"data/015/", b"e", 10)).fetchall()
            assert len(plan) == 1, plan  # one search, nothing sorted
            assert "key>? AND key<?" in plan[0][3]
    connection.close()


def test_no_keys_at_all(store: S3Store) -> None:
    put(store, "a", b"")
    for page in (store.lists.objects("bucket", limit=0), store.lists.versions("bucket", limit=0)):
        assert (page.items, page.truncated) == ((), False)
    assert store.lists.objects("bucket", prefix="b").items == ()
    assert store.lists.objects("bucket", after="a").items == ()


@pytest.mark.parametrize(("skip_prefix", "prefixes"), [(True, ("b/",)), (False, ("a/", "b/"))])
def test_a_marker_may_be_a_common_prefix_and_a_start_is_only_a_key(
    store: S3Store, skip_prefix: bool, prefixes: tuple[str, ...]
) -> None:
    for key in ("a/1", "a/2", "b/1"):
        put(store, key, b"")
    page = store.lists.objects("bucket", delimiter="/", after="a/", skip_prefix=skip_prefix)
    assert page.prefixes == prefixes


def test_a_delimiter_of_several_characters_and_of_several_bytes(store: S3Store) -> None:
    for key in ("a--b", "a--c", "a-d", "éée", "ééf", "\U0010ffff\U0010ffffz"):
        put(store, key, b"")
    assert store.lists.objects("bucket", delimiter="--").prefixes == ("a--",)
    assert store.lists.objects("bucket", delimiter="é").prefixes == ("é",)
    assert store.lists.objects("bucket", delimiter="\U0010ffff").prefixes == ("\U0010ffff",)
    assert store.lists.objects("bucket", prefix="é", delimiter="é").prefixes == ("éé",)


def test_deleted_keys_and_old_versions_cost_a_listing_nothing(store: S3Store) -> None:
    store.buckets.set_versioning("bucket", "Enabled")
    for number in range(20):
        put(store, f"{number:02}", b"1")
        put(store, f"{number:02}", b"2")
        if number % 2:
            store.objects.delete("bucket", f"{number:02}")
    page = store.lists.objects("bucket", limit=5)
    assert [one.key for one in page.items] == ["00", "02", "04", "06", "08"]
    assert all(one.algorithms == "CRC64NVME" and one.checksum_type == "FULL_OBJECT" for one in page.items)
