"""Model archives: unpacked as an endpoint unpacks them, and downloaded from S3."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from samebox.check.checks import CannotCheck
from samebox.commands import aws
from samebox.commands.outcome import Stop, interrupted
from samebox.data import artifacts
from samebox.data.artifacts import ArtifactError

READ_BYTES = 1024 * 1024


def unpack(archive: Path, folder: Path) -> None:
    """A model, as an endpoint does. Raises CannotCheck."""
    try:
        with archive.open("rb") as file:
            artifacts.unpack(iter(lambda: file.read(1 << 20), b""), folder)
    except ArtifactError as error:
        raise CannotCheck(f"the model cannot be unpacked: {error}") from None


def fetch(session: aws.Session, uri: str, output: Path) -> bool:
    """Unpack a model archive; what stood at the place before is kept as <output>.previous. False when there is none."""
    container, _, key = uri.removeprefix("s3://").partition("/")
    s3 = session.client("s3")
    try:
        body = s3.get_object(Bucket=container, Key=key)["Body"]
    except s3.exceptions.NoSuchKey:
        return False
    output = output.resolve()
    try:
        with closing(body), interrupted(f"the model is at {uri}"):
            _replace(body.iter_chunks(READ_BYTES), output, uri)
    except OSError as error:
        raise Stop(f"the model cannot be written to {output}: {error.strerror or error}. It is at {uri}") from None
    return True


def _replace(archive: Iterator[bytes], output: Path, uri: str) -> None:
    fresh = output.with_name(f"{output.name}.fetched")
    try:
        artifacts.unpack(archive, fresh)
    except ArtifactError as error:
        raise Stop(f"{uri}: {error}") from None
    previous = output.with_name(f"{output.name}.previous")
    if output.exists():
        _remove(previous)
        output.rename(previous)
    fresh.rename(output)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
