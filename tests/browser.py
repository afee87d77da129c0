"""A page in a real browser, as wide as a phone: nothing is wider than that, and nothing is fetched."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
MEASURE = """<script>
const wide = [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth);
document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth, wide.length,
  performance.getEntriesByType("resource").length]);
</script>"""


def assert_fits_a_phone(page: str, folder: Path) -> None:
    """Skips the test where no browser is installed."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    (folder / "page.html").write_text(page.replace("</body>", f"{MEASURE}</body>"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=390,800", "--dump-dom"]
    done = subprocess.run(
        [*command, f"--user-data-dir={folder}/profile", f"file://{folder}/page.html"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    match = re.search(r"<title>\[(\d+),(\d+),(\d+),(\d+)\]</title>", done.stdout)
    assert match, done.stdout[:300]
    width, window, wide, fetched = (int(number) for number in match.groups())
    assert (width <= window, wide, fetched) == (True, 0, 0)
