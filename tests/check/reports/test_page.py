"""The page in a browser: nothing is wider than a phone, and nothing is fetched."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from emulator.check.reports import page
from tests.check.reports.report import FINDINGS, PING, REPORT

if TYPE_CHECKING:
    from pathlib import Path

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
MEASURE = """<script>
const wide = [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth);
document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth, wide.length,
  performance.getEntriesByType("resource").length]);
</script>"""


@pytest.mark.parametrize("words", ["short", "x" * 400, "/a/long/path" * 40])
def test_the_page_fits_a_phone(tmp_path: Path, words: str) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    report = dataclasses.replace(REPORT, findings=(*FINDINGS, PING.broken(words, words)), image=words)
    (tmp_path / "page.html").write_text(page.write(report).replace("</body>", f"{MEASURE}</body>"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=390,800", "--dump-dom"]
    done = subprocess.run(
        [*command, f"--user-data-dir={tmp_path}/profile", f"file://{tmp_path}/page.html"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    match = re.search(r"<title>\[(\d+),(\d+),(\d+),(\d+)\]</title>", done.stdout)
    assert match, done.stdout[:300]
    width, window, wide, fetched = (int(number) for number in match.groups())
    assert (width <= window, wide, fetched) == (True, 0, 0)
