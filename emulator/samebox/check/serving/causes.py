"""Why a server does not become ready, judged by its responses, its log and its processes.

Pure: it judges signs that were collected elsewhere, and sends no request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samebox.check.ended import NO_NETWORK
from samebox.check.static.proxies import not_excepted, of_environment, shown
from samebox.log_excerpt import exception_in, headline

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from samebox.check.serving.processes import Listener
    from samebox.check.serving.wire import HttpResponse
    from samebox.containers.engine import LogLine

# Seconds after which an answer that is always the same is taken for the last word: of one that names its fault, of a
# proxy without anything behind it, and of one that may yet change, where nothing has been at work for as long.
_NAMED_SECONDS, _DEAD_SECONDS, _IDLE_SECONDS = 10.0, 4.0, 30.0
_GENERATION_SECONDS = 2.0  # between the ends of workers: those of one generation end at once
_LATE_LINES = 60  # of a log that are about now
_MOST_WORDS = 300

_PROXIES = frozenset({"nginx", "envoy", "haproxy", "httpd", "apache2", "caddy", "traefik"})
# What starts a proxy, and answers nothing itself.
_AROUND = frozenset(
    {"sh", "bash", "dash", "ash", "busybox", "tini", "dumb-init", "sleep", "tail", "cat", "supervisord", "s6-svscan"}
)
_UPSTREAM = re.compile(r'upstream: "([^"]+?)(?::?/ping)?"')


@dataclass(frozen=True)
class Signs:
    """What shows of a server that is not ready.

    `answer`: to the last ping, None where there was none; it has been so for `lasted` seconds. `idle`: seconds for
    which its processes have done next to nothing. `programs`, `listeners`: None where they cannot be seen.
    """

    answer: HttpResponse | None = None
    lasted: float = 0.0
    idle: float = 0.0
    log: Sequence[LogLine] = ()
    programs: Collection[str] | None = None
    listeners: Sequence[Listener] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """`words` are appended to the finding. `is_certain`: the state will not change, so waiting longer is no use."""

    words: str
    remedy: str
    is_certain: bool = False


@dataclass(frozen=True)
class _Ends:
    """Workers that end, and are started anew. `often`: after so many it is taken to go on for ever."""

    line: re.Pattern[str]
    words: str
    remedy: str
    often: int


_ENDS = (
    _Ends(
        re.compile(r"WORKER TIMEOUT"),
        "gunicorn ended its workers before they had loaded (WORKER TIMEOUT, {})",
        "Raise gunicorn's --timeout above what loading takes, or load once, before there are workers: --preload. More "
        "of SageMaker's time does not help: each new worker begins anew.",
        2,
    ),
    _Ends(
        re.compile(r"HARAKIRI ON WORKER"),
        "uWSGI ended its workers before they had loaded (harakiri, {})",
        "Raise uWSGI's harakiri, or load before the workers are forked (no lazy-apps). More of SageMaker's time does "
        "not help: each new worker begins anew.",
        2,
    ),
    _Ends(
        re.compile(
            r"[Ww]orker\b.*\b(?:died|was terminated due to signal|crashed)\b|Child process \[\d+\] died"
            r"|exited: \S+ \(.*not expected\)|[Ww]orker (?:process )?(?:\S+ )?exited with (?:code|status) [1-9]"
        ),
        "what it starts ends, and is started again ({})",
        "Its log says why it ends: fix that first. Restarted, it ends again.",
        3,
    ),
)


def of(signs: Signs) -> Cause | None:
    """The first cause that matches; None if there is none."""
    for look in _LOOKS:
        cause = look(signs)
        if cause is not None:
            return cause
    return None


def workers(signs: Signs) -> Cause | None:
    for kind in _ENDS:
        seen = [line for line in signs.log if kind.line.search(line.text)]
        if not seen:
            continue
        times = "once" if len(seen) == 1 else f"{len(seen)} times"
        lives_on = seen[-1].time - seen[0].time < _GENERATION_SECONDS * 1e9
        return Cause(kind.words.format(times), kind.remedy, len(seen) >= kind.often and not lives_on)
    return None


def proxy_variables(signs: Signs) -> Cause | None:
    """It asks through the proxy of the network that it was built in."""
    named = of_environment(signs.environment)
    about = _about(signs, rf"{NO_NETWORK}|proxy|connect timeout|timed out")
    if not named or not not_excepted(signs.environment) or not about:
        return None
    name, value = next(iter(named.items()))
    told = f" ({about})" if signs.answer is None or about != signs.answer.words else ""
    return Cause(
        f"ENV {name}={shown(value)} makes it ask through a proxy that is not there{told}",
        f"Drop {', '.join(named)} from ENV: docker build --build-arg {name}=… is not kept. What the container asks of "
        "itself goes by no proxy: NO_PROXY=localhost,127.0.0.1,169.254.170.2.",
        signs.lasted >= _NAMED_SECONDS,
    )


def behind_proxy(signs: Signs) -> Cause | None:
    """A proxy answers that what it stands before does not."""
    if signs.answer is None:
        return None
    server = signs.answer.headers.get("server", "").partition("/")[0].lower()
    name = "nginx" if server == "openresty" else server
    is_proxy = name in _PROXIES or (name == "apache" and signs.answer.status != 500)
    if signs.answer.status not in (502, 504) and not (signs.answer.status == 503 and is_proxy):
        return None
    found = [match for line in signs.log if (match := _UPSTREAM.search(line.text))]
    upstream = found[-1].group(1) if found else ""
    to = f" ({upstream})" if upstream else ""
    proxy = name or "a proxy"
    programs = {_base(one) for one in signs.programs or ()}
    if programs and not programs - _PROXIES - _AROUND:
        rest = ", ".join(sorted(programs))
        return Cause(
            f"{proxy} answers, and what it forwards to{to} has ended: nothing but {rest} is running",
            f"Fix what ended behind {proxy}: its log says why. Start it before {proxy}, and end the container when it "
            "ends, so that it is not left without it.",
            signs.lasted >= _DEAD_SECONDS,
        )
    elsewhere = ", ".join(str(one) for one in signs.listeners or () if one.port != _port(signs, upstream))
    there = f"; it listens on {elsewhere}" if upstream.startswith("http") and elsewhere else ""
    return Cause(
        f"{proxy} answers, and what it forwards to{to} does not{there}",
        f"Let what stands behind {proxy} listen where {proxy} forwards to, and load its model within the start window.",
        signs.lasted >= _IDLE_SECONDS and signs.idle >= _IDLE_SECONDS,
    )


def handler_fails(signs: Signs) -> Cause | None:
    """An exception in the handler of /ping: 500, again and again."""
    if signs.answer is None or signs.answer.status != 500:
        return None
    exception = exception_in(line.text for line in signs.log)
    why = f": {headline(exception)[:_MOST_WORDS]}" if exception else ""
    long = _NAMED_SECONDS if exception else _IDLE_SECONDS
    return Cause(
        f"it is the same each time, an error of its own{why}",
        "Fix the handler of /ping; its log says what went wrong. Answer 503 while the model loads, then 200.",
        signs.lasted >= long and signs.idle >= long,
    )


def network(signs: Signs) -> Cause | None:
    about = _about(signs, NO_NETWORK)
    if not about:
        return None
    return Cause(
        f"it looks for something on the network, and this check gives it none ({about})",
        "Bring what it fetches in the image or in model.tar.gz. An endpoint has a network unless "
        "EnableNetworkIsolation, or a VpcConfig without a way out, takes it away.",
        signs.lasted >= _IDLE_SECONDS and signs.idle >= _IDLE_SECONDS,
    )


def unchanging(signs: Signs) -> Cause | None:
    if signs.lasted < _IDLE_SECONDS or signs.idle < _IDLE_SECONDS:
        return None
    if signs.answer is not None:
        words = "the answer stays the same, and nothing in the container is at work: it does not load"
        remedy = "Answer 200 once the model is loaded; its log says why it is not."
    elif signs.listeners is not None and not signs.listeners:
        words = "nothing listens, and nothing in the container is at work"
        remedy = "Let the word serve start a server on port 8080; what is started instead waits, and for nothing."
    else:
        words = "it accepts connections, answers none, and nothing in the container is at work"
        remedy = "Something holds it up, such as a lock or an input that does not come: look at what it waits for."
    return Cause(words, remedy, is_certain=True)


_LOOKS: tuple[Callable[[Signs], Cause | None], ...] = (
    workers,
    proxy_variables,
    behind_proxy,
    handler_fails,
    network,
    unchanging,
)


def _about(signs: Signs, pattern: str) -> str:
    """The text that matches: in its response, else in the end of its log."""
    said = [signs.answer.words] if signs.answer is not None else []
    said += [line.text.strip() for line in reversed(signs.log[-_LATE_LINES:])]
    return next((words[:_MOST_WORDS] for words in said if re.search(pattern, words, re.IGNORECASE)), "")


def _base(program: str) -> str:
    return program.partition(":")[0].rpartition("/")[2]


def _port(signs: Signs, upstream: str) -> int:
    """Of the proxy itself, or of what it forwards to, which is of no interest either."""
    found = re.search(r":(\d+)", upstream.removeprefix("http://"))
    here = {one.port for one in signs.listeners or ()}
    return int(found.group(1)) if found and int(found.group(1)) in here else 8080
