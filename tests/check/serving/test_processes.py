"""What /proc says of a container is read from outside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from samebox.check.serving import processes

if TYPE_CHECKING:
    from pathlib import Path

CONTAINER = "c0ffee" * 10
HEAD = "  sl  local_address rem_address   st\n"
# As Linux writes them: 127.0.0.1:8080, 0.0.0.0:8080, an established one, and Docker's name server.
LOOPBACK = "   0: 0100007F:1F90 00000000:0000 0A\n"
EVERYWHERE = "   0: 00000000:1F90 00000000:0000 0A\n"
ESTABLISHED = "   1: 0100007F:1F91 0100007F:9999 01\n"
NAME_SERVER = "   2: 0B00007F:8001 00000000:0000 0A\n"
EVERYWHERE_6 = "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A\n"
LOOPBACK_6 = "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A\n"
MAPPED_6 = "   0: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A\n"


def write(proc: Path, number: int, container: str, tcp: str = "", tcp6: str = "", files: int = 3) -> None:
    folder = proc / str(number)
    (folder / "net").mkdir(parents=True)
    (folder / "fd").mkdir()
    (folder / "cgroup").write_text(f"0::/docker/{container}\n")
    (folder / "net" / "tcp").write_text(HEAD + tcp)
    (folder / "net" / "tcp6").write_text(HEAD + tcp6)
    (folder / "status").write_text("Name:\tserve\nVmRSS:\t    2048 kB\n")
    (folder / "comm").write_text("serve\n")
    # utime and stime, the 14th and the 15th, in ticks; the name may hold blanks and brackets.
    (folder / "stat").write_text(f"{number} (a b) c) S 1 1 1 0 -1 0 0 0 0 0 {250 * number} 50 0 0 20 0\n")
    for one in range(files):
        (folder / "fd" / str(one)).touch()


@pytest.mark.parametrize(
    ("tcp", "tcp6", "shown", "is_loopback"),
    [
        (LOOPBACK + ESTABLISHED + NAME_SERVER, "", "127.0.0.1:8080", True),
        (EVERYWHERE, "", "0.0.0.0:8080", False),
        ("", EVERYWHERE_6, "[::]:8080", False),
        ("", LOOPBACK_6, "[::1]:8080", True),
        ("", MAPPED_6, "127.0.0.1:8080", True),
    ],
)
def test_where_a_container_listens_is_seen(tmp_path: Path, tcp: str, tcp6: str, shown: str, is_loopback: bool) -> None:
    write(tmp_path, 7, CONTAINER, tcp, tcp6)
    write(tmp_path, 8, "another", EVERYWHERE + LOOPBACK)
    found = processes.listeners(CONTAINER, tmp_path)
    assert found is not None
    assert [(str(one), one.is_loopback) for one in found] == [(shown, is_loopback)]


def test_memory_and_files_are_those_of_all_its_processes(tmp_path: Path) -> None:
    write(tmp_path, 7, CONTAINER, files=3)
    write(tmp_path, 9, CONTAINER, files=4)
    write(tmp_path, 8, "another", files=50)
    (tmp_path / "self").mkdir()
    assert processes.memory_bytes(CONTAINER, tmp_path) == 2 * 2048 * 1024
    assert processes.open_files(CONTAINER, tmp_path) == 7


def test_what_its_processes_are_and_what_they_did_is_seen(tmp_path: Path) -> None:
    write(tmp_path, 7, CONTAINER)
    write(tmp_path, 9, CONTAINER)
    write(tmp_path, 8, "another")
    ticks = os.sysconf("SC_CLK_TCK")
    assert processes.programs(CONTAINER, tmp_path) == ["serve", "serve"]
    assert processes.work(CONTAINER, tmp_path) == {
        7: processes.CpuUse((250 * 7 + 50) / ticks, False),
        9: processes.CpuUse((250 * 9 + 50) / ticks, False),
    }


def test_what_cannot_be_seen_is_not_known(tmp_path: Path) -> None:
    assert processes.listeners(CONTAINER, tmp_path) is None
    assert processes.memory_bytes(CONTAINER, tmp_path) is None
    assert processes.open_files(CONTAINER, tmp_path) is None
    assert processes.programs(CONTAINER, tmp_path) == []
    assert processes.work(CONTAINER, tmp_path) == {}
