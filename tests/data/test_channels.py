import json
import os
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from samebox.data import channels
from samebox.data.channels import ChannelError, ChannelFile
from samebox.data.objects import Cancelled, DiskFull, NoSuchKey, Object, Objects, S3Error


def channel(uri: str, name: str = "train", source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    where = {"S3DataType": "S3Prefix", "S3Uri": uri, **(source or {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": where}, **more}


def objects(*keys: str, size: int = 1) -> list[Object]:
    return [Object("b", key, size) for key in keys]


def paths(uri: str, *keys: str) -> list[str]:
    return [file.path for file in channels.plan(channel(uri), objects(*keys)).files]


def test_a_folder_prefix_is_cut_off_with_or_without_its_slash() -> None:
    assert paths("s3://b/in", "in/a", "in/x/b") == ["a", "x/b"]
    assert paths("s3://b/in/", "in/a", "in/x/b") == ["a", "x/b"]
    assert paths("s3://b", "a", "x/b") == ["a", "x/b"]


def test_a_prefix_that_is_an_object_gives_its_last_part() -> None:
    assert paths("s3://b/in/train.csv", "in/train.csv") == ["train.csv"]


def test_a_prefix_inside_a_segment_keeps_the_segment_whole() -> None:
    assert paths("s3://b/in/tr", "in/tr", "in/train/a", "in/tr.csv") == ["tr", "train/a", "tr.csv"]


def test_a_layout_may_have_what_follows_the_prefix_alone() -> None:
    layout = channels.ChannelLayout(whole_segments=False)
    for uri, keys, names in (
        ("s3://b/in/tr", ("in/tr", "in/train/a", "in/tr.csv", "in/tr/b"), ["tr", "ain/a", ".csv", "b"]),
        ("s3://b/in", ("in/a", "in/x/b"), ["a", "x/b"]),
    ):
        found = channels.plan(channel(uri), objects(*keys), layout).files
        assert [file.path for file in found] == names


def test_the_manifest_is_the_prefix_and_every_object() -> None:
    plan = channels.plan(channel("s3://b/in"), [*objects("in/a", "in/b/c"), Object("b", "in/empty/", 0)])
    assert plan.manifest == b"in\ns3://b/in/a\ns3://b/in/b/c\ns3://b/in/empty/\n"
    assert plan.files == (ChannelFile(Object("b", "in/a", 1), "a"), ChannelFile(Object("b", "in/b/c", 1), "b/c"))
    assert plan.directories == ("empty",)
    assert plan.size == 2


@pytest.mark.parametrize("key", ["in/../../etc/passwd", "in/./a", "in/a/..", "in/" + "x" * 256, "in/a\0b"])
def test_a_key_that_is_no_safe_file_name_is_refused(key: str) -> None:
    with pytest.raises(ChannelError, match="Channel train: s3://b/in/"):
        paths("s3://b/in/", key)


@pytest.mark.parametrize(("uri", "key"), [("s3://b/in/", "in/a//b"), ("s3://b/in//", "in//a"), ("s3://b", "/a")])
def test_two_slashes_anywhere_in_a_key_are_refused_as_on_aws(uri: str, key: str) -> None:
    with pytest.raises(ChannelError) as error:
        paths(uri, key)
    shown = f"Failed to download data. S3 key: s3://b/{key} has an illegal char sub-sequence '//' in it"
    assert str(error.value) == shown


def test_a_file_that_would_be_a_directory_too_is_refused() -> None:
    with pytest.raises(ChannelError, match="s3://b/in/a is a file and a directory"):
        paths("s3://b/in", "in/a", "in/a/b")


def test_two_objects_for_one_file_are_refused() -> None:
    with pytest.raises(ChannelError, match="both the file"):
        paths("s3://b/x", "x", "x/x")


def test_a_folder_object_with_bytes_is_refused() -> None:
    with pytest.raises(ChannelError, match="a directory's name"):
        paths("s3://b/in", "in/a/")


def test_a_sharded_channel_is_dealt_out_in_the_order_of_its_keys() -> None:
    whole = channels.plan(channel("s3://b/data/"), objects("data/a", "data/b", "data/c", "data/sub/d"))
    shares = [channels.share(whole, host, 3) for host in range(3)]
    assert [[file.path for file in one.files] for one in shares] == [["a", "sub/d"], ["b"], ["c"]]
    # Each host has the configuration of the whole channel (observed 2020, contract.md §1.3).
    assert {one.manifest for one in shares} == {whole.manifest}
    assert channels.share(whole, 0, 1).files == whole.files
    assert channels.share(whole, 4, 5).files == ()


@pytest.mark.parametrize(
    ("hosts", "blocks"), [(1, ["abcde"]), (2, ["abc", "de"]), (3, ["ab", "cd", "e"]), (6, [*"abcde", ""])]
)
def test_a_layout_may_deal_out_blocks_of_keys_that_follow_one_another(hosts: int, blocks: list[str]) -> None:
    whole = channels.plan(channel("s3://b/data/"), objects(*(f"data/{name}" for name in "abcde")))
    layout = channels.ChannelLayout(in_blocks=True)
    shares = [channels.share(whole, host, hosts, layout) for host in range(hosts)]
    assert ["".join(file.path for file in one.files) for one in shares] == blocks


def test_only_a_channel_by_key_is_sharded() -> None:
    assert channels.is_sharded(channel("s3://b/data/", source={"S3DataDistributionType": "ShardedByS3Key"}))
    assert not channels.is_sharded(channel("s3://b/data/", source={"S3DataDistributionType": "FullyReplicated"}))
    assert not channels.is_sharded(channel("s3://b/data/"))


def test_one_host_has_all_of_a_sharded_channel(store: Objects) -> None:
    store.create_bucket("sharded")
    for key in ("in/a", "in/b"):
        store.put(f"s3://sharded/{key}", b"1")
    plan = channels.find(channel("s3://sharded/in", source={"S3DataDistributionType": "ShardedByS3Key"}), store)
    assert [file.path for file in plan.files] == ["a", "b"]


def test_a_seed_gives_the_listing_an_order_in_which_it_is_dealt_out(store: Objects) -> None:
    store.create_bucket("shuffled")
    names = [f"{number:02}" for number in range(20)]
    for name in names:
        store.put(f"s3://shuffled/in/{name}", b"1")
    manifest = json.dumps([{"prefix": "s3://shuffled/in/"}, *names]).encode()
    store.put("s3://shuffled/train.manifest", manifest)

    def order(seed: int, uri: str = "s3://shuffled/in/", **source: str) -> list[str]:
        plan = channels.find(channel(uri, source=source, ShuffleConfig={"Seed": seed}), store)
        assert sorted(file.path for file in plan.files) == names
        listing = [line.rpartition("/")[2] for line in plan.manifest.decode().splitlines()[1:]]
        shares = [[file.path for file in channels.share(plan, host, 2).files] for host in (0, 1)]
        assert shares == [listing[::2], listing[1::2]]
        return listing

    assert order(7) == order(7) == order(7, "s3://shuffled/train.manifest", S3DataType="ManifestFile")
    assert names != order(7) != order(8)


MANIFEST = channel("s3://listed/lists/train.manifest", source={"S3DataType": "ManifestFile"})


@pytest.fixture
def listed(store: Objects) -> Objects:
    if not store.bucket_exists("s3://listed/"):
        store.create_bucket("listed")
    for key in ("data/a.csv", "data/x/b.csv", "data/other.csv"):
        store.put(f"s3://listed/{key}", b"1,2")
    return store


def test_a_manifest_names_its_objects(listed: Objects) -> None:
    listed.put("s3://listed/lists/train.manifest", b'[{"prefix": "s3://listed/data/"}, "x/b.csv", "a.csv"]')
    plan = channels.find(MANIFEST, listed)
    assert [(file.path, file.object.uri, file.object.size) for file in plan.files] == [
        ("x/b.csv", "s3://listed/data/x/b.csv", 3),
        ("a.csv", "s3://listed/data/a.csv", 3),
    ]
    assert plan.manifest == b"lists/train.manifest\ns3://listed/data/x/b.csv\ns3://listed/data/a.csv\n"


def test_a_name_in_a_manifest_goes_on_where_its_prefix_ends(listed: Objects) -> None:
    listed.put("s3://listed/lists/train.manifest", b'[{"prefix": "s3://listed/da"}, "ta/a.csv"]')
    assert [file.path for file in channels.find(MANIFEST, listed).files] == ["ta/a.csv"]


@pytest.mark.parametrize(
    ("prefix", "name", "path"),
    [
        ("s3://listed", "/data/a.csv", "data/a.csv"),
        ("s3://listed/", "data/a.csv", "data/a.csv"),
        ("s3://listed/data", "/a.csv", "a.csv"),
        ("s3://listed/data/", "a.csv", "a.csv"),
        ("https://listed.s3.amazonaws.com", "/data/a.csv", "data/a.csv"),
    ],
)
def test_a_prefix_and_a_name_are_joined_as_they_are(listed: Objects, prefix: str, name: str, path: str) -> None:
    listed.put("s3://listed/lists/train.manifest", json.dumps([{"prefix": prefix}, name]).encode())
    (file,) = channels.find(MANIFEST, listed).files
    assert (file.path, file.object.uri) == (path, "s3://listed/data/a.csv")


def test_an_object_that_a_manifest_names_twice_is_one_file(listed: Objects) -> None:
    listed.put("s3://listed/lists/train.manifest", b'[{"prefix": "s3://listed/data/"}, "a.csv", "x/b.csv", "a.csv"]')
    plan = channels.find(MANIFEST, listed)
    assert [file.path for file in plan.files] == ["a.csv", "x/b.csv"]
    assert plan.manifest == b"lists/train.manifest\ns3://listed/data/a.csv\ns3://listed/data/x/b.csv\n"


def test_an_object_that_a_manifest_names_and_that_is_not_there_is_named(listed: Objects) -> None:
    listed.put("s3://listed/lists/train.manifest", b'[{"prefix": "s3://listed/data/"}, "a.csv", "gone.csv"]')
    with pytest.raises(NoSuchKey) as raised:
        channels.find(MANIFEST, listed)
    assert raised.value.uri == "s3://listed/data/gone.csv"


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "x/../../a"])
def test_a_manifest_cannot_name_a_file_outside_of_its_channel(listed: Objects, name: str) -> None:
    # Such a key is none that our S3 keeps, so the object is not found, or it is not a file name: it is refused.
    listed.put("s3://listed/lists/train.manifest", json.dumps([{"prefix": "s3://listed/data/"}, name]).encode())
    with pytest.raises((ChannelError, S3Error)):
        channels.find(MANIFEST, listed)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"s3://listed/data/a.csv", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"{}", "not a JSON list"),
        (b"[]", "not a JSON list"),
        (b'["a.csv"]', "the first element must be"),
        (b'[{"prefix": ""}]', "not an S3 address"),
        (b'[{"prefix": "s3://listed/", "more": 1}]', "the first element must be"),
        (b'[{"prefix": "https://example.com/"}, "a"]', "not an S3 address"),
        (
            b'[{"prefix": "s3://listed"}, "data/a.csv"]',
            "element 1: s3://listeddata/a.csv is not an object of the bucket",
        ),
        (b'[{"prefix": "s3://listed"}, "/"]', "element 1: s3://listed/ is not an object of the bucket"),
        (b'[{"prefix": "s3://listed"}, "!/a"]', "element 1: s3://listed!/a is not an object of the bucket"),
        (b'[{"prefix": "s3://listed/"}, 1]', "element 1 must be the rest of a key, not 1"),
        (b'[{"prefix": "s3://listed/"}, "a", {"prefix": "s3://b/"}]', "element 2"),
    ],
)
def test_an_invalid_manifest_is_reported_with_its_place(listed: Objects, body: bytes, words: str) -> None:
    listed.put("s3://listed/lists/train.manifest", body)
    with pytest.raises(ChannelError, match=f"^Channel train: s3://listed/lists/train.manifest.*{words}"):
        channels.find(MANIFEST, listed)


