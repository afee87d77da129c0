"""An emulator for one command, on a port and in a folder of its own; removed with all it ran when the command ends.

It runs in a process of its own (this module, as a program) that holds the reading end of a pipe. When the command ends,
even by kill -9, the pipe closes, and that process cleans up.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from samebox.commands import where
from samebox.commands.outcome import Stop
from samebox.settings import Settings

READY_SECONDS = 120.0
END_SECONDS = 120.0
_LOG_LINES = 15


class NotStarted(Stop):
    """It could not be started; the message has the end of its log."""


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Settings]:
    """Its settings, once it is ready. `folder` must not exist, and is gone at the end. Raises NotStarted."""
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "samebox.commands.private_emulator", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the command, which then stops this process
            cwd="/",
            env=_environment(),
        )
    try:
        yield _ready(child, folder, log)
    finally:
        _end(child, folder)


def main(folder: Path) -> int:
    """Be the emulator until standard input ends. Prints {"port": …} when it is ready."""
    from samebox import server

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    settings = _settings(folder, _free_port())
    try:
        with contextlib.suppress(KeyboardInterrupt), server.running(settings):
            sys.stdout.write(json.dumps({"port": settings.port}) + "\n")
            sys.stdout.flush()
            while os.read(sys.stdin.fileno(), 1024):
                pass
    finally:
        _clear(folder)
    return 0


def _settings(folder: Path, port: int) -> Settings:
    # Images straight from the engine: nothing is pushed. No address of the machine is taken for credentials.
    return Settings(data_dir=folder, port=port, allow_local_images=True, container_credentials=False)


def _ready(child: "subprocess.Popen[bytes]", folder: Path, log: Path) -> Settings:
    assert child.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        if select.select([child.stdout], [], [], min(left, 0.5))[0]:
            line = child.stdout.readline()
            if not line:
                break
            settings = _settings(folder, int(json.loads(line)["port"]))
            while not where.is_ready(settings.url):
                if time.monotonic() > deadline or child.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return settings
            break
    words = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    raise NotStarted("an emulator could not be started:\n" + "\n".join(words))


def _end(child: "subprocess.Popen[bytes]", folder: Path) -> None:
    """It removes what it ran and its folder; where it hangs, that is done here."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    try:
        child.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(10)
        _clear(folder)
    finally:
        child.stdout.close()


def _clear(folder: Path) -> None:
    from samebox.commands import prune

    with contextlib.suppress(Stop):  # no engine any more: nothing that could be removed
        prune.clear(folder, for_good=True)
    shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """The person's own SAMEBOX_* and AWS_* are for the person's own emulator."""
    import samebox

    outside = {name: value for name, value in os.environ.items() if not name.startswith(("SAMEBOX_", "AWS_"))}
    root = str(Path(samebox.__file__).resolve().parent.parent)
    outside["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [outside.get("PYTHONPATH")])])
    return outside


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
