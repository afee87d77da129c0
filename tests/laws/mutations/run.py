"""Applies each recorded mutation in a copy of the repository, and runs the test that must fail."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.laws.invariants import ROOT
from tests.laws.mutations import Mutation, recorded

SECONDS = 300.0  # of one test; a mutation may make it wait for what never comes
# Exit statuses of pytest. Others mean that no test was run.
PASSED, FAILED = 0, 1


@dataclass(frozen=True)
class MutationResult:
    """`verdict`: "red", as it must be, or what is wrong.

    "green": the test passes with the mutation; "no end": time was up; "broken": pytest ran no test; "red before": what
    fails with the mutation fails without it, too.
    """

    mutation: Mutation
    verdict: str
    seconds: float


def copy(root: Path, to: Path) -> None:
    """What git knows of the working tree, and what it does not ignore, with the virtual environment of the original."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        if (root / name).is_file():  # and not deleted in the working tree
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, to / name, follow_symlinks=False)
    (to / ".venv").symlink_to(root / ".venv")


def pytest(tree: Path, test: str, seconds: float, *options: str) -> int | None:
    """The exit status, None when time was up. What a test leaves running in `tree` is ended."""
    temporary = tree / ".mutation-tmp"
    temporary.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "emulator"),
        # A cache is compared with its file by time and size alone, and mutations follow one another within seconds.
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(temporary),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not docker", *options, test]
    command += ["-o", f"cache_dir={tree / '.mutation-cache'}"]
    process = subprocess.Popen(
        command, cwd=tree, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _end_strays(temporary)
        shutil.rmtree(temporary, ignore_errors=True)


def _end_strays(folder: Path) -> None:
    """End processes that work in a folder: a mutation may well keep a test from ending what it started."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").resolve(strict=True).is_relative_to(folder):
                os.kill(int(entry.name), signal.SIGKILL)


def try_out(tree: Path, mutation: Mutation, seconds: float = SECONDS) -> MutationResult:
    """Mutate one file of `tree`, run the test, and put the file back."""
    path = tree / mutation.file
    text = path.read_text()
    began = time.monotonic()
    path.write_text(mutation.applied(text))
    try:
        status = pytest(tree, mutation.test, seconds)
    finally:
        path.write_text(text)
    verdict = {FAILED: "red", PASSED: "green", None: "no end"}.get(status, "broken")
    if verdict == "red" and pytest(tree, mutation.test, seconds, "--last-failed") != PASSED:
        verdict = "red before"
    return MutationResult(mutation, verdict, time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when each test fails with its mutation, and passes without it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    parser = argparse.ArgumentParser(prog="scripts/mutations", description=__doc__)
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="only mutations that have one in invariant, file or test"
    )
    given = parser.parse_args(arguments)
    chosen = [
        one
        for one in recorded()
        if not given.words or any(word in f"{one.invariant} {one.file} {one.test}" for word in given.words)
    ]
    if not chosen:
        parser.error("no mutation has such a word")
    with tempfile.TemporaryDirectory(prefix="samebox-mutations-") as folder:
        tree = Path(folder).resolve()
        copy(ROOT, tree)
        results = []
        for mutation in chosen:
            results.append(try_out(tree, mutation))
            print(row(results[-1]), flush=True)
    bad = [one for one in results if one.verdict != "red"]
    print(f"{len(results) - len(bad)} of {len(results)} mutations are noticed")
    return 1 if bad else 0


def row(result: MutationResult) -> str:
    """A line of the table."""
    mutation = result.mutation
    first = f"{result.verdict:10}{result.seconds:6.1f} s  {mutation.invariant:32.32}  {mutation.file}"
    return f"{first}\n{'':21}{mutation.test}"


if __name__ == "__main__":
    sys.exit(main())
