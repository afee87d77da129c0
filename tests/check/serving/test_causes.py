"""Why a server is not ready is told apart by its answers, its log, and what its processes do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from samebox.check.serving import causes
from samebox.check.serving.causes import Cause, Signs
from samebox.check.serving.processes import Listener
from samebox.check.serving.wire import HttpResponse
from samebox.containers.engine import LogLine

SECOND = 1_000_000_000
PROXY = {"HTTP_PROXY": "http://me:secret@proxy.corp.example:3128"}
BAD_GATEWAY = HttpResponse(502, {"server": "nginx/1.22.1"}, b"<html>502 Bad Gateway</html>")
REFUSED = (
    "2026/01/02 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: "
    'x, upstream: "http://127.0.0.1:5000/ping", host: "x"'
)
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/srv/app.py", line 7, in ping',
    "    return model.name",
    "NameError: name 'model' is not defined",
)


def log(*lines: str, every: float = 0.0) -> tuple[LogLine, ...]:
    return tuple(LogLine(1 + int(number * every * SECOND), "stderr", text) for number, text in enumerate(lines))


def of(signs: Signs) -> Cause:
    found = causes.of(signs)
    assert found is not None
    return found


def test_workers_that_are_ended_while_they_load_are_seen_and_more_time_does_not_help() -> None:
    lines = ("[CRITICAL] WORKER TIMEOUT (pid:17)", "[INFO] Booting worker with pid: 18", "[CRITICAL] WORKER TIMEOUT (p")
    found = of(Signs(log=log(*lines, every=3)))
    assert "WORKER TIMEOUT, 2 times" in found.words
    assert "--timeout" in found.remedy
    assert "--preload" in found.remedy
    assert found.is_certain


def test_workers_of_one_generation_end_at_once_and_the_next_may_load_in_time() -> None:
    lines = ["[CRITICAL] WORKER TIMEOUT (pid:17)", "[CRITICAL] WORKER TIMEOUT (pid:18)"]
    assert not of(Signs(log=log(*lines, every=0.1))).is_certain
    assert not of(Signs(log=log(lines[0]))).is_certain


@pytest.mark.parametrize(
    "line",
    [
        "WARN: Worker 9000-model died.",
        "INFO:     Child process [23] died",
        "INFO exited: gunicorn (exit status 3; not expected)",
        "*** HARAKIRI ON WORKER 1 (pid: 12, try: 1) ***",
        "worker 12 exited with code 1",
    ],
)
def test_what_is_started_again_and_again_will_not_get_ready(line: str) -> None:
    assert of(Signs(log=log(*[line] * 4, every=2))).is_certain
    assert not of(Signs(log=log(line))).is_certain


def test_a_proxy_of_the_builds_network_is_named_without_its_password() -> None:
    answer = HttpResponse(503, {}, b"<urlopen error [Errno -3] Temporary failure in name resolution>")
    found = of(Signs(answer, lasted=12, environment=PROXY))
    assert found.words.startswith("ENV HTTP_PROXY=http://…@proxy.corp.example:3128 makes it ask through a proxy")
    assert "NO_PROXY" in found.remedy
    assert found.is_certain


def test_a_proxy_variable_is_no_reason_where_nothing_speaks_of_it() -> None:
    assert causes.of(Signs(HttpResponse(503, {}, b"loading"), lasted=12, environment=PROXY)) is None


@pytest.mark.parametrize("programs", [["nginx"], ["nginx", "nginx", "sh"], ["nginx: master", "nginx: worker", "tini"]])
def test_a_proxy_with_nothing_behind_it_stays_so(programs: list[str]) -> None:
    found = of(Signs(BAD_GATEWAY, lasted=5, programs=programs, log=log(REFUSED)))
    assert "what it forwards to (http://127.0.0.1:5000) has ended" in found.words
    assert found.is_certain
    assert not of(Signs(BAD_GATEWAY, lasted=1, programs=programs)).is_certain


def test_what_is_behind_a_proxy_may_still_load() -> None:
    found = of(Signs(BAD_GATEWAY, lasted=60, programs=["nginx", "python3"], log=log(REFUSED)))
    assert not found.is_certain


def test_for_a_proxy_that_forwards_to_another_port_the_listening_port_is_reported() -> None:
    listeners = [Listener("0.0.0.0", 8080), Listener("127.0.0.1", 8000)]  # of a container
    found = of(Signs(BAD_GATEWAY, 5, programs=["nginx", "python3"], log=log(REFUSED), listeners=listeners))
    assert "(http://127.0.0.1:5000) does not; it listens on 127.0.0.1:8000" in found.words


def test_a_socket_file_that_is_not_there_is_named() -> None:
    line = '*1 connect() to unix:/tmp/g.sock failed (2: No such file), upstream: "http://unix:/tmp/g.sock:/ping"'
    assert "(http://unix:/tmp/g.sock)" in of(Signs(BAD_GATEWAY, log=log(line))).words


def test_an_exception_in_ping_is_quoted_and_stays() -> None:
    signs = Signs(HttpResponse(500, {}, b"Internal Server Error"), lasted=11, idle=11, log=log(*TRACEBACK))
    assert "NameError: name 'model' is not defined" in of(signs).words
    assert of(signs).is_certain
    assert not of(replace(signs, idle=2)).is_certain  # something may load still
    assert not of(replace(signs, log=())).is_certain  # some answer 500 until they have loaded


def test_what_is_missing_is_a_network() -> None:
    line = (
        "requests.exceptions.ConnectionError: Failed to resolve 'models.example' ([Errno -2] Name or service not known)"
    )
    found = of(Signs(log=log(line)))
    assert "this check gives it none" in found.words


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        (Signs(HttpResponse(503), lasted=31, idle=31), "the answer stays the same"),
        (Signs(lasted=31, idle=31), "it accepts connections, answers none"),
        (Signs(lasted=31, idle=31, listeners=[]), "nothing listens"),
    ],
)
def test_a_server_that_idles_with_the_same_response_is_not_waited_for(signs: Signs, words: str) -> None:
    assert words in of(signs).words
    assert of(signs).is_certain
    assert causes.of(replace(signs, idle=1)) is None  # at work: it loads
