"""The load of GPUs as NVIDIA's driver reports it, and what is made of a driver that does not."""

import shlex
from pathlib import Path

import pytest

from samebox.containers import gpu_usage
from samebox.containers.gpu_usage import GpuUsage

QUERY = "--query-gpu=index,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a program stands for NVIDIA's; nothing is there yet."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "nvidia-smi"


def answer(driver: Path, table: str, status: int = 0) -> None:
    """A program that answers this query alone."""
    driver.write_text(
        f'#!/bin/sh\n[ "$*" = "{QUERY}" ] || exit 2\nprintf %s {shlex.quote(table)}\nexit {status}\n', "utf-8"
    )
    driver.chmod(0o755)


def test_each_gpu_has_its_load_and_its_share_of_memory(driver: Path) -> None:
    answer(driver, "0, 45, 10240, 81920\n1, 0, 0, 81920\n10, 100, 81920, 81920\n")
    assert gpu_usage.read() == {
        "0": GpuUsage(45.0, 12.5),
        "1": GpuUsage(0.0, 0.0),
        "10": GpuUsage(100.0, 100.0),
    }


@pytest.mark.parametrize("absent", ["[N/A]", "[Not Supported]", "[Unknown Error]"])
def test_what_the_driver_does_not_report_is_not_known(driver: Path, absent: str) -> None:
    answer(driver, f"0, {absent}, {absent}, 81920\n")
    assert gpu_usage.read() == {"0": GpuUsage(None, None)}


@pytest.mark.parametrize("table", ["", "No devices were found\n"])
def test_a_driver_without_gpus_has_none(driver: Path, table: str) -> None:
    answer(driver, table)
    assert gpu_usage.read() == {}


def test_a_driver_that_fails_or_is_not_there_has_none(driver: Path) -> None:
    assert gpu_usage.read() == {}
    answer(driver, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", 9)
    assert gpu_usage.read() == {}


def test_a_driver_that_hangs_is_waited_for_with_a_limit(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_usage, "SECONDS", 0.05)
    driver.write_text("#!/bin/sh\nwhile :; do :; done\n")
    driver.chmod(0o755)
    assert gpu_usage.read() == {}
