"""What `samebox up` checks before an emulator starts."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from samebox import cli
from samebox.commands import up, where
from samebox.commands.outcome import Stop
from samebox.settings import Settings
from tests.ports import free_port


def test_a_taken_port_is_refused_with_the_name_of_its_process(tmp_path: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        with pytest.raises(Stop, match=rf"port {port} is taken by .* \(process {os.getpid()}\)"):
            up.check_port(Settings(port=port, data_dir=tmp_path))


def test_a_free_port_is_no_trouble(tmp_path: Path) -> None:
    up.check_port(Settings(port=free_port(), data_dir=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("port", "command"), [(4566, "env)"), (9, "env --port 9)")])
def test_the_next_step_names_the_port_where_it_is_not_the_usual_one(port: int, command: str) -> None:
    assert command in up.next_steps(Settings(port=port))


def test_the_next_step_names_the_folder_where_it_is_not_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder"
    assert f"samebox down --data-dir '{folder}'" in up.next_steps(Settings(data_dir=folder))
    monkeypatch.setenv("SAMEBOX_DATA_DIR", str(folder))
    assert "--data-dir" not in up.next_steps(Settings(data_dir=folder))


def test_a_newer_state_file_is_one_sentence(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    command = [sys.executable, "-m", "samebox.cli", "up", "--data-dir", str(tmp_path), "--port", str(free_port())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert re.fullmatch(r"samebox: .*state.sqlite was written by a newer samebox: it has schema 99, .*\n", ended.stderr)


class _Start:
    """An emulator that starts in the background, by a clock of its own: it writes to its log for `writing` seconds."""

    pid = 7
    returncode = None

    def __init__(self, log: Path, writing: float, ready_after: float) -> None:
        self.now = 0.0
        self.was_ended = False
        self._log, self._writing, self._ready_after = log, writing, ready_after

    def monotonic(self) -> float:
        return self.now

    def sleep(self, _seconds: float) -> None:
        self.now += 10.0
        if self.now <= self._writing:
            with self._log.open("a") as file:
                file.write("S3: 200 objects are taken over\n")

    def is_ready(self, _url: str, seconds: float) -> bool:
        return self.now >= self._ready_after and seconds > 0

    def poll(self) -> None:
        return None

    def terminate(self) -> None:
        self.was_ended = True


@pytest.mark.parametrize(
    ("writing", "ready_after", "is_ended"), [(300.0, 300.0, False), (0.0, 300.0, True), (1e9, 1e9, True)]
)
def test_a_start_that_reports_progress_is_waited_for_within_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writing: float, ready_after: float, is_ended: bool
) -> None:
    start = _Start(up.log_file(tmp_path), writing, ready_after)
    monkeypatch.setattr(up, "time", start)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: start)
    monkeypatch.setattr(where, "is_ready", start.is_ready)

    if is_ended:
        with pytest.raises(Stop, match="was not ready"):
            up.start_detached(Settings(data_dir=tmp_path))
    else:
        assert up.start_detached(Settings(data_dir=tmp_path)) == start.pid
    assert start.was_ended == is_ended
    assert start.now <= up.LONGEST_START_SECONDS + 10


# One that runs already


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """An emulator of this folder, at port 4599 and without a token: what it says of itself."""
    said = {"settings": {"port": 4599, "host": "127.0.0.1", "allow_gpu_on_cpu": False}, "token": False}
    monkeypatch.setenv("SAMEBOX_DATA_DIR", str(tmp_path))
    for name in ("SAMEBOX_PORT", "SAMEBOX_TOKEN", "SAMEBOX_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(where, "ask", lambda *_: said)
    monkeypatch.setattr(where, "is_ready", lambda *_: True)
    with where.recorded(tmp_path, "http://127.0.0.1:4599"):
        yield said


@pytest.mark.usefixtures("running")
def test_up_while_one_runs_prints_its_url_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["up"]) == 0
    assert cli.main(["up", "--port", "4599"]) == 0
    assert "already running at http://127.0.0.1:4599" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        (["--port", "4600"], {}, "it runs with port 4599, not 4600"),
        ([], {"SAMEBOX_PORT": "4600"}, "it runs with port 4599, not 4600"),
        ([], {"SAMEBOX_TOKEN": "b"}, "it runs with no token"),
        ([], {"SAMEBOX_ALLOW_GPU_ON_CPU": "true"}, "it runs with SAMEBOX_ALLOW_GPU_ON_CPU false, not true"),
    ],
)
@pytest.mark.usefixtures("running")
def test_up_with_other_settings_than_the_running_one_has_is_reported(
    words: list[str],
    environment: dict[str, str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["up", *words]) == 1
    said = capsys.readouterr()
    assert "already running at http://127.0.0.1:4599" in said.out
    assert says in said.err
    assert "Stop it with `samebox down`" in said.err


def test_a_folder_that_cannot_be_made_is_reported_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    for detach in ([], ["--detach"]):
        assert cli.main(["up", "--port", str(port), "--data-dir", str(tmp_path / "file" / "x"), *detach]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"samebox: the data folder {tmp_path}/file/x cannot be written: Not a directory.")