def test_a_download_makes_the_planned_files_and_only_those(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("digits")
    for key, body in (("in/a", b"1"), ("in/x/b", b"22"), ("in/x/c", b""), ("other", b"no")):
        store.put(f"s3://digits/{key}", body)
    plan = channels.plan(channel("s3://digits/in"), store.list("s3://digits/in"))
    (tmp_path / "train" / "old").mkdir(parents=True)
    (tmp_path / "train" / "old" / "left").write_text("by a run before")
    channels.download([plan], store, tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    manifest = b"in\ns3://digits/in/a\ns3://digits/in/x/b\ns3://digits/in/x/c\n"
    assert found == {"train/a": b"1", "train/x/b": b"22", "train/x/c": b"", "train-manifest": manifest}
    assert not (tmp_path / "train" / "old").exists()


def test_what_is_there_already_is_not_fetched_again(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("digits")
    store.put("s3://digits/in/a", b"12345")
    plan = channels.plan(channel("s3://digits/in"), store.list("s3://digits/in"))
    channels.download([plan], store, tmp_path)
    before = (tmp_path / "train" / "a").stat()
    (tmp_path / "train-manifest").unlink()
    store.delete("s3://digits/in/a")
    channels.download([plan], store, tmp_path)
    assert (tmp_path / "train" / "a").stat().st_ino == before.st_ino
    assert (tmp_path / "train-manifest").exists()


def test_a_half_file_is_fetched_again(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("digits")
    store.put("s3://digits/in/a", b"12345")
    plan = channels.plan(channel("s3://digits/in"), store.list("s3://digits/in"))
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a").write_bytes(b"12")
    channels.download([plan], store, tmp_path)
    assert (tmp_path / "train" / "a").read_bytes() == b"12345"


@pytest.mark.parametrize(
    "names", [["."], [".."], ["a/b"], [""], ["a" * 65], ["train", "train-manifest"], ["train-manifest", "train"]]
)
def test_a_channel_that_would_be_another_place_of_the_job_is_not_written(
    store: Objects, tmp_path: Path, names: list[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "hyperparameters.json").write_text("{}")
    plans = [channels.ChannelPlan(name, (), (), b"") for name in names]
    with pytest.raises(ChannelError):
        channels.download(plans, store, tmp_path / "data")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["data", "hyperparameters.json"]


def test_more_than_the_volume_is_out_of_space_before_a_byte_moves(store: Objects, tmp_path: Path) -> None:
    plan = channels.plan(channel("s3://b/in"), objects("in/a", "in/b", size=6))
    with pytest.raises(DiskFull) as raised:
        channels.download([plan], store, tmp_path, volume_bytes=10)
    assert (raised.value.needed, raised.value.available) == (12, 10)
    assert not list(tmp_path.iterdir())


def test_more_than_the_disk_is_out_of_space(store: Objects, tmp_path: Path) -> None:
    plan = channels.plan(channel("s3://b/in"), objects("in/a", size=1 << 60))
    with pytest.raises(DiskFull):
        channels.download([plan], store, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_fills_up_on_the_way_is_out_of_space(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("digits")
    store.put("s3://digits/in/a", bytes(3_000_000))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        # The listing is old and says little, so nothing is refused beforehand.
        with pytest.raises(DiskFull):
            store.download(Object("digits", "in/a", 1), tmp_path / "a")
        assert not list(tmp_path.iterdir())
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_cancelled_download_leaves_no_half_file(store: Objects, tmp_path: Path) -> None:
    store.create_bucket("digits")
    store.put("s3://digits/in/a", bytes(3_000_000))
    plan = channels.plan(channel("s3://digits/in"), store.list("s3://digits/in"))
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        channels.download([plan], store, tmp_path, cancelled=cancelled)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_channel_called_like_anothers_manifest_is_refused(store: Objects, tmp_path: Path) -> None:
    plans = [channels.plan(channel("s3://b/x", name), []) for name in ("a", "a-manifest")]
    with pytest.raises(ChannelError, match="the name of the manifest"):
        channels.download(plans, store, tmp_path)
