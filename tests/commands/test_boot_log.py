"""The log of a container that is being started, as `samebox parity --recorded` shows it."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from samebox.commands.boot_log import BootLog
from samebox.commands.display import Screen
from samebox.containers.engine import ContainerSpec
from samebox.containers.fake import FakeEngine

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process, Program

LABELS = {"samebox.test": "boot log"}
LONG = 3600.0


class RecordedScreen(io.StringIO):
    """What is written, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()

    def write(self, text: str) -> int:
        with self._news:
            self._news.notify_all()
            return super().write(text)

    def until(self, text: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: text in self.getvalue(), 60), self.getvalue()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    made = FakeEngine(tmp_path)
    yield made
    made.close()


def screen(seen: RecordedScreen) -> Screen:
    return Screen(Console(file=seen, width=200), moves=False)


def says(*lines: str) -> "dict[str, Program]":
    def serve(process: "Process") -> int:
        for line in lines:
            process.print(line)
        process.wait_for_stop()
        return 0

    return {"serve": serve}


def run(engine: FakeEngine, *lines: str) -> str:
    engine.add_image("serve:1", says(*lines))
    return engine.run(ContainerSpec("serve:1", command=("serve",), labels=LABELS))


def test_a_complaint_is_shown_at_once_with_what_stood_before_it(engine: FakeEngine) -> None:
    seen = RecordedScreen()
    with BootLog(engine, LABELS, screen(seen), LONG):
        run(engine, "starting", "RuntimeError: the weights are truncated")
        seen.until("RuntimeError: the weights are truncated")
    assert [line.strip() for line in seen.getvalue().splitlines()] == [
        "starting",
        "RuntimeError: the weights are truncated",
    ]


def test_a_start_that_takes_long_is_shown_without_a_complaint(engine: FakeEngine) -> None:
    seen = RecordedScreen()
    with BootLog(engine, LABELS, screen(seen), 0.01):
        run(engine, "loading 40 GB")
        seen.until("loading 40 GB")
    assert [line.strip() for line in seen.getvalue().splitlines()] == ["loading 40 GB"]


def test_a_start_in_good_order_is_not_worth_a_line(engine: FakeEngine) -> None:
    seen = RecordedScreen()
    with BootLog(engine, LABELS, screen(seen), LONG):
        container = run(engine, "starting", "ready")
        engine.remove(container)  # ends its log
    assert seen.getvalue() == ""


def test_it_ends_with_a_container_that_goes_on(engine: FakeEngine) -> None:
    seen = RecordedScreen()
    with BootLog(engine, LABELS, screen(seen), 0.01):
        run(engine, "for ever")
        seen.until("for ever")
    assert not [one for one in threading.enumerate() if one.name == "log of a start"]
