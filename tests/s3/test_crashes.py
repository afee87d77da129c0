"""kill -9 at each step of each write: afterwards an object is whole, the old one, or not there, and no file is left."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from samebox.errors import AwsError
from samebox.s3.offline import Archive
from samebox.s3.store import S3Store
from tests.s3.conftest import faults
from tests.s3.crash_child import FIRST, LAST, NEW, OLD, OPERATIONS, SMALL, prepare
from tests.s3.harness import get

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("file created", "file adopted", "file synced", "row written", "row committed", "file placed", "row removed",
         "file removed")  # fmt: skip
Kill = Callable[[Path, str, str, int], int]

# Key -> what it may hold after a kill; None: it may be missing. What is not named must be as before.
AFTERWARDS: dict[str, dict[str, tuple[bytes | None, ...]]] = {
    "put": {"new": (None, NEW)},
    "put small": {"new": (None, SMALL)},
    "replace": {"large": (OLD, NEW)},
    "replace small": {"small": (SMALL, NEW)},
    "copy": {"new": (None, OLD)},
    "copy over": {"large": (OLD, SMALL)},
    "rename": {"large": (OLD, None), "new": (None, OLD)},
    "delete": {"large": (OLD, None)},
    "send a part": {},
    "send one more part": {},
    "resend a part": {},
    "complete": {"joined": (None, FIRST + LAST)},
    "abort": {},
    "take over": {},
}
BEFORE: dict[str, tuple[bytes | None, ...]] = {
    "large": (OLD,), "small": (SMALL,), "other": (OLD,), "new": (None,), "joined": (None,)
}  # fmt: skip


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Runs an operation in another process, which kills itself at a step; gives the signal it ended by."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.s3.crash_child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None

    def ask(folder: Path, operation: str, step: str, times: int) -> int:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps([str(folder), operation, step, times]) + "\n")
        child.stdin.flush()
        return int(child.stdout.readline())

    yield ask
    child.stdin.close()
    child.wait(30)
    child.stdout.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "objects"
    store = S3Store(folder)
    prepare(store)
    store.close()
    return folder


def test_what_a_killed_process_had_committed_is_read_while_nothing_runs(
    kill: Kill, prepared: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "objects"
    shutil.copytree(prepared, folder)
    assert kill(folder, "put", "row committed", 1) == signal.SIGKILL
    archive = Archive(folder)
    assert [one.key for one in archive.list("bucket")] == ["large", "new", "other", "small"]
    with archive.open("bucket", "new") as reading:  # its file is not in its place yet
        assert b"".join(reading.chunks()) == NEW
    archive.close()


def test_rounds_of_kills_at_random_steps_lose_nothing() -> None:
    rounds = [sys.executable, "-m", "tests.s3.crash_rounds", "--rounds", "25", "--seed", "3"]
    done = subprocess.run(rounds, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 5, done.stdout


def content(store: S3Store, key: str, bucket: str = "bucket") -> bytes | None:
    try:
        return get(store, key, bucket=bucket)
    except AwsError as error:
        if error.code != "NoSuchKey":
            raise
        return None


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one != "take over"])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_and_no_file(
    operation: str, kill: Kill, prepared: Path, tmp_path: Path
) -> None:
    kills = 0
    for step in STEPS:
        times = 1
        while True:
            folder = tmp_path / f"{kills}"
            shutil.copytree(prepared, folder)
            if kill(folder, operation, step, times) != signal.SIGKILL:
                break  # the operation has no such step, or not as many
            kills += 1
            times += 1
            store = S3Store(folder)
            assert faults(store) == [], f"killed at {step}"
            for key, possible in {**BEFORE, **AFTERWARDS[operation]}.items():
                assert content(store, key) in possible, f"{key}, killed at {step}"
            if operation == "rename":
                assert (content(store, "large") is None) != (content(store, "new") is None)
            OPERATIONS["put"](store)  # and it goes on
            assert content(store, "new") == NEW
            store.close()
        shutil.rmtree(folder)
    assert kills >= 2  # before the commit and after it


def test_a_kill_at_any_step_of_a_migration_loses_nothing(kill: Kill, prepared: Path, tmp_path: Path) -> None:
    kills = 0
    for step in STEPS:
        times = 1
        while True:
            folder = tmp_path / f"{kills}" / "objects"
            shutil.copytree(prepared, folder)
            old = folder.parent / "s3" / "elder"
            (old / "a").mkdir(parents=True)
            (old / "a" / "large").write_bytes(NEW)
            (old / "larger").write_bytes(NEW)
            (old / "small").write_bytes(SMALL)
            if kill(folder, "take over", step, times) != signal.SIGKILL:
                break
            kills += 1
            times += 1
            store = S3Store(folder)
            assert faults(store) == [], f"killed at {step}"
            OPERATIONS["take over"](store)
            found = {one.key: get(store, one.key, bucket="elder") for one in store.lists.objects("elder").items}
            assert found == {"a/large": NEW, "larger": NEW, "small": SMALL}, f"killed at {step}"
            assert not old.parent.exists()
            assert faults(store) == []
            store.close()
        shutil.rmtree(folder.parent)
    assert kills >= 6
