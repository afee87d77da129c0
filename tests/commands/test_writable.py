"""What cannot be written is found before the work for it is done, and reported in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from samebox.commands import writable

NAME_TOO_LONG = "x" * 300


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.touch()
    return path


def test_a_folder_is_made_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    assert writable.why_no_folder(tmp_path / "a" / "b") is None
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_cannot_be_made_where_a_file_is(file: Path) -> None:
    assert writable.why_no_folder(file) == "Not a directory"
    assert writable.why_no_folder(file / "below") == "Not a directory"
    assert writable.why_no_folder(file.parent / NAME_TOO_LONG) == "File name too long"


def test_a_file_system_that_takes_nothing_is_found_by_trying() -> None:
    # Root may write here, by its permissions; the kernel takes no folder.
    assert writable.why_no_folder(Path("/proc/samebox")) is not None


def test_a_file_needs_its_folder(tmp_path: Path, file: Path) -> None:
    assert writable.why_no_file(tmp_path / "new") is None
    assert writable.why_no_file(file) is None
    assert writable.why_no_file(tmp_path) == "Is a directory"
    assert writable.why_no_file(tmp_path / "none" / "x") == "No such file or directory"
    assert writable.why_no_file(file / "x") == "Not a directory"
    assert not (tmp_path / "new").exists()


def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    # Imported before the rights are dropped: the project may lie where other users may not read.
    program = (
        "import sys; print(why_no_folder(Path(sys.argv[1])), why_no_folder(Path(sys.argv[1]) / 'new'), "
        "why_no_file(Path(sys.argv[1]) / 'new'), sep=', ')"
    )
    setup = "from pathlib import Path\nfrom samebox.commands.writable import why_no_file, why_no_folder\n"
    drop = "import os\nif os.getuid() == 0:\n    os.setgid(65534); os.setuid(65534)\n"
    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(
        [sys.executable, "-c", setup + drop + program, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=root,
    )  # fmt: skip
    assert told.stdout == "Permission denied, Permission denied, Permission denied\n"


# Paths of the command line


@pytest.mark.parametrize("bad", ["file/below", NAME_TOO_LONG])
@pytest.mark.parametrize(
    "words",
    [
        ["up", "--data-dir", "BAD", "--port", "0"],
        ["train", "--output", "BAD/model", "train.py"],
        ["train", "--data", "BAD", "train.py"],
        ["train", "--data", "x=BAD", "train.py"],
        ["train", "BAD"],
        ["check", "BAD"],
        *(
            ["check", "mine:1", option, "BAD"]
            for option in ("--data", "--model", "--payload", "--dockerfile", "--accept")
        ),
        *(["check", "mine:1", option, "BAD/x"] for option in ("--json", "--junit", "--html", "--sarif", "--export")),
        ["parity", "--model", "BAD", "a:1", "b:1"],
        ["parity", "--json", "BAD/x", "a:1", "b:1"],
        ["parity", "--recorded", "BAD", "a:1"],
        ["record", "e", "--payload", "BAD", "--output", "out", "--region", "us-east-1"],
        ["deploy", "--endpoint", "e", "--image", "i:1", "--payload", "BAD", "--region", "us-east-1"],
    ],
    ids=lambda words: " ".join(words),
)
def test_no_path_of_the_users_becomes_a_traceback(words: list[str], bad: str, file: Path) -> None:
    (file.parent / "train.py").touch()
    told = subprocess.run(
        [sys.executable, "-m", "samebox.cli", *(word.replace("BAD", bad) for word in words)],
        capture_output=True, text=True, check=False, cwd=file.parent, stdin=subprocess.DEVNULL, timeout=120,
        env={
            "PATH": "", "HOME": str(file.parent), "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "emulator"),
            "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        },
    )  # fmt: skip
    assert told.returncode in (1, 2)
    assert "Traceback" not in told.stderr
    assert len(told.stderr.splitlines()) == 1, told.stderr
    assert told.stderr.startswith("samebox: ")
