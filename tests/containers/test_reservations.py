from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import ARN_LABEL, Capacity, ContainerSpec
from samebox.containers.fake import FakeEngine
from samebox.containers.reservations import Reservation, Reservations, of_running

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process

GIB = 1 << 30
HOST = Capacity(cpus=8, memory_bytes=16 * GIB, gpus=2)


def reservations(*hosts: Capacity, running: dict[str, Reservation] | None = None) -> Reservations:
    return Reservations(lambda: hosts or (HOST,), lambda: running or {})


def never() -> None:
    raise AssertionError("woken in vain")


def test_two_jobs_get_different_gpus_and_a_third_waits_for_one() -> None:
    woken: list[str] = []
    held = reservations()
    assert held.reserve("a", GIB, 1, never) == Reservation(GIB, ("0",))
    assert held.reserve("b", GIB, 1, never) == Reservation(GIB, ("1",))
    assert held.reserve("c", GIB, 1, lambda: woken.append("c")) is None
    held.release("a")
    assert woken == ["c"]
    assert held.reserve("c", GIB, 1, never) == Reservation(GIB, ("0",))


def test_memory_is_given_once() -> None:
    held = reservations()
    assert held.reserve("a", 10 * GIB, 0, never)
    assert held.reserve("b", 7 * GIB, 0, never) is None
    assert held.reserve("a", 10 * GIB, 0, never) == Reservation(10 * GIB)


def test_a_job_that_wants_more_than_the_host_has_gets_all_of_it_alone() -> None:
    held = reservations()
    assert held.reserve("large", 64 * GIB, 0, never) == Reservation(16 * GIB)
    assert held.reserve("small", 1, 0, never) is None


def test_what_is_kept_goes_to_who_needs_it_and_no_more_than_that() -> None:
    lost: list[str] = []
    held = reservations()
    for key, memory in (("a", 6 * GIB), ("b", 6 * GIB), ("c", GIB)):
        assert held.reserve(key, memory, 0, never)
        assert held.keep(key, lambda key=key: lost.append(key))  # type: ignore[misc]
    assert held.reserve("fits", GIB, 0, never)
    assert lost == []
    assert held.reserve("large", 8 * GIB, 0, never)
    assert lost == ["a"]
    assert not held.keep("a", never), "it has nothing any more"
    assert held.reserve("too large", 16 * GIB, 0, lambda: None) is None
    assert lost == ["a"], "it would not help"


def test_what_is_kept_is_handed_over() -> None:
    held = reservations()
    assert held.reserve("a", 12 * GIB, 1, never)
    assert held.keep("a", never)
    held.hand_over("a", "b")
    held.hand_over("nothing", "c")
    held.release("a")
    assert held.reserve("b", 12 * GIB, 1, never) == Reservation(12 * GIB, ("0",))
    assert held.reserve("c", 12 * GIB, 0, lambda: None) is None


def test_the_longest_waiting_goes_first() -> None:
    held = reservations()
    held.reserve("a", 10 * GIB, 0, never)
    assert held.reserve("large", 16 * GIB, 0, lambda: None) is None
    assert held.reserve("small", GIB, 0, lambda: None) is None
    held.release("a")
    assert held.reserve("small", GIB, 0, lambda: None) is None
    assert held.reserve("large", 16 * GIB, 0, lambda: None)
    held.release("large")
    assert held.reserve("small", GIB, 0, never)


def test_who_gives_up_waiting_is_waited_for_no_longer() -> None:
    woken: list[str] = []
    held = reservations()
    held.reserve("a", 10 * GIB, 0, never)
    assert held.reserve("large", 16 * GIB, 0, lambda: None) is None
    assert held.reserve("small", GIB, 0, lambda: woken.append("small")) is None
    held.release("large")
    assert woken == ["small"]
    assert held.reserve("small", GIB, 0, never)


def test_a_job_goes_to_the_first_host_with_room() -> None:
    held = reservations(HOST, HOST)
    assert held.reserve("a", 16 * GIB, 2, never) == Reservation(16 * GIB, ("0", "1"), host=0)
    assert held.reserve("b", 16 * GIB, 1, never) == Reservation(16 * GIB, ("0",), host=1)
    assert held.reserve("c", 1, 0, lambda: None) is None


@pytest.mark.parametrize("status", ["running", "ended"])
def test_what_runs_has_its_reservation_after_a_restart(tmp_path: Path, status: str) -> None:
    def program(process: Process) -> None:
        if status == "running":
            process.wait_for_stop()

    engine = FakeEngine(tmp_path, HOST)
    engine.add_image("job", {"train": program})
    mine = Reservation(9 * GIB, ("1",))
    labels = {"samebox": "x", ARN_LABEL: "arn:1", **mine.label}
    container = engine.run(ContainerSpec(image="job", command=("train",), labels=labels))
    if status == "ended":
        assert engine.wait(container, 30)
    held = Reservations(lambda: [engine.capacity()], lambda: of_running(engine, {"samebox": "x"}))
    expected = None if status == "running" else Reservation(8 * GIB)
    assert held.reserve("arn:2", 8 * GIB, 0, lambda: None) == expected
    assert held.reserve("arn:3", GIB, 1, lambda: None) == Reservation(GIB, ("0",))
    engine.remove(container)
