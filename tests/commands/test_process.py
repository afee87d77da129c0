"""Facts about processes."""

import os
import socket
import subprocess
import sys

from samebox.commands import process


def test_a_process_is_known_by_when_it_started() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        mine, its = process.started_at(os.getpid()), process.started_at(child.pid)
        assert mine is not None
        assert its is not None
        assert mine != its
        assert process.started_at(child.pid) == its
    finally:
        child.communicate()
    assert process.started_at(child.pid) is None


def test_a_process_that_ended_and_was_not_buried_counts_as_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.started_at(child.pid) is None
    finally:
        child.wait()


def test_who_listens_is_named() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        who = process.listener(one.getsockname()[1])
    assert who is not None
    assert f"(process {os.getpid()})" in who


def test_a_port_that_is_only_bound_has_no_listener() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        assert process.listener(one.getsockname()[1]) is None
