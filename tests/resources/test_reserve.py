"""What is set aside for a full disk: one write more succeeds, and it is set aside again when there is room."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pytest

from samebox.resources.logbook import Event, Logbook
from samebox.resources.reserve import TOGETHER_SECONDS, Reserve
from samebox.resources.store import Store
from tests.resources.test_store import row

MIB = 1 << 20


class StoppedClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Usage(NamedTuple):
    free: int


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def reserve(tmp_path: Path, clock: StoppedClock) -> Reserve:
    reserve = Reserve(tmp_path / "reserve", MIB, clock)
    reserve.renew()
    return reserve


def test_it_takes_room_on_the_disk_and_gives_it_back_once(reserve: Reserve, tmp_path: Path) -> None:
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= MIB
    assert reserve.spend()
    assert not (tmp_path / "reserve").exists()


def test_two_writes_that_find_the_disk_full_at_once_are_both_tried_again(reserve: Reserve, clock: StoppedClock) -> None:
    assert reserve.spend()
    assert reserve.spend()
    clock.now += TOGETHER_SECONDS
    assert not reserve.spend()


def test_it_is_set_aside_again_when_there_is_room(
    reserve: Reserve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "reserve"
    reserve.spend()
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: Usage(3 * MIB))
        reserve.renew()
    assert not file.exists(), "there is little room"
    reserve.renew()
    assert file.stat().st_size == MIB


def test_what_an_earlier_process_has_set_aside_is_used(reserve: Reserve, tmp_path: Path, clock: StoppedClock) -> None:
    del reserve
    assert Reserve(tmp_path / "reserve", MIB, clock).spend()


def test_without_a_folder_nothing_is_set_aside_and_a_full_disk_is_an_error() -> None:
    reserve = Reserve()
    reserve.renew()
    assert not reserve.spend()


class FullDisk:
    """A connection whose transactions fail as long as a file takes the room that they need."""

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection = connection
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> object:
        return self._connection.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file.exists():
            self._connection.rollback()
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise full
        self._connection.__exit__(kind, error, trace)


def test_a_row_is_written_on_a_full_disk_and_its_listeners_hear_of_it_once(
    reserve: Reserve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0))
    heard = []
    with closing(Store(tmp_path / "state.sqlite", reserve)) as store:
        store.subscribe(lambda one: heard.append(one.status))
        connection = store._connection

        @contextmanager
        def full() -> Iterator[Any]:
            with connection() as found:
                yield FullDisk(found, tmp_path / "reserve")

        monkeypatch.setattr(store, "_connection", full)
        written = store.insert(row())
        assert not (tmp_path / "reserve").exists()
        store.update(written, modified=2.0, status="Failed")
        assert heard == ["InProgress", "Failed"]
        found = store.by_arn("arn:one")
        assert found is not None
        assert found.status == "Failed"


def test_a_log_goes_on_on_a_full_disk_without_a_line_twice(
    reserve: Reserve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Logbook(tmp_path / "logs", reserve=reserve)
    book.append("group", "stream", [Event(1, "before")])
    append = book._append

    def half(path: Path, lines: bytes) -> None:
        if (tmp_path / "reserve").exists():
            append(path, lines[: len(lines) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(path, lines)

    monkeypatch.setattr(book, "_append", half)
    book.append("group", "stream", [Event(2, "one"), Event(3, "two")])
    assert [event.message for _, event in book.read("group", "stream")] == ["before", "one", "two"]
