"""The secret of a data directory: made once, readable by its owner alone."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

_BYTES = 32


def read(path: Path) -> bytes:
    """The secret at `path`, made if it is not there. Whole or not at all, even if another process makes it at the same
    time.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


def identity(secret: bytes) -> str:
    """A short public name of the data directory, for labels; it reveals nothing of the secret."""
    return hashlib.sha256(b"identity " + secret).hexdigest()[:12]
