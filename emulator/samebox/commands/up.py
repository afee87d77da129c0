"""`samebox up`: starts the emulator in the foreground or background, and prints its address and the next steps."""

import argparse
import gc
import logging
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox.commands import emulators, process, where, writable
from samebox.commands.outcome import Stop
from samebox.settings import PREFIX, Settings

if TYPE_CHECKING:
    from rich.console import Console

# Ready within a second is what we aim at; a slow disk, or the first start of a helper, may need more.
READY_SECONDS = 60.0
# A start that takes over the objects of an older data folder may take longer, and says how far it is.
LONGEST_START_SECONDS = 3600.0
LOOK_EVERY_SECONDS = 0.05


def run(given: argparse.Namespace) -> int:
    settings = where.settings(
        port=given.port, data_dir=given.data_dir, host=given.host, localstack=given.localstack or None
    )
    running = where.record(settings.data_dir)
    if running is not None:
        if emulators.lost(settings.data_dir):
            raise Stop(
                f"samebox still runs at {running.url} (process {running.pid}), but {settings.data_dir} was removed "
                f"while it ran. `samebox down{folder_option(settings)}` ends it."
            )
        state = "already running" if where.is_ready(running.url) else "already starting"
        _screen().print(f"samebox is {state} at [bold]{running.url}[/] (process {running.pid}).")
        check_wishes(given, settings, running.url)
        return 0
    check_aliases(settings)
    check_port(settings)
    if given.detach:
        pid = start_detached(settings)
        said = where.ask(settings.url) or {}
        screen = _screen()
        screen.print(f"samebox runs at [bold]{settings.url}[/] (process {pid}, log {log_file(settings.data_dir)}).")
        warn_of_engine(said, screen)
        screen.print(next_steps(settings), highlight=False, markup=False)
        return 0
    return serve_here(settings)


def _screen() -> "Console":
    # Not loaded before there is something to print: the start would wait for it.
    from rich.console import Console

    return Console(soft_wrap=True)


def check_wishes(given: argparse.Namespace, settings: Settings, url: str) -> None:
    """Raises Stop if the running emulator has other settings than the given ones: it reads them only at its start."""
    asked = {name: getattr(settings, name) for name in settings.asked_for(os.environ)}
    asked |= {name: value for name, value in vars(given).items() if name in ("host", "port") and value is not None}
    if given.localstack:
        asked["localstack"] = True
    asked.pop("data_dir", None)  # by it this emulator was found
    token = asked.pop("token", "")
    said = where.ask(url) or {} if token or asked else {}  # raises Stop where the tokens differ
    has = said.get("settings", {})
    other = [
        f"{_setting(name)} {_value(has[name])}, not {_value(value)}"
        for name, value in asked.items()
        if name in has and has[name] != value
    ]
    if token and said and not said["token"]:
        other.append("no token")
    if other:
        raise Stop(f"it runs with {'; '.join(other)}. Stop it with `samebox down` and start it anew.")


def _setting(name: str) -> str:
    return name if name in ("host", "port") else f"{PREFIX}{name.upper()}"  # what a person can give


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_aliases(settings: Settings) -> None:
    """Raises Stop if the user's table of images cannot be read: the emulator reads it when it is first needed."""
    if settings.image_aliases:
        from samebox.services import image_aliases

        try:
            image_aliases.read(settings.image_aliases)
        except ValueError as error:
            raise Stop(str(error), status=2) from None


