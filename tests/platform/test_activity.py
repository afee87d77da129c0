"""What of a container is alive, and since when it does nothing."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import ContainerSpec
from samebox.containers.fake import FakeEngine
from samebox.platform.activity import Idle, IdleWatch, LiveProcess, processes, seen

if TYPE_CHECKING:
    from pathlib import Path

ID = "f" * 64
TICKS = os.sysconf("SC_CLK_TCK")


def make(
    proc: Path, pid: int, inside: int, command: str, threads: int = 1, state: str = "S", container: str = ID
) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cgroup").write_text(f"0::/docker/{container}\n")
    (folder / "status").write_text(f"Name:\ttrain\nPid:\t{pid}\nNSpid:\t{pid}\t{inside}\nThreads:\t{threads}\n")
    times = " ".join(str(TICKS) for _ in range(4))
    (folder / "stat").write_text(f"{pid} (a (b) c) {state} 0 0 0 0 -1 0 0 0 0 0 {times} 20 0\n")
    (folder / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
    (folder / "wchan").write_text("hrtimer_nanosleep")


def test_the_processes_of_a_container_are_seen_with_their_threads(tmp_path: Path) -> None:
    make(tmp_path, 900, 7, "sleep 100")
    make(tmp_path, 800, 1, "python3 /usr/local/bin/train", threads=2, state="D")
    make(tmp_path, 700, 1, "other", container="e" * 64)
    make(tmp_path, 950, 9, "ended", state="Z")
    (tmp_path / "self").mkdir()

    assert processes(ID, tmp_path) == (
        LiveProcess(1, "python3 /usr/local/bin/train", 2, 4.0, True, "sleeps"),
        LiveProcess(7, "sleep 100", 1, 4.0, False, "sleeps"),
    )


def test_of_an_engine_elsewhere_nothing_is_seen(tmp_path: Path) -> None:
    assert processes(ID, tmp_path) == ()
    assert processes(ID, tmp_path / "proc") == ()  # another system than Linux


def test_where_there_is_no_proc_of_its_processes_the_engine_is_asked(tmp_path: Path) -> None:
    engine = FakeEngine(tmp_path)
    engine.add_image("mine:1", {"train": lambda process: process.wait_until_killed()})
    container = engine.run(ContainerSpec("mine:1", command=("train",)))

    assert seen(engine, container) == (LiveProcess(1, "train", threads=0),)
    assert "thread" in Idle(10, seen(engine, container)).why
    assert str(Idle(10, seen(engine, container))) == "train (process 1)"
    engine.remove(container)


TRAIN = LiveProcess(1, "python3 train", 2)
SLEEP = LiveProcess(7, "sleep 100", waits="sleeps")


@pytest.mark.parametrize(
    ("alive", "words", "why"),
    [
        ((TRAIN,), "python3 train (process 1, 2 threads)", "daemon"),
        ((TRAIN, SLEEP), "python3 train (process 1, 2 threads), sleep 100 (process 7, sleeps)", "Processes"),
        ((SLEEP,), "sleep 100 (process 7, sleeps)", "time limit"),
        ((TRAIN,) * 6, ", ".join(["python3 train (process 1, 2 threads)"] * 4) + " and 2 more", "Processes"),
    ],
)
def test_live_processes_are_reported_with_why_they_hold_the_job(
    alive: tuple[LiveProcess, ...], words: str, why: str
) -> None:
    assert str(Idle(10, alive)) == words
    assert why in Idle(10, alive).why


class BusyContainer:
    """A container whose one process has used so much of the CPU, and a clock."""

    def __init__(self) -> None:
        self.now, self.cpu, self.said, self.at_disk = 1000.0, 5.0, 0.0, False
        self.is_seen = True
        self.watch = IdleWatch(self.look, lambda: self.said, lambda: self.now)

    def look(self) -> tuple[LiveProcess, ...]:
        one = dataclasses.replace(TRAIN, cpu_seconds=self.cpu, is_at_disk=self.at_disk)
        return (one,) if self.is_seen else ()

    def after(self, seconds: float, cpu: float = 0.0) -> Idle | None:
        """A look each second; what the last one says."""
        found = None
        for _ in range(int(seconds)):
            self.now += 1
            self.cpu += cpu
            found = self.watch.after(10)
        return found


def test_a_job_that_computes_nothing_is_idle_after_some_time() -> None:
    world = BusyContainer()

    assert world.after(10) is None
    idle = world.after(1, cpu=0.0)

    assert idle is not None
    assert idle.seconds == 10


def test_a_thread_that_looks_at_a_clock_computes_nothing() -> None:
    assert BusyContainer().after(15, cpu=0.002) is not None


def test_a_job_that_computes_a_little_is_not_idle() -> None:
    assert BusyContainer().after(60, cpu=0.05) is None


def test_a_job_that_waits_for_its_disk_is_not_idle() -> None:
    world = BusyContainer()
    world.at_disk = True

    assert world.after(60) is None


def test_a_job_that_goes_on_logging_is_not_idle() -> None:
    world = BusyContainer()
    world.after(9)
    world.said = world.now

    assert world.after(9) is None
    assert world.after(1) is not None


def test_a_job_that_cannot_be_seen_is_never_idle() -> None:
    world = BusyContainer()
    world.is_seen = False

    assert world.after(600) is None
