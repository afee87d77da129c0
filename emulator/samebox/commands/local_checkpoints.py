"""Checkpoints of `samebox train` in a folder of this machine: brought into S3 before the job, and back after it."""

from pathlib import Path
from typing import Self

from rich.console import Console

from samebox.commands import aws
from samebox.commands.folder import Folder, Pack
from samebox.commands.outcome import Stop


class LocalCheckpoints:
    """A folder, and its place in S3, where the job's checkpoints are kept while it runs."""

    def __init__(self, folder: Path, uri: str, remote: Folder) -> None:
        self._folder = folder
        self._uri = uri
        self._remote = remote
        self._sent = Pack(())

    @classmethod
    def of(cls, session: aws.Session, bucket: str, folder: Path | None) -> Self | None:
        """None without a folder."""
        if folder is None:
            return None
        uri = f"s3://{bucket}/checkpoints/{Pack.name_of(folder)}/"
        return cls(folder, uri, Folder(session.client("s3"), uri))

    def upload(self) -> str:
        """Bring what is in the folder into S3, and what is not there out of it; gives the place in S3."""
        self._sent = Pack.of_data(self._folder, allow_empty=True)
        self._remote.upload(self._sent)
        return self._uri

    def download(self, notes: Console) -> None:
        """Bring the checkpoints of the job that has ended into the folder. Raises Stop."""
        try:
            count = self._remote.download(self._folder, self._sent)
        except OSError as error:
            why = error.strerror or str(error)
            raise Stop(f"no checkpoint can be written to {self._folder}: {why}. They are at {self._uri}") from None
        files = f"{count} checkpoint file{'' if count == 1 else 's'}"
        notes.print(f"{files} in {self._folder}", highlight=False, markup=False)
