"""`samebox run`: a command whose clients use the emulator, as a shell starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.settings import Settings
from tests.ports import free_port


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("house") / "data"
    folder.mkdir()
    settings = Settings(data_dir=folder, port=free_port(), container_credentials=False)
    with server.running(settings, FakeEngine(folder / "engine")):
        yield settings


def arguments(settings: Settings, *words: str) -> list[str]:
    place = ["--data-dir", str(settings.data_dir), "--port", str(settings.port)]
    return [sys.executable, "-m", "samebox.cli", "run", *place, *words]


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "old"}


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(settings, *words), capture_output=True, text=True, check=False, timeout=300,
        env=environment(settings.data_dir),
    )  # fmt: skip


def test_a_client_of_the_command_reaches_the_emulator_both_ways(house: Settings) -> None:
    program = """
import boto3, os
for more in ({}, {"endpoint_url": "https://sts.ap-northeast-2.amazonaws.com", "region_name": "ap-northeast-2"}):
    client = boto3.client("sts", **more)
    print(client.get_caller_identity()["Account"], client.meta.endpoint_url)
print(os.environ.get("AWS_PROFILE"), os.environ.get("AWS_SESSION_TOKEN"))
"""
    ended = run(house, "--", sys.executable, "-c", program)
    assert ended.stdout.splitlines() == [
        f"000000000000 {house.url}",
        "000000000000 https://sts.ap-northeast-2.amazonaws.com",
        "None None",
    ], ended.stderr
    assert ended.returncode == 0


def test_the_status_is_the_commands_own(house: Settings) -> None:
    assert run(house, "--", "sh", "-c", "exit 7").returncode == 7
    missing = run(house, "no-such-program")
    assert (missing.returncode, missing.stderr) == (127, "samebox: no-such-program: there is no such program.\n")
    folder = run(house, "--", str(house.data_dir))
    assert folder.returncode == 126
    assert run(house).returncode == 2


def test_ctrl_c_reaches_the_command(house: Settings) -> None:
    program = 'trap "exit 9" INT; echo ready; for i in $(seq 600); do sleep 0.1; done'
    with subprocess.Popen(
        arguments(house, "--", "sh", "-c", program), stdout=subprocess.PIPE, text=True, env=environment(house.data_dir)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 9


def test_an_emulator_that_does_not_run_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=free_port())
    ended = run(settings, "--", "true")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"samebox: no emulator answers at {settings.url}. `samebox up --port {settings.port}` starts one.\n"
    )
