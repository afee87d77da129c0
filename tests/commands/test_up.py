"""What can be said before an emulator starts."""

import os
import socket
from pathlib import Path

import pytest

from emulator.commands import up
from emulator.commands.outcome import Stop
from emulator.settings import Settings
from tests.ports import free_port


def test_a_port_that_somebody_has_is_refused_with_his_name(tmp_path: Path) -> None:
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
