"""The logbook: lines in order, whole, and found again from any place."""

import threading
from pathlib import Path

import pytest

from emulator.resources.logbook import Event, Logbook


def book(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path / "logs")


def messages(book: Logbook, group: str = "/g", stream: str = "s/1", after: int = 0) -> list[str]:
    return [event.message for _, event in book.read(group, stream, after)]


def test_events_come_back_as_they_were_written(tmp_path: Path) -> None:
    events = [Event(1, "plain"), Event(2, 'ü "quoted" \\ \r \t', "cursor"), Event(3, "")]
    book(tmp_path).append("/g", "s/1", events)
    assert [event for _, event in book(tmp_path).read("/g", "s/1")] == events
    assert book(tmp_path).last("/g", "s/1") == events[-1]


def test_a_reader_goes_on_from_where_it_was(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.append("/g", "s/1", [Event(1, "a"), Event(2, "b")])
    (_, _), (place, _) = logs.read("/g", "s/1")
    logs.append("/g", "s/1", [Event(3, "c")])
    assert messages(logs, after=place) == ["c"]


def test_half_a_line_costs_one_line_and_no_more(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.append("/g", "s/1", [Event(1, "a")])
    (path,) = (one for one in (tmp_path / "logs").rglob("*") if one.is_file() and one.name != ".group")
    with path.open("ab") as file:
        file.write(b'[2,"half')
    assert messages(logs) == ["a"]
    assert logs.last("/g", "s/1") == Event(1, "a")
    logs.append("/g", "s/1", [Event(3, "c")])
    assert messages(logs) == ["a", "c"]


@pytest.mark.parametrize("size", [1, 100, 70_000])
def test_backwards_is_forwards_backwards(tmp_path: Path, size: int) -> None:
    logs = book(tmp_path)
    logs.append("/g", "s/1", [Event(number, str(number) * size) for number in range(12)])
    ends = [end for end, _ in logs.read("/g", "s/1")]
    backwards = list(logs.backwards("/g", "s/1", logs.size("/g", "s/1")))
    assert [event.timestamp for _, _, event in backwards] == list(range(11, -1, -1))
    assert [end for _, end, _ in backwards] == ends[::-1]
    assert [start for start, _, _ in backwards] == [0, *ends[:-1]][::-1]
    assert [event.timestamp for _, _, event in logs.backwards("/g", "s/1", ends[2])] == [2, 1, 0]


def test_writers_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    logs = book(tmp_path)

    def write(worker: int) -> None:
        for number in range(50):
            logs.append("/g", "s/1", [Event(number, f"{worker}" * 200)])

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(messages(logs)) == sorted(str(worker) * 200 for worker in range(4) for _ in range(50))


def test_groups_and_streams_are_known_by_their_names(tmp_path: Path) -> None:
    logs = book(tmp_path)
    for stream in ("b", "../../a", "..", "c/d"):
        logs.create("/aws/../x", stream)
    assert logs.groups() == ["/aws/../x"]
    assert logs.names("/aws/../x") == sorted(["b", "../../a", "..", "c/d"])
    assert {path.parent.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "logs"}


def test_accounts_and_regions_see_nothing_of_each_other(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.of("1", "here").append("/g", "s/1", [Event(1, "mine")])
    assert logs.of("1", "there").groups() == logs.of("2", "here").groups() == []
    assert messages(logs.of("1", "here")) == ["mine"]


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.create("/g", "s/1")
    logs.create("/g", "s/2")
    logs.delete_stream("/g", "s/1")
    assert logs.names("/g") == ["s/2"]
    logs.delete_group("/g")
    assert (logs.groups(), logs.last("/g", "s/2")) == ([], None)


def test_what_is_made_twice_is_refused(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.create_group("/g")
    logs.create_stream("/g", "s")
    with pytest.raises(FileExistsError):
        logs.create_group("/g")
    with pytest.raises(FileExistsError):
        logs.create_stream("/g", "s")


def test_a_stream_tells_its_times_and_size(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.append("/g", "s/1", [Event(10, "a"), Event(20, "b")])
    (stream,) = logs.streams("/g")
    assert (stream.name, stream.first_event, stream.last_event) == ("s/1", 10, 20)
    assert stream.bytes == logs.size("/g", "s/1") > 0
