"""The closing line of scripts/test."""

import subprocess
import sys
from pathlib import Path

COUNT = Path(__file__).resolve().parents[2] / "scripts" / "count"


def count(folder: Path, *more: str) -> tuple[int, str]:
    told = subprocess.run([sys.executable, str(COUNT), str(folder), *more], capture_output=True, text=True, check=False)
    return told.returncode, told.stdout.splitlines()[-1]


def report(path: Path, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> None:
    path.write_text(
        f'<testsuites><testsuite name="pytest" tests="{tests}" failures="{failures}" errors="{errors}" '
        f'skipped="{skipped}" time="1.5"/></testsuites>'
    )


def test_runs_are_counted_together(tmp_path: Path) -> None:
    report(tmp_path / "docker.xml", tests=5, skipped=1)
    report(tmp_path / "fast.xml", tests=10)
    assert count(tmp_path) == (0, "14 passed, 0 failed, 1 skipped")


def test_one_failure_anywhere_fails_the_whole(tmp_path: Path) -> None:
    report(tmp_path / "docker.xml", tests=5)
    report(tmp_path / "fast.xml", tests=10, failures=1, errors=1)
    assert count(tmp_path) == (1, "13 passed, 2 failed, 0 skipped")


def test_no_test_at_all_is_not_success(tmp_path: Path) -> None:
    report(tmp_path / "fast.xml", tests=0)
    assert count(tmp_path) == (5, "0 passed, 0 failed, 0 skipped")


def test_one_file_of_all_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    report(tmp_path / "a.xml", tests=1)
    report(tmp_path / "b.xml", tests=2)
    count(tmp_path, str(tmp_path / "merged"))
    assert (tmp_path / "merged").read_text().count("<testsuite ") == 2
