"""The memory of an emulator's process, in MB, now and at its peak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.stand import MB

if TYPE_CHECKING:
    from tests.scenarios.emulator_process import EmulatorProcess


def now(emulator: EmulatorProcess) -> float:
    """What it holds."""
    return _of(emulator, "VmRSS")


def begin_peak(emulator: EmulatorProcess) -> None:
    """Forget the peak (5: proc(5), clear_refs)."""
    Path(f"/proc/{emulator.pid}/clear_refs").write_text("5")


def peak(emulator: EmulatorProcess) -> float:
    """The most that it has held since `begin_peak`."""
    return _of(emulator, "VmHWM")


def _of(emulator: EmulatorProcess, field: str) -> float:
    lines = Path(f"/proc/{emulator.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024 / MB
