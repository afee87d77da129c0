"""What pip fetched in one job, for the next: pip's cache goes from a job's container into the next one's, as a tar.

Nothing of it is mounted, and nothing here unpacks or reads it: the engine packs it inside the one container and unpacks
it inside the other. So jobs that run at once do not meet in it (the last that ends is kept), its files are never root's
in a folder of ours, and a container that fills it with anything reaches no more than containers of the same image and
account, which might as well have been handed other scripts. Whatever is larger than its limit is dropped.
"""

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from samebox.containers.engine import ContainerApi, ContainerMissing, EngineError, EngineUnavailable, PathMissing

log = logging.getLogger(__name__)

# Under /tmp, where users without a home may write, too. pip uses no folder that is another user's.
PLACE = PurePosixPath("/tmp/samebox-pip-cache")  # noqa: S108  (in a container that is the job's own)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Cache:
    """Of one image and account: a tar, which need not be there. `limit` is for it and its neighbours together."""

    path: Path
    limit: int


def folder(data_dir: Path) -> Path:
    """Where all caches are."""
    return data_dir / "packages"


def of(data_dir: Path, account: str, image: str, limit: int) -> Cache | None:
    """The cache of an image, by its digest or id; None where none is kept."""
    if limit <= 0:
        return None
    key = hashlib.sha256(f"{account} {image}".encode()).hexdigest()[:32]
    return Cache(folder(data_dir) / f"{key}.tar", limit)


def variables(cache: Cache | None) -> dict[str, str]:
    """With these pip keeps a cache, even in an image that disables it: an empty variable counts as unset."""
    return {"PIP_CACHE_DIR": str(PLACE), "PIP_NO_CACHE_DIR": ""} if cache else {}


def fill(cache: Cache, engine: ContainerApi, container: str) -> None:
    """Bring it into a container that was made and not started. Without it, a job is slower and no worse."""
    try:
        with cache.path.open("rb") as tar:
            engine.put(container, str(PLACE.parent), tar)
    except (FileNotFoundError, PathMissing):
        return  # nothing yet; or an image without /tmp
    except EngineUnavailable:
        raise
    except (EngineError, OSError) as error:
        log.warning("the cached packages %s are dropped: %s", cache.path.name, error)
        cache.path.unlink(missing_ok=True)


def keep(cache: Cache, engine: ContainerApi, container: str, is_cancelled: Callable[[], bool]) -> None:
    """Take it out of a container that has ended. What cannot be had is not kept: it is not a part of the job's end."""
    partial = cache.path.with_name(f"{cache.path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        cache.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(engine.archive(container, str(PLACE))) as tar, partial.open("wb") as file:
            if _copied(tar, file, cache.limit, is_cancelled):
                partial.replace(cache.path)
            elif not is_cancelled():
                log.info("the packages of %s are over %d bytes: the cache is emptied", container, cache.limit)
                cache.path.unlink(missing_ok=True)
        _make_room(cache)
    except (PathMissing, ContainerMissing):
        return  # no pip, or nothing fetched; no container, or one that was removed before we were ended
    except (EngineError, OSError) as error:
        log.warning("packages of %s are not kept: %s", container, error)
    finally:
        partial.unlink(missing_ok=True)


def sweep(data_dir: Path) -> None:
    """Remove what an earlier life of ours left half-written."""
    for partial in folder(data_dir).glob("*.part"):
        if f".{os.getpid()}-" in partial.name:
            continue  # a job of this life has ended meanwhile
        partial.unlink(missing_ok=True)


def _copied(tar: BinaryIO, file: BinaryIO, limit: int, is_cancelled: Callable[[], bool]) -> bool:
    """False when there is more than the limit, or it is no longer wanted."""
    left = limit
    while chunk := tar.read(_CHUNK_BYTES):
        left -= len(chunk)
        if left < 0 or is_cancelled():
            return False
        file.write(chunk)
    return True


def _make_room(cache: Cache) -> None:
    """Drop the oldest until all together are within the limit."""
    found = []
    for path in cache.path.parent.glob("*.tar"):
        with contextlib.suppress(FileNotFoundError):  # another job dropped it just now
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
    size = sum(one[1] for one in found)
    for _, bytes_of_it, path in sorted(found):
        if size <= cache.limit:
            return
        path.unlink(missing_ok=True)
        size -= bytes_of_it
