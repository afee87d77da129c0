"""Operations on a storage, each in a process of its own that kills itself at a step of it.

A program: it reads lines of JSON (folder, operation, step, times), runs the operation in a fork of itself, and answers
with the signal that the fork ended by, or 0. A fork costs a millisecond, a new interpreter half a second.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from samebox.s3.records import Completion, NamedPart, Source
from samebox.s3.store import S3Store
from tests.s3.harness import ACCOUNT, MIB, REGION, put, send

OLD = b"old" * 30_000
NEW = b"new" * 40_000
SMALL = b"small"
FIRST, LAST = b"\1" * (5 * MIB), b"\2" * 90_000


def prepare(store: S3Store) -> None:
    """What is there before each operation: an object in a file, a small one, and an upload with two parts."""
    store.buckets.create("bucket", ACCOUNT, REGION)
    put(store, "large", OLD)
    put(store, "small", SMALL)
    put(store, "other", OLD)
    upload = store.uploads.create("bucket", "joined").upload_id
    send(store, upload, "joined", 1, FIRST)
    send(store, upload, "joined", 2, LAST)
    send(store, upload, "joined", 3, OLD)


def _complete(store: S3Store) -> None:
    (upload,) = store.lists.uploads("bucket").items
    parts = store.uploads.parts("bucket", "joined", upload.upload_id).items[:2]
    named = tuple(NamedPart(one.number, one.etag) for one in parts)  # type: ignore[union-attr]
    store.uploads.complete("bucket", "joined", upload.upload_id, Completion(named))


def _open_upload(store: S3Store) -> str:
    (upload,) = store.lists.uploads("bucket").items
    return upload.upload_id


def _send(store: S3Store) -> None:
    # Of an upload of its own, whose first part makes the file in which all are gathered.
    upload = store.uploads.create("bucket", "gathered").upload_id
    send(store, upload, "gathered", 2, FIRST)
    send(store, upload, "gathered", 1, FIRST)
    store.uploads.abort("bucket", "gathered", upload)


def _resend(store: S3Store) -> None:
    send(store, _open_upload(store), "joined", 2, NEW)


def _abort(store: S3Store) -> None:
    store.uploads.abort("bucket", "joined", _open_upload(store))


def _take_over(store: S3Store) -> None:
    store.migration.take_over(store.folder.parent / "s3", ACCOUNT, REGION)


OPERATIONS: dict[str, Callable[[S3Store], object]] = {
    "put": lambda store: put(store, "new", NEW),
    "put small": lambda store: put(store, "new", SMALL),
    "replace": lambda store: put(store, "large", NEW),
    "replace small": lambda store: put(store, "small", NEW),
    "copy": lambda store: store.copies.copy(Source("bucket", "large"), "bucket", "new"),
    "copy over": lambda store: store.copies.copy(Source("bucket", "small"), "bucket", "large"),
    "rename": lambda store: store.copies.rename("bucket", "large", "new"),
    "delete": lambda store: store.objects.delete("bucket", "large"),
    "send a part": _send,
    "send one more part": lambda store: send(store, _open_upload(store), "joined", 4, FIRST),
    "resend a part": _resend,
    "complete": _complete,
    "abort": _abort,
    "take over": _take_over,
}


def run(folder: Path, operation: str, step: str, times: int) -> None:
    """Carry out an operation, and die at the given step when it comes for the given time."""
    seen: Counter[str] = Counter()

    def die(name: str) -> None:
        seen[name] += 1
        if name == step and seen[name] == times:
            os.kill(os.getpid(), signal.SIGKILL)

    store = S3Store(folder, step=die)
    OPERATIONS[operation](store)
    store.close()


def main() -> None:
    for line in sys.stdin:
        folder, operation, step, times = json.loads(line)
        child = os.fork()
        if not child:
            run(Path(folder), operation, step, times)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
