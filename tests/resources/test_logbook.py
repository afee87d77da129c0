"""The logbook: lines in order, whole, and found again from any place."""

import threading
from pathlib import Path

import pytest

from samebox.resources.logbook import Event, Logbook


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


def test_a_stream_has_its_times_and_size(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.append("/g", "s/1", [Event(10, "a"), Event(20, "b")])
    (stream,) = logs.streams("/g")
    assert (stream.name, stream.first_event, stream.last_event) == ("s/1", 10, 20)
    assert stream.bytes == logs.size("/g", "s/1") > 0


def test_a_stream_is_described_anew_once_it_has_changed(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.create("/g", "s")
    assert logs.stream("/g", "s").first_event is None
    logs.append("/g", "s", [Event(10, "a")])
    assert (logs.stream("/g", "s").first_event, logs.stream("/g", "s").last_event) == (10, 10)
    logs.append("/g", "s", [Event(20, "b")])
    assert logs.stream("/g", "s").last_event == 20
    logs.delete_stream("/g", "s")
    logs.append("/g", "s", [Event(30, "c")])
    assert logs.stream("/g", "s").first_event == 30


def test_a_stream_that_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = book(tmp_path)
    logs.append("/g", "s", [Event(10, "a")])
    described = logs.streams("/g")

    def broken(*_: object) -> None:
        raise AssertionError("a stream was opened")

    monkeypatch.setattr(Path, "open", broken)
    assert logs.streams("/g") == described
    assert logs.stored_bytes("/g") == described[0].bytes


def test_streams_are_found_by_how_their_names_start(tmp_path: Path) -> None:
    logs = book(tmp_path)
    for name in ("job/a", "job/b", "job-2/a", "j.b/a"):
        logs.create("/g", name)
    assert logs.names("/g", "job/") == ["job/a", "job/b"]
    assert [stream.name for stream in logs.streams("/g", "j.")] == ["j.b/a"]


def test_a_groups_attributes_are_kept_beside_the_time_it_was_made(tmp_path: Path) -> None:
    logs = book(tmp_path)
    logs.create_group("/g", {"kmsKeyId": "key"})
    logs.create("/h", "s")
    made = logs.created("/g")
    assert (logs.attributes("/g"), logs.attributes("/h")) == ({"kmsKeyId": "key"}, {})
    logs.set_attributes("/g", {"tags": {"a": "b"}})
    assert (logs.attributes("/g"), logs.created("/g"), logs.names("/g")) == ({"tags": {"a": "b"}}, made, [])


@pytest.mark.parametrize("letter", ["x", "/", ".", "\u00fc", "\U0001f600", "\n"])
def test_a_name_may_have_as_many_characters_as_aws_allows(tmp_path: Path, letter: str) -> None:
    logs, group, stream = book(tmp_path), f"/g{letter * 510}", f"s{letter * 511}"
    other = f"{stream[:-1]}\n!"
    logs.create_group(group, {"tags": {"a": "b"}})
    logs.create_stream(group, stream)
    logs.append(group, stream, [Event(1, "a")])
    logs.append(group, other, [Event(2, "b")])
    assert logs.groups() == [group]
    assert logs.attributes(group) == {"tags": {"a": "b"}}
    assert logs.names(group) == sorted((stream, other))
    assert logs.names(group, prefix=other) == [other]
    assert {one.name for one in logs.streams(group, prefix=f"s{letter * 300}")} == {stream, other}
    assert messages(logs, group, stream) == ["a"]
    logs.delete_stream(group, stream)
    assert (logs.names(group), logs.has_stream(group, stream)) == ([other], False)
    logs.delete_group(group)
    assert logs.groups() == []
    logs.append(group, stream, [Event(3, "c")])
    assert (logs.groups(), logs.names(group)) == ([group], [stream])
