"""The options of `samebox parity --recorded` and its transcript, looked over before anything is started."""

import argparse
import math
from pathlib import Path

from samebox.check.findings import harmless
from samebox.commands.outcome import UNUSABLE, Stop
from samebox.parity.transcript import BadTranscript, Header, Reader


def image_of(given: argparse.Namespace) -> str:
    """The image. Raises Stop for what can be known to be wrong before anything is started."""
    if len(given.images) != 1:
        raise Stop("--recorded is replayed against one IMAGE: samebox parity --recorded FILE IMAGE.", status=UNUSABLE)
    others = {
        "--data": given.data,
        "--content-type": given.content_type,
        "--accept": given.accept,
        "--run": given.run_command,
        "--no-endpoint": not given.endpoint,
        "--emulator": given.emulator,
    }
    for name, is_given in others.items():
        if is_given:
            raise Stop(f"{name} does not apply to --recorded: the transcript has the requests.", status=UNUSABLE)
    if given.model is not None and not given.model.is_file():
        raise Stop(f"there is no {given.model}.", status=UNUSABLE)
    for name in ("rtol", "atol"):
        if not 0 <= getattr(given, name) < math.inf:
            raise Stop(f"--{name} {getattr(given, name)}: expected a number of 0 or more.", status=UNUSABLE)
    if not given.timeout > 0:
        raise Stop(f"--timeout {given.timeout:g}: expected a number above 0.", status=UNUSABLE)
    for pair in given.env:
        if not pair.partition("=")[0] or "=" not in pair:
            raise Stop(f"--env {pair}: expected NAME=VALUE.", status=UNUSABLE)
    return str(given.images[0])


def survey(path: Path) -> tuple[Header, int, set[str]]:
    """Read the whole transcript once: its header, the number of calls, and the variants that answered. Raises Stop."""
    try:
        with Reader(path) as reader:
            count, variants = 0, set()
            for call in reader:
                count += 1
                if call.response is not None and call.response.members.get("InvokedProductionVariant"):
                    variants.add(str(call.response.members["InvokedProductionVariant"]))
    except BadTranscript as error:
        raise Stop(harmless(str(error)), status=UNUSABLE) from None
    except OSError as error:
        raise Stop(f"--recorded {path}: {error.strerror}.", status=UNUSABLE) from None
    if not count:
        raise Stop(f"{path} contains no call.", status=UNUSABLE)
    return reader.header, count, variants
