"""What a container holds at most, read from the kernel's files as they are laid out by both versions of its groups."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import ContainerSpec
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import Process
from samebox.platform.memory import Watch, accounts, counted, in_words

if TYPE_CHECKING:
    from pathlib import Path

CONTAINER = "0a1b2c"
LIMIT_SECONDS = 60.0  # a limit and no measurement
FIRST = "cache 900\nrss 10\nshmem 7\ntotal_cache 900\ntotal_rss 120\ntotal_shmem 3\n"
SECOND = "anon 100\nfile 900\nshmem 5\n"


def lay_out(folder: Path, line: str, inside: str, text: str) -> Path:
    process = folder / "proc" / "7"
    process.mkdir(parents=True)
    (process / "cgroup").write_text(f"3:cpu:/docker/{CONTAINER}\n{line}\n")
    (folder / "proc" / "self").mkdir()
    file = folder / "groups" / inside / "memory.stat"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("line", "inside", "text", "held"),
    [
        (f"9:memory:/docker/{CONTAINER}", f"memory/docker/{CONTAINER}", FIRST, 123),
        (f"0::/system.slice/docker-{CONTAINER}.scope", f"system.slice/docker-{CONTAINER}.scope", SECOND, 105),
    ],
    ids=["version 1", "version 2"],
)
def test_the_page_cache_is_not_counted(tmp_path: Path, line: str, inside: str, text: str, held: int) -> None:
    file = lay_out(tmp_path, line, inside, text)

    assert accounts(CONTAINER, tmp_path / "proc", tmp_path / "groups") == file
    watch = Watch(FakeEngine(tmp_path / "engine"), [CONTAINER], tmp_path / "proc", tmp_path / "groups")
    watch.close()
    assert watch.peak(CONTAINER) == held


def test_what_runs_elsewhere_is_asked_of_the_engine(tmp_path: Path) -> None:
    engine, processes = FakeEngine(tmp_path), list[Process]()

    def program(process: Process) -> int:
        process.hold(300)
        processes.append(process)
        process.print("held")
        process.wait_for_stop()
        return 0

    engine.add_image("box:1", {"work": program})
    container = engine.run(ContainerSpec("box:1", command=("work",)))
    with contextlib.closing(engine.logs(container, follow=True)) as lines:
        next(lines)
    watch = Watch(engine, [container], tmp_path / "proc", tmp_path)
    try:
        assert watch.peak(container) == 300
        processes[0].hold(500)
        until = time.monotonic() + LIMIT_SECONDS
        while watch.peak(container) != 500:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        engine.remove(container)
        watch.close()
    assert watch.peak(container) == 500


def test_a_container_that_cannot_be_seen_has_no_peak(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()

    assert Watch(FakeEngine(tmp_path / "engine"), [CONTAINER], tmp_path / "proc", tmp_path).peak(CONTAINER) is None


def test_another_system_than_linux_gives_no_answers(tmp_path: Path) -> None:
    assert accounts("f" * 64, tmp_path / "proc") is None


def test_an_empty_memory_account_has_no_reading() -> None:
    assert counted("") == 0


@pytest.mark.parametrize(("size", "words"), [(96 << 20, "96 MiB"), (4 << 30, "4.0 GiB"), (0, "0 MiB")])
def test_sizes_are_written_as_docker_limits_are(size: int, words: str) -> None:
    assert in_words(size) == words
