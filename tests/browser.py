"""Pages in a real browser: whether one fits a phone, and what one may do with a server that is not its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
MEASURE = """<script>
const wide = [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth);
document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth, wide.length,
  performance.getEntriesByType("resource").length]);
</script>"""


def assert_fits_a_phone(page: str, folder: Path) -> None:
    """Skips the test where no browser is installed."""
    (folder / "page.html").write_text(page.replace("</body>", f"{MEASURE}</body>"))
    shown = dumped(f"file://{folder}/page.html", folder, "--window-size=390,800")
    match = re.search(r"<title>\[(\d+),(\d+),(\d+),(\d+)\]</title>", shown)
    assert match, shown[:300]
    width, window, wide, fetched = (int(number) for number in match.groups())
    assert (width <= window, wide, fetched) == (True, 0, 0)


def dumped(url: str, folder: Path, *options: str) -> str:
    """The page at the URL, as the browser has it once it is loaded. Skips the test where no browser is installed."""
    with (folder / "browser.html").open("wb") as page, (folder / "browser.log").open("wb") as log:
        process = _start([*_command(folder), *options, "--dump-dom", url], page, log)
        try:
            assert process.wait(120) == 0, (folder / "browser.log").read_text(errors="replace")
        finally:
            _end(process)
    return (folder / "browser.html").read_text()


@contextlib.contextmanager
def opened(url: str, folder: Path, *options: str) -> Iterator[None]:
    """A browser that has opened the URL, and runs its scripts until the block ends."""
    # Without something to do a headless browser ends; with a port for a debugger it waits for one.
    command = [*_command(folder), "--remote-debugging-port=0", *options, url]
    with (folder / "browser.log").open("wb") as log:
        process = _start(command, log, log)
    try:
        yield
    finally:
        _end(process)


def _start(command: list[str], output: IO[bytes], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=output, stderr=log, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    # The whole group: Debian's command is a shell script that the browser outlives.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)


def _command(folder: Path) -> list[str]:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    return [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]


class WebSite(ThreadingHTTPServer):
    """A web site of another origin: one page, which runs a program and reports what came of it.

    `script` is the body of an asynchronous function in JavaScript; what it returns, or that it failed, is `report()`.
    The page tries each step with `attempt`, which gives the status of an answer, or the error's name.
    """

    daemon_threads = True

    def __init__(self, script: str, reports_to: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.script = script
        self.reports_to = reports_to or self.url
        self._reported = threading.Event()
        self._report: Any = None
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def report(self) -> Any:
        """What the page reported; waits for it."""
        assert self._reported.wait(120), "the page reported nothing"
        return self._report

    def take(self, report: Any) -> None:
        self._report = report
        self._reported.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join(30)
        self.server_close()


_PAGE = """<!doctype html><title>a page</title><script>
async function attempt(url, options) {{
  try {{ const answer = await fetch(url, options); return [answer.status, await answer.text()]; }}
  catch (error) {{ return error.name; }}
}}
(async () => {{ {script} }})().catch(error => String(error)).then(report =>
  fetch("{to}/report", {{method: "POST", mode: "no-cors", body: JSON.stringify(report)}}));
</script>"""


class _Page(BaseHTTPRequestHandler):
    server: WebSite

    def do_GET(self) -> None:
        content = _PAGE.format(script=self.server.script, to=self.server.reports_to).encode()
        self._answer(200 if self.path == "/" else 404, content)

    def do_POST(self) -> None:
        self.server.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(204, b"")

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Not into the tests' output."""
