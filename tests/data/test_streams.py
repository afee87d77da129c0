"""Channels in Pipe mode: what an epoch sends, and in which order."""

import gzip
import json
from typing import Any

import pytest

from samebox.data import recordio, streams
from samebox.data.channels import ChannelError
from samebox.data.objects import NoSuchKey, Objects
from samebox.data.recordio import frame

FOLDER = "s3://streams/in/"


@pytest.fixture
def objects(store: Objects) -> Objects:
    store.create_bucket("streams")
    return store


def channel(uri: str = FOLDER, type_: str = "S3Prefix", source: dict[str, Any] | None = None, **more: Any) -> Any:
    where = {"S3DataType": type_, "S3Uri": uri, **(source or {})}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": where}, **more}


def put(objects: Objects, **bodies: bytes) -> None:
    for name, body in bodies.items():
        objects.put(f"{FOLDER}{name}", body)


def sent(objects: Objects, given: Any, number: int = 0, host: int = 0, hosts: int = 1) -> bytes:
    return b"".join(streams.epoch(streams.find(given, objects), objects, host, hosts, number))


def test_objects_follow_each_other_in_the_order_of_their_keys(objects: Objects) -> None:
    put(objects, b=b"2,", a=b"1,", c=b"3,")
    objects.put(f"{FOLDER}folder/", b"")

    assert sent(objects, channel()) == b"1,2,3,"


def test_a_manifest_has_an_order_of_its_own(objects: Objects) -> None:
    put(objects, a=b"1,", b=b"2,", c=b"3,")
    objects.put("s3://streams/m", json.dumps([{"prefix": FOLDER}, "c", "a"]).encode())

    assert sent(objects, channel("s3://streams/m", "ManifestFile")) == b"3,1,"


def test_an_object_that_a_manifest_names_twice_is_sent_twice(objects: Objects) -> None:
    put(objects, a=b"1,", b=b"2,")
    objects.put("s3://streams/m", json.dumps([{"prefix": "s3://streams"}, "/in/a", "/in/b", "/in/a"]).encode())

    assert sent(objects, channel("s3://streams/m", "ManifestFile")) == b"1,2,1,"


def test_each_object_becomes_a_record(objects: Objects) -> None:
    put(objects, a=b"12345", b=b"")

    assert sent(objects, channel(RecordWrapperType="RecordIO")) == frame(b"12345") + frame(b"")


def test_an_object_that_is_too_large_for_a_record_is_named(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    put(objects, a=b"12345")
    monkeypatch.setattr(recordio, "LARGEST", 4)

    with pytest.raises(ChannelError, match="s3://streams/in/a is too large for a record"):
        sent(objects, channel(RecordWrapperType="RecordIO"))


def test_gzip_is_taken_off_each_object_of_one_or_several_members(objects: Objects) -> None:
    large = b"0" * (3 << 20)
    put(objects, a=gzip.compress(b"one,") + gzip.compress(b"two,"), b=b"", c=gzip.compress(large))

    assert sent(objects, channel(CompressionType="Gzip")) == b"one,two," + large
    wrapped = sent(objects, channel(CompressionType="Gzip", RecordWrapperType="RecordIO"))
    assert wrapped == frame(b"one,two,") + frame(b"") + frame(large)


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"12345", mtime=0)[:-3]], ids=["plain", "cut"])
def test_an_object_that_is_no_gzip_is_named(objects: Objects, body: bytes) -> None:
    put(objects, a=body)

    with pytest.raises(ChannelError, match="s3://streams/in/a is not a gzip"):
        sent(objects, channel(CompressionType="Gzip"))


def test_a_seed_gives_each_epoch_an_order_and_the_same_one_again(objects: Objects) -> None:
    put(objects, **{f"{number:02}": b"%02d," % number for number in range(20)})
    shuffled = channel(ShuffleConfig={"Seed": 7})

    epochs = [sent(objects, shuffled, number) for number in range(3)]

    assert len(set(epochs)) == 3
    assert {bytes(sorted(one)) for one in epochs} == {bytes(sorted(sent(objects, channel())))}
    assert [sent(objects, shuffled, number) for number in range(3)] == epochs
    assert sent(objects, channel(ShuffleConfig={"Seed": 8})) != epochs[0]


def test_hosts_share_a_sharded_channel_in_each_epoch_anew(objects: Objects) -> None:
    put(objects, **{f"{number:02}": b"%02d," % number for number in range(20)})
    given = channel(source={"S3DataDistributionType": "ShardedByS3Key"}, ShuffleConfig={"Seed": 7})

    epochs = [[sent(objects, given, number, host, 2).split(b",")[:-1] for host in (0, 1)] for number in (0, 1)]

    for first, second in epochs:
        assert (len(first), len(second), len({*first, *second})) == (10, 10, 20)
    assert set(epochs[0][0]) != set(epochs[1][0])


def augmented(*names: str, **more: Any) -> Any:
    return channel("s3://streams/lines", "AugmentedManifestFile", {"AttributeNames": list(names)}, **more)


def test_the_attributes_of_each_line_are_sent_in_the_order_asked_for(objects: Objects) -> None:
    put(objects, a=b"image a", b=b"image b")
    lines = [
        {"label": 3, "image-ref": f"{FOLDER}a", "left-out": 1, "box": {"x": [1, 2]}},
        {"image-ref": f"{FOLDER}b", "label": "ü", "box": None},
    ]
    objects.put("s3://streams/lines", "\n".join(map(json.dumps, lines)).encode() + b"\n\n")

    records = [b"image a", b"3", b'{"x": [1, 2]}', b"image b", "ü".encode(), b"null"]
    given = augmented("image-ref", "label", "box", RecordWrapperType="RecordIO")
    assert sent(objects, given) == b"".join(map(frame, records))
    assert sent(objects, augmented("label", "image-ref")) == "3image aüimage b".encode()


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (b'{"label": 1}\n{label: 2}\n', "s3://streams/lines, line 2 is not JSON: Expecting property name"),
        (b"\xff\xfe\xff\n", "line 1 is not JSON"),
        (b'{"label": 1}\n[1]\n', "line 2 is not a JSON object"),
        (b'{"other": 1}\n', "line 1 has no attribute 'label'"),
        (b"\n", "s3://streams/lines has no lines"),
    ],
)
def test_a_line_that_is_no_sample_is_named(objects: Objects, lines: bytes, reason: str) -> None:
    objects.put("s3://streams/lines", lines)

    with pytest.raises(ChannelError, match="Channel train: ") as caught:
        streams.find(augmented("label"), objects)
    assert reason in str(caught.value)


@pytest.mark.parametrize("value", ["3", '"image.png"', '"https://example.com/image"'])
def test_a_reference_is_an_address_of_s3(objects: Objects, value: str) -> None:
    objects.put("s3://streams/lines", b'{"image-ref": %s}' % value.encode())

    with pytest.raises(ChannelError, match="line 1: the attribute 'image-ref' is not an S3 address"):
        streams.find(augmented("image-ref"), objects)


def test_a_manifest_that_names_a_missing_object_is_refused(objects: Objects) -> None:
    objects.put("s3://streams/lines", json.dumps({"image-ref": f"{FOLDER}gone"}).encode())

    with pytest.raises(NoSuchKey, match="s3://streams/in/gone"):
        streams.find(augmented("image-ref"), objects)
