"""Work that is done once an hour: it outlives an error of one look, and ends when it is closed."""

import threading

import pytest

from samebox.services import hourly
from samebox.services.hourly import HourlyWork


class Fails(HourlyWork):
    def __init__(self) -> None:
        super().__init__("fails")
        self.looks = 0
        self.looked_twice = threading.Event()

    def look(self) -> int:
        self.looks += 1
        if self.looks > 1:
            self.looked_twice.set()
            return 0
        raise ZeroDivisionError


def test_it_outlives_an_error_of_one_look(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(hourly, "_PAUSE_SECONDS", 0.01)
    work = Fails()
    work.start()
    assert work.looked_twice.wait(60)
    work.close()
    assert work.is_ended
    assert not any(one.name == "fails" for one in threading.enumerate())
    assert "fails: this look has failed" in caplog.text
