"""How the user's program is run: in a process of its own, that runs the code under test as the image does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samebox_train import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAIN = Path(__file__).resolve().parents[2] / "train"

# Runs a shell command and tells how it ended, with the code its caller would exit with; `before` comes before it.
LAUNCHER = """
import sys
sys.path.insert(0, sys.argv[1])
from samebox_train.signals import Signals
signals = Signals.install()
exec(sys.argv[4])
from samebox_train import processes
processes.STOP_SECONDS = float(sys.argv[3])
finished = processes.run(["/bin/sh", "-c", sys.argv[2]], "/", signals)
sys.stdout.write(finished.stderr)
sys.exit(finished.code)
"""


@pytest.fixture
def launched() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def launch(
    started: list[subprocess.Popen[str]], script: str, stop_seconds: float = 110.0, before: str = ""
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(TRAIN), script, str(stop_seconds), before],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    started.append(process)
    return process


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -11 $$", 139)])
def test_the_exit_code_is_the_programs(launched: list[subprocess.Popen[str]], script: str, code: int) -> None:
    process = launch(launched, script)
    process.communicate(timeout=120)

    assert process.returncode == code


def test_stderr_is_passed_on_and_its_end_is_remembered(launched: list[subprocess.Popen[str]]) -> None:
    out, err = launch(launched, "echo fine; echo first >&2; seq 1 30000 >&2; echo last >&2").communicate(timeout=120)

    assert err.startswith("first\n1\n2\n")
    assert err.endswith("30000\nlast\n")
    assert out.startswith("fine\n")
    assert out.endswith("30000\nlast\n")
    assert len(out) < 140_000


def test_a_progress_bar_is_seen_while_it_moves(launched: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    bar = (
        "import pathlib, sys, time\n"
        "step = 0\n"
        "while not pathlib.Path(sys.argv[1]).exists():\n"
        "    step += 1; sys.stderr.write(f'\\rstep {step}'); sys.stderr.flush(); time.sleep(0.01)\n"
        "sys.stderr.write('\\rfull\\n')\n"
    )
    seen = tmp_path / "seen"
    process = launch(launched, f'exec {sys.executable} -c "$0" "$1"'.replace("$0", bar).replace("$1", str(seen)))
    assert process.stderr is not None
    with process.stderr as stderr:
        first = stderr.buffer.readline()  # type: ignore[attr-defined]  # bytes: text ends a line at a carriage return
        seen.touch()
        rest = stderr.buffer.read()  # type: ignore[attr-defined]
    assert process.wait(60) == 0
    assert first.startswith(b"\rstep 1")
    assert rest.endswith(b"\rfull\n")


@pytest.mark.parametrize(
    ("chunks", "passed"),
    [
        ([(0, b"\r 1%"), (0.5, b"\r 2%"), (1, b"\r 3%"), (1.5, b"\r 4%\n")], b"\r 1%\r 2%\n\r 3%\r 4%\n"),
        ([(0, b"1%\r"), (2, b"2%\r"), (4, b"3%\r"), (4, b"\n")], b"1%\n\r2%\n\r3%\r\n"),
        ([(0, b"windows\r"), (5, b"\nwindows\r\n")], b"windows\r\nwindows\r\n"),
        ([(0, b"plain\n"), (5, b"no end"), (9, b" yet")], b"plain\nno end yet"),
        ([(0, b""), (5, b"a line\n\r 1%")], b"a line\n\r 1%"),
        ([(5, b"no end\r")], b"no end\r"),
    ],
)
def test_the_line_of_a_bar_is_ended_once_a_second_and_no_byte_is_lost(
    chunks: list[tuple[float, bytes]], passed: bytes
) -> None:
    now = [0.0]
    lines = processes.MovingLines(lambda: now[0])
    found = b""
    for at, chunk in chunks:
        now[0] = at
        found += lines.feed(chunk)
    found += lines.end()
    assert found == passed
    assert found.replace(b"\n", b"") == b"".join(chunk for _, chunk in chunks).replace(b"\n", b"")


def test_sigterm_reaches_the_program_and_what_it_started(launched: list[subprocess.Popen[str]]) -> None:
    child = "trap 'echo child heard; exit 0' TERM; echo child ready; while :; do sleep 0.05; done"
    process = launch(launched, f"trap 'echo parent heard; wait; exit 5' TERM; bash -c \"{child}\" & wait; wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "child ready\n"

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=120)

    assert sorted(out.splitlines()[:2]) == ["child heard", "parent heard"]
    assert process.returncode == 5


def test_what_a_shell_started_may_save_after_the_shell_has_died(launched: list[subprocess.Popen[str]]) -> None:
    child = "trap 'sleep 1; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    process = launch(launched, f'bash -c "{child}"; echo never')
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.terminate()
    out, _ = process.communicate(timeout=120)

    assert "saved" in out.splitlines()
    assert "never" not in out.splitlines()
    assert process.returncode == 128 + signal.SIGTERM


def test_what_goes_on_after_the_stop_is_not_waited_for_beyond_it(launched: list[subprocess.Popen[str]]) -> None:
    child = 'trap : TERM; echo "$BASHPID"; while :; do sleep 0.1; done'
    process = launch(launched, f"bash -c '{child}'; echo never", stop_seconds=0.5)
    assert process.stdout is not None
    child_id = process.stdout.readline().strip()

    process.terminate()
    process.communicate(timeout=120)

    assert process.returncode == 128 + signal.SIGTERM
    left = Path("/proc") / child_id / "stat"
    assert not left.exists() or left.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_stop_that_interrupts_nothing_is_passed_on(launched: list[subprocess.Popen[str]]) -> None:
    """The thread that waits for the program is given no signal, as when one comes just before it begins to wait."""
    elsewhere = (
        "def blocked(deliver):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "    known(deliver)\n"
        "    os.write(1, b'waits\\n')\n"
        "import os, signal\n"
        "known = signals.deliver_to\n"
        "signals.deliver_to = blocked\n"
    )
    process = launch(launched, "exec sleep 300", before=elsewhere)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"

    process.terminate()
    process.communicate(timeout=120)

    assert process.returncode == 128 + signal.SIGTERM


def test_a_stop_ends_what_comes_before_the_program() -> None:
    script = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "from samebox_train.signals import Signals\n"
        "from samebox_train import processes\n"
        "signals = Signals.install()\n"
        "known = processes._start\n"
        "def start(*given):\n"
        "    began = known(*given)\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "    os.write(1, b'installs %d\\n' % began[0].pid)\n"
        "    return began\n"
        "processes._start = start\n"
        "processes.run_before(['sleep', '300'], '/', signals)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(TRAIN)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            installer = int(process.stdout.readline().split()[1])
            process.terminate()
            assert process.wait(120) == 128 + signal.SIGTERM
        finally:
            process.kill()
            os.kill(installer, signal.SIGKILL)


def test_a_program_that_does_not_listen_ends_with_143(launched: list[subprocess.Popen[str]]) -> None:
    process = launch(launched, "echo ready; exec sleep 60")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.terminate()
    process.communicate(timeout=120)

    assert process.returncode == 128 + signal.SIGTERM


def test_what_the_program_leaves_behind_does_not_hold_us_up(launched: list[subprocess.Popen[str]]) -> None:
    process = launch(launched, "sleep 300 & echo $!; exit 3")
    out, _ = process.communicate(timeout=120)

    assert process.returncode == 3
    left = Path("/proc") / out.strip() / "stat"
    assert not left.exists() or left.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_signal_before_the_program_is_started_ends_at_once() -> None:
    script = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from samebox_train.signals import Signals\n"
        "Signals.install()\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "except BaseException:\n    print('caught')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(TRAIN)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 143
    assert "before the training process was started" in done.stderr
    assert "caught" not in done.stdout
