"""The options of `samebox parity`, validated before anything is started."""

import argparse
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from samebox.commands.outcome import UNUSABLE, Stop
from samebox.parity import predict
from samebox.parity.outputs import Tolerance
from samebox.parity.predict import Input


@dataclass(frozen=True)
class ParityOptions:
    """The command line's arguments, validated."""

    images: tuple[str, str]
    inputs: tuple[Input, ...] = ()
    model: Path | None = None
    command: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    seconds: float = 600.0
    endpoint: bool = True
    emulator: bool = False  # the one that runs, and not one of its own
    data_dir: Path | None = None


def validated(given: argparse.Namespace) -> ParityOptions:
    """Raises Stop, before anything is started."""
    if len(given.images) != 2:
        raise Stop("give two images: samebox parity TRAIN_IMAGE SERVE_IMAGE.", status=UNUSABLE)
    for path in (given.model, *given.data):
        if path is not None and not path.exists():
            raise Stop(f"there is no {path}.", status=UNUSABLE)
    if given.model is not None and not tarfile.is_tarfile(given.model):
        raise Stop(f"--model {given.model} is not a tar archive.", status=UNUSABLE)
    if (given.model or given.run_command) and not given.data:
        raise Stop("--data FILE is needed, as input of the predictions", status=UNUSABLE)
    for name in ("rtol", "atol", "timeout"):
        if not getattr(given, name) >= 0:  # nan is neither
            raise Stop(f"--{name} must not be below 0.", status=UNUSABLE)
    for pair in given.env:
        if not pair.partition("=")[0] or "=" not in pair:
            raise Stop(f"--env {pair}: expected NAME=VALUE.", status=UNUSABLE)
    if given.emulator and not given.endpoint:
        raise Stop("--emulator and --no-endpoint exclude each other.", status=UNUSABLE)
    return ParityOptions(
        (given.images[0], given.images[1]),
        tuple(Input(path, _type_of(path, given.content_type), given.accept) for path in given.data),
        given.model,
        given.run_command or "",
        tuple((name, value) for name, _, value in (pair.partition("=") for pair in given.env)),
        Tolerance(given.rtol, given.atol),
        given.timeout,
        given.endpoint,
        given.emulator,
        given.data_dir,
    )


def _type_of(path: Path, content_type: str) -> str:
    if path.is_dir():
        raise Stop(f"--data {path} is a folder; give the files in it, one by one.", status=UNUSABLE)
    if not path.stat().st_size:
        raise Stop(f"--data {path} is empty: there is nothing to predict from.", status=UNUSABLE)
    found = content_type or predict.TYPES.get(path.suffix.lower())
    if found is None:
        raise Stop(f"the content type of {path} is unknown: give --content-type.", status=UNUSABLE)
    return found
