"""The options of `samebox train`: channels, variables and output, validated before anything is started."""

from pathlib import Path

from samebox.check.hosts import folders_in
from samebox.check.training.job import SINGLE_CHANNEL
from samebox.commands import (
    writable,
)
from samebox.commands.outcome import Stop
from samebox.data import channels

CODE_CHANNEL = "code"


PROGRAM_VARIABLES = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY")


def data_channels(given: list[str]) -> dict[str, Path]:
    """NAME=PATH pairs, and paths. Raises Stop when there is no such path, or two would be one channel.

    A path without a name is, as for `samebox check --data`, a folder of channels, or itself the channel `training`.
    """
    found: dict[str, Path] = {}
    for word in given:
        name, equals, path = word.partition("=")
        named = bool(equals) and "/" not in name
        place = Path(path if named else word).expanduser().resolve()
        if not place.exists():
            wanted = "" if named else "; expected PATH or NAME=PATH"
            raise Stop(f"--data {word}: no file or folder {path if named else word}{wanted}.", status=2)
        fresh = {name: place} if named else _channels_of(place)
        for channel in fresh:
            if channel == CODE_CHANNEL or channel in found:
                raise Stop(f"--data {word}: there is a channel {channel} already.", status=2)
        found |= fresh
    try:
        channels.check_names([CODE_CHANNEL, *found])
    except channels.ChannelError as error:
        raise Stop(f"--data: {error}", status=2) from None
    return found


def variables(given: list[str]) -> dict[str, str]:
    """NAME=VALUE pairs. Raises Stop when one is none, or is a variable that this command sets."""
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Stop(f"--env {pair}: expected NAME=VALUE.", status=2)
        if name in PROGRAM_VARIABLES:
            raise Stop(f"--env {name}: this variable selects the script; give it as SCRIPT.", status=2)
        found[name] = value
    return found


def check_output(output: Path, script: Path) -> None:
    """Raises Stop when no model could be left there: before the training, and not after it."""
    place = output.resolve()
    if script.is_relative_to(place) or Path.cwd().is_relative_to(place):
        raise Stop(f"--output {output}: the model would replace this folder; give another.", status=2)
    reason = writable.why_no_folder(place.parent)
    if reason is not None:
        raise Stop(f"--output {output}: the model cannot be written there: {reason}", status=2)


def _channels_of(place: Path) -> dict[str, Path]:
    return folders_in(place, SINGLE_CHANNEL) if place.is_dir() else {SINGLE_CHANNEL: place}