def check_port(settings: Settings) -> None:
    """Raises Stop, with the name of the process that has it, if the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server itself will do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            reason = error.strerror
        else:
            return
    raise Stop(f"port {settings.port} is taken by {_holder(settings, reason)}. `samebox up --port N` takes another.")


def _holder(settings: Settings, reason: str | None) -> str:
    if not where.is_emulator(settings.url, seconds=2):
        return process.listener(settings.port) or f"another program ({reason})"
    try:
        said = where.ask(settings.url, seconds=2) or {}
    except Stop:  # it has a token of its own
        said = {}
    return "another samebox" + (f" (data folder {said['data_dir']}, process {said.get('pid', '?')})" if said else "")


def serve_here(settings: Settings) -> int:
    """Be the emulator until SIGTERM or Ctrl-C."""
    # The whole emulator: not to be loaded by who only looks whether one runs. Nothing of it becomes garbage, so the
    # start does not look for any; `server` does again from when it serves.
    gc.disable()
    from samebox import server
    from samebox.resources.migration import NewerSchema

    words = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    logging.basicConfig(format=words, datefmt="%Y-%m-%d %H:%M:%S", level=logging.INFO)
    # docker tries https before http; that is not news.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    make_folder(settings.data_dir)
    with where.recorded(settings.data_dir, settings.url):
        threading.Thread(target=_greet, args=(settings,), name="greeting", daemon=True).start()
        try:
            server.serve(settings)
        except NewerSchema as error:
            raise Stop(str(error)) from None
    return 0


def start_detached(settings: Settings) -> int:
    """Start the emulator in the background and wait until it is ready. Returns its process id; raises Stop."""
    make_folder(settings.data_dir)
    log = log_file(settings.data_dir)
    command = [sys.executable, "-m", "samebox.cli", "up", "--data-dir", str(settings.data_dir.resolve())]
    command += ["--host", settings.host, "--port", str(settings.port)]
    if settings.localstack:
        command.append("--localstack")
    with log.open("ab") as output:
        start = log.stat().st_size
        # A session of its own: neither Ctrl-C nor the end of this terminal reaches it, and it holds none of our files.
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/",
            env={**os.environ, "PYTHONPATH": _python_path()},
        )  # fmt: skip
    _screen()  # is loaded while the other process starts
    end = time.monotonic() + LONGEST_START_SECONDS
    size, deadline = start, time.monotonic() + READY_SECONDS
    while time.monotonic() < min(deadline, end):
        if where.is_ready(settings.url, seconds=2):
            return child.pid
        if (written := log.stat().st_size) > size:
            size, deadline = written, time.monotonic() + READY_SECONDS
        if child.poll() is not None:
            raise Stop(f"the emulator ended at once, with status {child.returncode}:\n{_tail(log, start)}")
        time.sleep(LOOK_EVERY_SECONDS)
    child.terminate()
    raise Stop(f"the emulator was not ready in time and was ended:\n{_tail(log, start)}")


def make_folder(data_dir: Path) -> None:
    """Make the data folder. Raises Stop when it cannot be made, or not be written."""
    reason = writable.why_no_folder(data_dir)
    if reason is not None:
        raise Stop(
            f"the data folder {data_dir} cannot be written: {reason}. --data-dir, or SAMEBOX_DATA_DIR, names another."
        )


def log_file(data_dir: Path) -> Path:
    """The log file of an emulator in the background."""
    return data_dir / "emulator.log"


def next_steps(settings: Settings) -> str:
    """The two things to do next, with the options that they need."""
    port = "" if settings.port == Settings().port else f" --port {settings.port}"
    folder = folder_option(settings)
    return (
        f'  eval "$(samebox env{port})"     AWS clients of this shell then talk to it\n'
        f"  samebox status{folder}                what runs on it; `samebox down{folder}` ends it"
    )


def folder_option(settings: Settings) -> str:
    """The option that makes a command mean this data folder, with a space before it; '' where none is needed."""
    is_usual = settings.data_dir.resolve() == where.settings().data_dir.resolve()
    return "" if is_usual else f" --data-dir {shlex.quote(str(settings.data_dir))}"


def warn_of_engine(said: dict[str, Any], screen: "Console") -> None:
    """What will not work without a container engine, when there is none."""
    engine = said.get("engine") or {}
    if engine and not engine.get("available"):
        screen.print(
            f"[yellow]The container engine cannot be used: {engine.get('detail') or 'none answers'}[/]\n"
            "S3 and everything that only describes work; training jobs, endpoints and `docker push` to ECR do not. "
            "Where there is none, scripts/setup installs Docker Engine on Debian and Ubuntu."
        )


def _greet(settings: Settings) -> None:
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < deadline:
        if where.is_ready(settings.url, seconds=2):
            said = where.ask(settings.url) or {}
            screen = _screen()
            screen.print(f"\nsamebox runs at [bold]{settings.url}[/]; everything is kept in {settings.data_dir}.")
            warn_of_engine(said, screen)
            screen.print(next_steps(settings), highlight=False, markup=False)
            screen.print("Ctrl-C ends it.\n")
            return
        time.sleep(LOOK_EVERY_SECONDS)


def _python_path() -> str:
    # `python -m` looks in the working directory, which is / for the child; an installed package needs nothing.
    import samebox

    root = str(Path(samebox.__file__).resolve().parent.parent)
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])


def _tail(log: Path, start: int, lines: int = 15) -> str:
    with log.open("rb") as file:
        file.seek(start)
        words = file.read().decode(errors="replace").splitlines()
    return "\n".join(words[-lines:]) or f"(it printed nothing; see {log})"
