"""The browser that tests open leaves no process: Debian's command is a shell script, and the browser is its child."""

from pathlib import Path

from tests import browser
from tests.scenarios.emulator_process import until


def processes_with(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if text in words:
            found.append(words)
    return found


def test_a_browser_that_was_opened_is_gone_with_all_its_processes(tmp_path: Path) -> None:
    with browser.WebSite("return 'here'") as site, browser.opened(site.url, tmp_path):
        assert site.report() == "here"
        assert processes_with(f"{tmp_path}/profile")
    until(lambda: not processes_with(f"{tmp_path}/profile"), 60, "no process of the browser is left")


def test_a_page_that_was_dumped_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>hello</p>")
    assert "hello" in browser.dumped(f"file://{tmp_path}/page.html", tmp_path)
    until(lambda: not processes_with(f"{tmp_path}/profile"), 60, "no process of the browser is left")
