"""Rounds of kill -9 while threads write to a storage: what was confirmed is there, what was not is there whole or not.

    scripts/s3-crash-rounds --rounds 1000 --seed 7

In each round a process opens the storage that the rounds before left, and some threads put, replace, copy, rename,
complete, abort and delete objects; at a random step of all these it kills itself. Then the storage is opened here.
Each object must hold what was confirmed last, or what the one operation under way would have made it hold; and there
must be no file without a row, no row without a file, and no body that is counted wrongly.
"""

import argparse
import ast
import hashlib
import os
import random
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from samebox.s3 import completion, gathering
from samebox.s3.conditions import WriteConditions
from samebox.s3.records import Completion, NamedPart, Source
from samebox.s3.store import S3Store
from tests.s3.conftest import faults
from tests.s3.harness import ACCOUNT, REGION, get, put, send

THREADS = 3
OPERATIONS = 8  # of each thread, at most
KEYS = 4  # of each thread; no other thread writes to them
SIZES = (0, 100, 5_000, 90_000, 200_000)
LATEST_STEP = 80
_KINDS = ("put", "put", "put", "copy", "rename", "delete", "complete", "gather", "abort")
PARTS = 3  # of an object whose parts are gathered in one file

# What keys hold: the seed that their bytes were made of, and their number; None: there is no such object.
Content = tuple[int, int] | None


@dataclass(frozen=True)
class Effect:
    """What one operation makes of keys; all of it or nothing."""

    contents: tuple[tuple[str, Content], ...] = ()


@dataclass
class StorageLosses:
    """What was not as it should be, in sentences."""

    sentences: list[str] = field(default_factory=list)


def data(content: Content) -> bytes:
    assert content is not None
    seed, size = content
    return random.Random(seed).randbytes(size)


def _operation(store: S3Store, chance: random.Random, own: list[str], contents: dict[str, Content]) -> Iterator[Effect]:
    # Yields what it will do, then does it when it is asked for more.
    kind = chance.choice(_KINDS)
    key = chance.choice(own)
    there = [one for one in own if contents.get(one) is not None]
    seed, size = chance.getrandbits(40), chance.choice(SIZES)
    new: Content = (seed, size)
    if kind == "put":
        yield Effect(((key, new),))
        put(store, key, data(new))
    elif kind == "copy" and there:
        source = chance.choice(there)
        yield Effect(((key, contents[source]),))
        store.copies.copy(Source("bucket", source), "bucket", key)
    elif kind == "rename" and there:
        source = chance.choice(there)
        yield Effect(((source, None), (key, contents[source])))
        store.copies.rename("bucket", source, key)
    elif kind == "delete":
        yield Effect(((key, None),))
        store.objects.delete("bucket", key)
    elif kind == "complete":
        yield Effect(((key, new),))
        upload = store.uploads.create("bucket", key).upload_id
        send(store, upload, key, 1, b"sent again")
        named = (NamedPart(1, send(store, upload, key, 1, data(new))),)
        store.uploads.complete("bucket", key, upload, Completion(named), conditions=WriteConditions())
    elif kind == "gather" and size:
        yield Effect(((key, new),))
        upload = store.uploads.create("bucket", key).upload_id
        store.uploads.complete("bucket", key, upload, Completion(_gathered(store, chance, upload, key, data(new))))
    else:
        yield Effect()
        upload = store.uploads.create("bucket", key).upload_id
        send(store, upload, key, 1, data(new))
        store.uploads.abort("bucket", key, upload)


