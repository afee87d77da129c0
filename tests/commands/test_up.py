"""What can be said before an emulator starts."""

import os
import socket
from pathlib import Path

import pytest

from emulator.commands import up
from emulator.commands.outcome import Stop
from emulator.settings import Settings


def test_a_port_that_somebody_has_is_refused_with_his_name(tmp_path: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        with pytest.raises(Stop, match=rf"port {port} is taken by .* \(process {os.getpid()}\)"):
            up.check_port(Settings(port=port, data_dir=tmp_path))


def test_a_free_port_is_no_trouble(tmp_path: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    up.check_port(Settings(port=port, data_dir=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "command"), [("http://127.0.0.1:4566", "env)"), ("http://127.0.0.1:9", "env --port 9)")]
)
def test_the_next_step_names_the_port_where_it_is_not_the_usual_one(url: str, command: str) -> None:
    assert command in up.next_steps(url)
