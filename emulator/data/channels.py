"""Channels: what CreateTrainingJob's InputDataConfig asks for, as a list of files, and the files on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from emulator.data.objects import Object, Objects


class ChannelError(Exception):
    """The channel's objects cannot be laid out as files; the message names the channel and the key."""


@dataclass(frozen=True)
class ChannelFile:
    """One object and where it goes, relative to the channel's directory."""

    object: Object
    path: str


@dataclass(frozen=True)
class ChannelPlan:
    """A File mode channel: its files and its manifest, nothing done yet."""

    name: str
    files: tuple[ChannelFile, ...]
    directories: tuple[str, ...]
    manifest: bytes

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.object.size for file in self.files)


def source_uri(channel: Mapping[str, Any]) -> str:
    """The S3Uri of one InputDataConfig element. ChannelError where there is none that we run."""
    raise NotImplementedError


def plan(channel: Mapping[str, Any], objects: Sequence[Object]) -> ChannelPlan:
    """Lay out what `Objects.list(source_uri(channel))` gave, by contract §1.5. Raises ChannelError."""
    raise NotImplementedError


def download(
    plans: Sequence[ChannelPlan],
    objects: Objects,
    data_directory: Path,
    volume_bytes: int | None = None,
    cancelled: Event | None = None,
    streams: int = 8,
) -> None:
    """Make `<data_directory>/<channel>/…` and `<channel>-manifest` for every plan.

    `volume_bytes` is what all of them together may take (VolumeSizeInGB). What an earlier, interrupted call left
    complete is kept; what it left half is fetched again. Raises OutOfSpace, NoSuchKey, Unreachable, Cancelled.
    """
    raise NotImplementedError