def _gathered(store: S3Store, chance: random.Random, upload: str, key: str, body: bytes) -> tuple[NamedPart, ...]:
    # Parts in any order; at times one is sent again, whose bytes are then in another file.
    size = -(-len(body) // PARTS)
    parts = {number: body[(number - 1) * size : number * size] for number in range(1, PARTS + 1)}
    order = chance.sample(list(parts), PARTS)
    tags = {}
    for number in [*order, *chance.sample(order, chance.choice((0, 0, 1)))]:
        tags[number] = send(store, upload, key, number, parts[number])
    return tuple(NamedPart(number, tags[number]) for number in parts)


def _work(store: S3Store, seed: int, thread: int, contents: dict[str, Content], report: int) -> None:
    chance = random.Random(seed)
    own = [f"{thread}/{number}" for number in range(KEYS)]
    for _ in range(OPERATIONS):
        operation = _operation(store, chance, own, contents)
        effect = next(operation)
        os.write(report, f"{thread} {effect.contents!r}\n".encode())  # shorter than a pipe tears apart
        for _ in operation:
            raise AssertionError("an operation has one effect")
        contents.update(dict(effect.contents))
        os.write(report, f"{thread} done\n".encode())


def _child(folder: Path, seed: int, contents: dict[str, Content], report: int) -> None:
    chance = random.Random(seed)
    left = [chance.randrange(1, LATEST_STEP)]

    def die(_: str) -> None:
        left[0] -= 1  # between threads one may be missed: then it lives a step longer
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    store = S3Store(folder, step=die)
    threads = [
        threading.Thread(target=_work, args=(store, chance.getrandbits(40), number, dict(contents), report))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def _reports(read: int) -> tuple[dict[str, Content], list[Effect]]:
    # What was confirmed, and what was under way at the end.
    confirmed: dict[str, Content] = {}
    under_way: dict[str, Effect] = {}
    with os.fdopen(read) as lines:
        for line in lines:
            thread, _, text = line.rstrip("\n").partition(" ")
            if text == "done":
                confirmed.update(dict(under_way.pop(thread).contents))
            else:
                under_way[thread] = Effect(ast.literal_eval(text))
    return confirmed, list(under_way.values())


def _found(store: S3Store, losses: StorageLosses) -> dict[str, str]:
    # Key -> MD5 of what is read; also seen: that ETag and size in the listing are those of the bytes.
    found = {}
    for item in store.lists.objects("bucket").items:
        read = get(store, item.key)
        found[item.key] = hashlib.md5(read).hexdigest()
        whole = item.etag == found[item.key] or item.etag.endswith(("-1", f"-{PARTS}"))
        if not whole or item.size != len(read):
            losses.sentences.append(f"{item.key} is not whole: {len(read)} bytes of {item.size}")
    return found


def _held(content: Content) -> str | None:
    return None if content is None else hashlib.md5(data(content)).hexdigest()


def play(folder: Path, seed: int, contents: dict[str, Content], losses: StorageLosses) -> bool:
    """One round; `contents` becomes what is there afterwards. Gives whether the process was killed."""
    read, report = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _child(folder, seed, contents, report)
        os._exit(0)
    os.close(report)
    confirmed, under_way = _reports(read)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and status:
        losses.sentences.append(f"round {seed}: the process ended with status {status}")
    contents.update(confirmed)
    store = S3Store(folder)
    losses.sentences += [f"round {seed}: {one}" for one in faults(store)]
    found = _found(store, losses)
    for effect in under_way:
        happened = all(found.get(key) == _held(content) for key, content in effect.contents)
        if happened:
            contents.update(dict(effect.contents))
    for key in {*contents, *found}:
        if found.get(key) != _held(contents.get(key)):
            losses.sentences.append(f"round {seed}: {key} holds neither the old nor the new")
    for upload in store.lists.uploads("bucket").items:
        store.uploads.abort("bucket", upload.key, upload.upload_id)
    store.close()
    return killed


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/s3-crash-rounds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first round; the others count up from it")
    given = parser.parse_args()
    # Parts of a few bytes: those of five megabytes would take a day.
    gathering.LEAST_BYTES = completion.LEAST_PART_BYTES = 1
    losses, kills = StorageLosses(), 0
    contents: dict[str, Content] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = S3Store(Path(folder))
        store.buckets.create("bucket", ACCOUNT, REGION)
        store.close()
        for seed in range(given.seed, given.seed + given.rounds):
            kills += play(Path(folder), seed, contents, losses)
            if losses.sentences:
                break
    for sentence in losses.sentences:
        print(sentence)
    print(f"{kills} kills; {'nothing was lost' if not losses.sentences else 'not all is as it should be'}")
    return 1 if losses.sentences else 0


if __name__ == "__main__":
    sys.exit(main())
