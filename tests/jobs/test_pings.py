"""What of the pings of a start is written into the container's log."""

import json

import pytest

from samebox.jobs.pings import BODY_CHARACTERS, MOST_ANSWERS, SILENT_SECONDS, PingReporter, text_of
from samebox.platform.readiness import Ping


class ManualClock:
    """Shows what it is set to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def bad(body: bytes, status: int = 503) -> Ping:
    return Ping("status", f"GET /ping answered {status}, not 200", body)


REFUSED = Ping("no answer", "GET /ping was not answered: [Errno 111] Connection refused")


def test_each_response_is_reported_once_and_at_once() -> None:
    told: list[str] = []
    news = PingReporter(told.append)
    loading, failed = bad(b'{"error": "the model is being loaded"}'), bad(b'{"error": "RuntimeError: x"}')
    for ping in (loading, loading, failed, loading, failed):
        news.hear(ping)
    assert told == [
        "GET /ping answered 503, not 200: the model is being loaded",
        "GET /ping answered 503, not 200: RuntimeError: x",
    ]


def test_a_server_that_does_not_listen_yet_is_no_news_until_it_takes_long() -> None:
    told: list[str] = []
    clock = ManualClock()
    news = PingReporter(told.append, clock)
    news.hear(REFUSED)
    clock.now += SILENT_SECONDS / 2
    news.hear(REFUSED)
    assert told == []
    news.hear(bad(b""))
    clock.now += SILENT_SECONDS
    news.hear(REFUSED)  # the silence begins anew
    assert len(told) == 1
    clock.now += SILENT_SECONDS
    news.hear(REFUSED)
    news.hear(REFUSED)
    assert told[1:] == ["GET /ping was not answered: [Errno 111] Connection refused; it is asked on"]


def test_a_ready_server_is_reported_by_the_endpoint_and_not_by_its_pings() -> None:
    told: list[str] = []
    PingReporter(told.append).hear(Ping("ready", "200", b"fine"))
    assert told == []


def test_a_body_that_is_never_the_same_does_not_fill_the_log() -> None:
    told: list[str] = []
    news = PingReporter(told.append)
    for second in range(1000):
        news.hear(bad(f"up for {second} s".encode()))
    assert len(told) == MOST_ANSWERS + 1
    assert told[-1] == f"/ping has answered in {MOST_ANSWERS} different ways; further ones are not written here"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"not yet\n", "not yet"),
        (b'{"error": "OSError: weights.bin is truncated"}', "OSError: weights.bin is truncated"),
        (b'{"status": 3}', '{"status": 3}'),
        (b'{"error": {"code": 3}}', '{"error": {"code": 3}}'),
        (b"<html>\n  <h1>502 Bad\tGateway</h1>", "<html> <h1>502 Bad Gateway</h1>"),
        (b"\x1b[2J\x07cleared\xff", "[2J cleared�"),
        (json.dumps({"error": "x\n" * 900}).encode(), ("x " * 900)[: BODY_CHARACTERS - 1] + "…"),
    ],
)
def test_a_body_is_one_line_that_steers_no_terminal(body: bytes, words: str) -> None:
    assert text_of(body) == words
