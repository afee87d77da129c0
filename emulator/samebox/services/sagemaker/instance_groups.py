"""Instances and InstanceGroups of CreateTrainingJob, and channels of groups: what is refused before the job exists."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import ValidationException


def check(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for groups that exclude each other, and for channels of groups that are not there.

    The first two texts are AWS's (contract.md §1.10); it is not known how it words the rest.
    """
    resources = params.get("ResourceConfig", {})
    names = [group.get("InstanceGroupName") for group in resources.get("InstanceGroups", ())]
    if names and ("InstanceType" in resources or "InstanceCount" in resources):
        raise ValidationException("InstanceType or InstanceCount cannot be specified with InstanceGroups")
    groups = {channel["ChannelName"]: _groups_of(channel) for channel in params.get("InputDataConfig", ())}
    assigned = [name for name, of_channel in groups.items() if of_channel]
    others = [name for name, of_channel in groups.items() if not of_channel]
    if assigned and others:
        raise ValidationException(
            f"Some channels have assigned instance groups: [{', '.join(assigned)}] while others not: "
            f"[{', '.join(others)}]"
        )
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ValidationException(f"Instance group names must be unique; given more than once: {', '.join(twice)}.")
    for channel, of_channel in groups.items():
        unknown = [name for name in of_channel if name not in names]
        if unknown:
            raise ValidationException(
                f'Channel "{channel}" is assigned to instance groups that are not in ResourceConfig.InstanceGroups: '
                f"[{', '.join(unknown)}]"
            )


def check_counts(params: Mapping[str, Any]) -> None:
    """Raise ValidationException for no instance; the model allows 0, and the words are those for its minima."""
    resources = params.get("ResourceConfig", {})
    groups = enumerate(resources.get("InstanceGroups", ()), 1)
    for at, given in (("", resources), *((f".instanceGroups.{number}.member", group) for number, group in groups)):
        if given.get("InstanceCount") == 0:
            raise ValidationException(
                f"1 validation error detected: Value '0' at 'resourceConfig{at}.instanceCount' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            )


def _groups_of(channel: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(channel["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames", ()))
