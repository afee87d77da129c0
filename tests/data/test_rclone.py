import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from samebox.data.objects import Objects
from samebox.data.rclone import RcloneError, S3Server


def until(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def objects(server: S3Server) -> Objects:
    return Objects(server.url, server.credentials.access_key, server.credentials.secret_key)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_objects_are_plain_files_and_survive_a_restart(tmp_path: Path) -> None:
    for run in range(2):
        server = S3Server(tmp_path)
        server.start()
        store = objects(server)
        if run == 0:
            store.create_bucket("digits")
            store.put("s3://digits/a/b.csv", b"1,2")
        assert store.get("s3://digits/a/b.csv") == b"1,2"
        store.close()
        server.stop()
        assert not server.is_running
    assert (tmp_path / "s3" / "digits" / "a" / "b.csv").read_bytes() == b"1,2"


def test_a_server_that_dies_is_started_again_at_its_url(server: S3Server, store: Objects) -> None:
    store.create_bucket("digits")
    process = server._process
    assert process is not None
    process.kill()
    assert until(lambda: server._process is not process and server.is_running)
    assert until(lambda: _can_list(store))


def _can_list(store: Objects) -> bool:
    try:
        return store.list("s3://digits/") == ()
    except Exception:
        return False


def test_a_killed_emulator_takes_its_server_along(tmp_path: Path) -> None:
    program = """
        import sys, time
        from pathlib import Path
        from samebox.data.rclone import S3Server
        server = S3Server(Path(sys.argv[1]))
        server.start()
        print(server._process.pid, flush=True)
        time.sleep(60)
    """
    emulator = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert emulator.stdout is not None
    with emulator, emulator.stdout as output:
        pid = int(output.readline())
        assert lives(pid)
        emulator.kill()
        emulator.wait(60)
        assert until(lambda: not lives(pid))


def test_a_server_that_an_earlier_run_left_is_ended(tmp_path: Path) -> None:
    first, second = S3Server(tmp_path), S3Server(tmp_path)
    first.start()
    left = first._process
    assert left is not None
    # As after a crash on a system that does not end children with their parent.
    first._stopping.set()
    second.start()
    assert left.wait(60) == -signal.SIGKILL
    second.stop()


def test_a_foreign_process_under_an_old_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s3.pid").write_text(f'{{"pid": {os.getpid()}, "started": "1"}}')
    server = S3Server(tmp_path)
    server.start()
    server.stop()


def test_half_uploads_of_a_crash_are_swept(tmp_path: Path) -> None:
    left = tmp_path / "s3" / "digits" / ".rclone_temp_put_x"
    left.parent.mkdir(parents=True)
    left.touch()
    os.utime(left, (1, 1))
    server = S3Server(tmp_path)
    server.start()
    assert until(lambda: not left.exists())
    server.stop()


def test_the_keys_are_not_among_the_arguments(server: S3Server) -> None:
    assert server._process is not None
    arguments = Path(f"/proc/{server._process.pid}/cmdline").read_bytes()
    assert b"serve" in arguments
    assert server.credentials.secret_key.encode() not in arguments
    assert server.credentials.secret_key not in repr(server.credentials)


def test_a_folder_that_cannot_be_served_is_an_error_with_the_servers_words(tmp_path: Path) -> None:
    server = S3Server(tmp_path, ready_timeout=0.0)
    with pytest.raises(RcloneError, match="The S3 server"):
        server.start()
    assert not server.is_running
