"""InputDataConfig of CreateTrainingJob: what its channels may not be, before the job exists.

AWS's words for these are not known; the rules are the model's own text (SM:Channel, SM:S3DataSource).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from samebox.errors import ValidationException


def check(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for names that exclude each other, and for what a channel's input mode excludes."""
    channels = params.get("InputDataConfig", [])
    default = params["AlgorithmSpecification"].get("TrainingInputMode", "File")
    modes = {channel["ChannelName"]: channel.get("InputMode") or default for channel in channels}
    _check_names(channels, [name for name, mode in modes.items() if mode == "Pipe"])
    for channel in channels:
        source = channel["DataSource"].get("S3DataSource")
        if not source:
            raise ValidationException(f'Channel "{channel["ChannelName"]}" has no data source.')
        _check_attributes(channel["ChannelName"], source)
        if modes[channel["ChannelName"]] != "Pipe":
            _check_files(channel, source)


def _check_files(channel: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    given = {name: channel.get(name, "None") for name in ("CompressionType", "RecordWrapperType")}
    given = {name: value for name, value in given.items() if value != "None"}
    if source["S3DataType"] == "AugmentedManifestFile":
        given["S3DataType"] = source["S3DataType"]
    for name, value in given.items():
        raise ValidationException(
            f'Channel "{channel["ChannelName"]}": {name} {value} is supported in Pipe input mode only.'
        )


def _check_attributes(name: str, source: Mapping[str, Any]) -> None:
    is_augmented, attributes = source["S3DataType"] == "AugmentedManifestFile", source.get("AttributeNames")
    if is_augmented and not attributes:
        raise ValidationException(f'Channel "{name}": S3DataType AugmentedManifestFile needs AttributeNames.')
    if attributes and not is_augmented:
        raise ValidationException(f'Channel "{name}": AttributeNames need S3DataType AugmentedManifestFile.')


def _check_names(channels: Sequence[Mapping[str, Any]], pipes: Sequence[str]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        # Choice: AWS's words are not known.
        raise ValidationException(f"Channel names must be unique; given more than once: {', '.join(twice)}.")
    for place, name in enumerate(names, 1):
        # A channel is a directory of its name, and a file of its name with "-manifest" beside it (contract.md §1.5).
        # The model's pattern allows "..", which would be another directory; what AWS answers is not known.
        if name in (".", ".."):
            raise _bad_channel_name(place, name, "Member must name a directory")
        if name.removesuffix("-manifest") in names and name.endswith("-manifest"):
            other = name.removesuffix("-manifest")
            raise _bad_channel_name(place, name, f"Member must not be the name of the manifest of channel '{other}'")
        pipe, _, number = name.rpartition("_")
        if pipe in pipes and number.isdecimal():
            raise _bad_channel_name(place, name, f"Member must not be the name of a pipe of channel '{pipe}'")


def _bad_channel_name(place: int, name: str, rule: str) -> ValidationException:
    path = f"inputDataConfig.{place}.member.channelName"
    return ValidationException(
        f"1 validation error detected: Value '{name}' at '{path}' failed to satisfy constraint: {rule}"
    )
