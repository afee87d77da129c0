"""InputDataConfig of CreateTrainingJob: what its channels may not be, before the job exists.

AWS's words for these are not known; the rules are the model's own text (SM:Channel, SM:S3DataSource).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from samebox.errors import ValidationException
from samebox.services.context import Services
from samebox.settings import PREFIX, Settings
from samebox.wire.caller import Caller


def check(params: Mapping[str, Any], settings: Settings) -> None:
    """Raise ValidationException for names that exclude each other, and for what a channel's input mode excludes."""
    channels = params.get("InputDataConfig", [])
    default = params["AlgorithmSpecification"].get("TrainingInputMode", "File")
    modes = {channel["ChannelName"]: channel.get("InputMode") or default for channel in channels}
    _check_names(channels, [name for name, mode in modes.items() if mode == "Pipe"])
    for channel in channels:
        name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
        if channel["DataSource"].get("FileSystemDataSource"):
            _check_file_system(params, channel, modes[name], is_alone=not source)
            continue
        if not source:
            raise ValidationException(f'Channel "{name}" has no data source.')
        _check_attributes(name, source)
        if modes[name] != "Pipe":
            _check_files(channel, source, settings.ignore_pipe_members)
        if modes[name] == "FastFile" and source["S3DataType"] != "S3Prefix":
            raise ValidationException(
                f'Channel "{name}": S3DataType {source["S3DataType"]} is not supported in FastFile input mode.'
            )


def check_data(services: Services, params: Mapping[str, Any], caller: Caller) -> None:
    """Raise ValidationException for a channel whose data is not in S3, or that FastFile mode cannot show."""
    default = params["AlgorithmSpecification"].get("TrainingInputMode", "File")
    for channel in params.get("InputDataConfig", []):
        source = channel["DataSource"].get("S3DataSource")
        if not source:
            _check_known(services.settings, channel)
        else:
            _check_there(services, source, params["RoleArn"], caller)
            if (channel.get("InputMode") or default) == "FastFile":
                _check_folder(services, channel["ChannelName"], source["S3Uri"])


def _check_known(settings: Settings, channel: Mapping[str, Any]) -> None:
    source = channel["DataSource"]["FileSystemDataSource"]
    if source["FileSystemId"] not in settings.file_system_folders:
        raise ValidationException(
            f'Channel "{channel["ChannelName"]}": there is no file system {source["FileSystemId"]}. The emulator has '
            f"those that {PREFIX}FILE_SYSTEMS gives a folder, such as {source['FileSystemId']}=/data/shared."
        )


def _check_there(services: Services, source: Mapping[str, Any], role: str, caller: Caller) -> None:
    uri = source["S3Uri"]
    look = services.objects.exists_under if source["S3DataType"] == "S3Prefix" else services.objects.exists
    if look(uri):
        return
    bucket = uri.partition("://")[2].partition("/")[0]
    raise ValidationException(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({caller.region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def _check_folder(services: Services, name: str, uri: str) -> None:
    # "S3Uri prefixes must not correspond to a partial folder name" (contract.md §1.5); what AWS answers is not known.
    _, key = services.objects.place(uri) or ("", "")
    if not key or key.endswith("/") or services.settings.fast_file_partial_folders or services.objects.exists(uri):
        return
    raise ValidationException(
        f'Channel "{name}": in FastFile input mode the S3 URL "{uri}" must be that of an object or end with a slash, '
        "as a prefix must not correspond to a partial folder name."
    )


def _check_file_system(params: Mapping[str, Any], channel: Mapping[str, Any], mode: str, *, is_alone: bool) -> None:
    name = channel["ChannelName"]
    if not is_alone:
        raise ValidationException(f'Channel "{name}" has two data sources.')
    if mode != "File":
        raise ValidationException(f'Channel "{name}": a FileSystemDataSource is supported in File input mode only.')
    if "VpcConfig" not in params:
        raise ValidationException(f'Channel "{name}": a FileSystemDataSource needs VpcConfig.')
    for member in ("CompressionType", "RecordWrapperType"):
        if (value := channel.get(member, "None")) != "None":
            raise ValidationException(
                f'Channel "{name}": {member} {value} is not supported with a FileSystemDataSource.'
            )


def _check_files(channel: Mapping[str, Any], source: Mapping[str, Any], ignored: bool) -> None:
    names = () if ignored else ("CompressionType", "RecordWrapperType")
    of_pipe_mode = {name: value for name in names if (value := channel.get(name, "None")) != "None"}
    if source["S3DataType"] == "AugmentedManifestFile":
        of_pipe_mode["S3DataType"] = source["S3DataType"]
    for name, value in of_pipe_mode.items():
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
