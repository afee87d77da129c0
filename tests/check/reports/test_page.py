"""The page in a browser: nothing is wider than a phone, and nothing is fetched."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from samebox.check.reports import page
from tests.browser import assert_fits_a_phone
from tests.check.reports.report import FINDINGS, PING, REPORT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", ["short", "x" * 400, "/a/long/path" * 40])
def test_the_page_fits_a_phone(tmp_path: Path, words: str) -> None:
    report = dataclasses.replace(REPORT, findings=(*FINDINGS, PING.broken(words, words)), image=words)
    assert_fits_a_phone(page.write(report), tmp_path)
