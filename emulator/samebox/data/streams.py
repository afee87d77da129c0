"""Channels in Pipe mode: what each epoch sends, as it comes out of S3 and in memory only (contract §1.5).

An epoch sends all samples, one after the other. They are listed once, before the job starts; objects are read anew in
each epoch.
"""

from __future__ import annotations

import contextlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samebox.data import augmented_manifests, channels, recordio
from samebox.data.channels import ChannelError, ChannelLayout
from samebox.data.manifests import BadManifest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from samebox.data.augmented_manifests import Sample
    from samebox.data.objects import Object, Objects

_GZIP = 31  # wbits of zlib: a gzip header and the largest window
_INFLATED = 1 << 20  # at once: a small object may be a large one


@dataclass(frozen=True)
class SampleStream:
    """A channel: its samples, and how they are sent. A sample is an object, or the attributes of a manifest's line.

    `seed`: they are shuffled for each epoch.
    """

    name: str
    samples: tuple[Sample, ...]
    record_io: bool = False
    gzip: bool = False
    seed: int | None = None
    sharded: bool = False
    layout: ChannelLayout = channels.DEFAULT_LAYOUT


def find(channel: Mapping[str, Any], objects: Objects, layout: ChannelLayout = channels.DEFAULT_LAYOUT) -> SampleStream:
    """Look up what an InputDataConfig element in Pipe mode names. Raises what channels.find does."""
    return SampleStream(
        name=channel["ChannelName"],
        samples=_samples(channel, objects),
        record_io=channel.get("RecordWrapperType", "None") == "RecordIO",
        gzip=channel.get("CompressionType", "None") == "Gzip",
        seed=channels.seed(channel),
        sharded=channels.is_sharded(channel),
        layout=layout,
    )


def epoch(stream: SampleStream, objects: Objects, host: int, hosts: int, number: int) -> Generator[bytes]:
    """What one of several hosts is sent in an epoch; hosts and epochs are counted from 0.

    Shuffled before it is dealt out, so that a host gets others in each epoch (SM:ShuffleConfig). Raises S3Error;
    ChannelError for an object that is not a gzip, or too large for a record.
    """
    wanted = channels.shuffled(stream.samples, stream.seed, number)
    for sample in channels.dealt(wanted, host, hosts, stream.layout) if stream.sharded else wanted:
        for part in sample:
            if isinstance(part, bytes):
                yield recordio.frame(part) if stream.record_io else part
            else:
                yield from _object(part, stream, objects)


def _samples(channel: Mapping[str, Any], objects: Objects) -> tuple[Sample, ...]:
    source = channel["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "AugmentedManifestFile":
        found, _ = channels.listed(channel, objects)
        # An empty object whose key ends with "/" marks a folder, and is not data; that is our choice.
        return tuple((one,) for one in found if one.size or not one.key.endswith("/"))
    uri = source["S3Uri"]
    try:
        return augmented_manifests.read(uri, objects.get(uri), source["AttributeNames"], objects)
    except (BadManifest, ValueError) as error:
        raise ChannelError(f"Channel {channel['ChannelName']}: {error}") from None


def _object(one: Object, stream: SampleStream, objects: Objects) -> Generator[bytes]:
    with contextlib.closing(objects.read(one.uri)) as read:
        content = _gunzip(one.uri, read) if stream.gzip else read
        if stream.record_io:
            yield _record(one.uri, content)
        else:
            yield from content


def _record(uri: str, content: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in content:
        body += chunk
        if len(body) > recordio.LARGEST:
            raise ChannelError(f"{uri} is too large for a record, which may have {recordio.LARGEST} bytes.")
    return recordio.frame(bytes(body))


def _gunzip(uri: str, content: Iterable[bytes]) -> Generator[bytes]:
    """What a gzip of one or several members holds."""
    inflating = zlib.decompressobj(_GZIP)
    is_empty = True
    try:
        for chunk in content:
            is_empty, rest = False, chunk
            while rest:
                if inflating.eof:
                    inflating = zlib.decompressobj(_GZIP)
                yield inflating.decompress(rest, _INFLATED)
                rest = inflating.unused_data if inflating.eof else inflating.unconsumed_tail
        yield inflating.flush()
    except zlib.error as error:
        raise ChannelError(f"{uri} is not a gzip: {error}") from None
    if not inflating.eof and not is_empty:
        raise ChannelError(f"{uri} is not a gzip: it breaks off.")
