"""The answers of /ping while a container starts, as lines of its log: each different answer once, at once.

A server that answers 503 often gives the reason in the body; it is shown while the endpoint starts, and not only after
the start window.
"""

import json
import re
import time
from collections.abc import Callable

from samebox.platform.readiness import Ping

# A server has until then to listen; that it does not yet is not news.
SILENT_SECONDS = 10.0
# How many different answers are logged: a body may hold the time, or the progress of loading.
MOST_ANSWERS = 20
BODY_CHARACTERS = 400
_REASON_KEYS = ("error", "message", "detail", "reason")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


class PingReporter:
    """Reports the pings of one container's start, over restarts of its program. Used by one thread."""

    def __init__(self, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self._reported: set[str] = set()
        self._silent_since: float | None = None

    def hear(self, ping: Ping) -> None:
        """One ping."""
        if ping.reason == "no answer":
            if self._silent_since is None:
                self._silent_since = self._clock()
            if self._clock() - self._silent_since >= SILENT_SECONDS:
                self._report_once(f"{ping.detail}; it is asked on")
            return
        self._silent_since = None
        if ping.reason != "ready":
            text = text_of(ping.body)
            self._report_once(f"{ping.detail}: {text}" if text else ping.detail)

    def _report_once(self, sentence: str) -> None:
        if sentence in self._reported or len(self._reported) > MOST_ANSWERS:
            return
        self._reported.add(sentence)
        if len(self._reported) > MOST_ANSWERS:
            sentence = f"/ping has answered in {MOST_ANSWERS} different ways; further ones are not written here"
        self._report(sentence)


def text_of(body: bytes) -> str:
    """The body of an answer on one line, shortened; of a JSON object with a reason, the reason."""
    text = body.decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        text = next((found[key] for key in _REASON_KEYS if isinstance(found.get(key), str)), text)
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= BODY_CHARACTERS else text[: BODY_CHARACTERS - 1] + "…"
