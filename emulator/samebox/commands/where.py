"""Finds the emulator for a command: the one of a data folder, from its record there, or the one at a URL."""

import fcntl
import http
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from samebox.commands import emulators, process
from samebox.commands.emulators import EmulatorRecord
from samebox.commands.outcome import Stop
from samebox.settings import Settings

READY_PATH = "/_samebox/ready"
STATUS_PATH = "/_samebox/status"
FAULTS_PATH = "/_samebox/faults"


def settings(**given: object) -> Settings:
    """The settings from the command line and the environment. Raises Stop for invalid ones."""
    try:
        return Settings.read(os.environ, **given)
    except ValueError as error:
        raise Stop(str(error), status=2) from None


def record(data_dir: Path) -> EmulatorRecord | None:
    """The emulator that runs on a data folder, be the folder removed meanwhile; None when none does."""
    try:
        found = EmulatorRecord(**json.loads(_file(data_dir).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        found = None
    if found is not None and found.alive:
        return found
    noted = emulators.on(data_dir)
    return noted.record if noted is not None else None


@contextmanager
def recorded(data_dir: Path, url: str) -> Iterator[EmulatorRecord]:
    """Records this process in emulator.json as the emulator of the data folder, for the duration of the block.

    Raises Stop if another one is.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    own = EmulatorRecord(os.getpid(), process.started_at(os.getpid()) or "", url)
    # The lock, and not the record, decides between two that start at once: it ends with its process.
    with (data_dir / "emulator.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(f"another emulator is starting, or running, on {data_dir}.") from None
        partial = _file(data_dir).with_suffix(".json.part")
        partial.write_text(json.dumps(asdict(own)) + "\n")
        partial.replace(_file(data_dir))
        try:
            with emulators.noted(own, data_dir):
                yield own
        finally:
            _file(data_dir).unlink(missing_ok=True)


def ask(url: str, seconds: float = 5) -> dict[str, Any] | None:
    """The status of an emulator, None when none answers at the URL. Raises Stop when it has a token we do not know."""
    status, said = _get(url, STATUS_PATH, seconds, sign=True)
    if status == http.HTTPStatus.FORBIDDEN and is_emulator(url, seconds):
        raise Stop(f"the emulator at {url} has another token than this shell: set SAMEBOX_TOKEN to the emulator's.")
    return said if "data_dir" in said and "version" in said else None


def is_emulator(url: str, seconds: float = 5) -> bool:
    """True when an emulator answers at the URL, whether its start is complete or not. Needs no token."""
    _, said = _get(url, READY_PATH, seconds)
    return "ready" in said and "version" in said


def is_ready(url: str, seconds: float = 5) -> bool:
    """True when an emulator answers at the URL and its start is complete. Costs it nothing, whatever it keeps."""
    _, said = _get(url, READY_PATH, seconds)
    return said.get("ready") is True and "version" in said


def url(data_dir: Path | None) -> str:
    """The URL that a client command talks to: AWS_ENDPOINT_URL, else the data folder's emulator, else the default."""
    named = os.environ.get("AWS_ENDPOINT_URL")
    if named and data_dir is None:
        return named.rstrip("/")
    chosen = settings(data_dir=data_dir)
    running = record(chosen.data_dir)
    return running.url if running else chosen.url


def settings_of(said: Mapping[str, Any], data_dir: Path | None = None) -> Settings:
    """This shell's settings, with the account and the region that the emulator has, by its status."""
    own = settings(data_dir=data_dir)
    return replace(own, account=said.get("account") or own.account, region=said.get("region") or own.region)


def is_here(url: str) -> bool:
    """Whether the emulator at the URL is a process of this machine, so that its container engine is ours, too."""
    usual = record(settings().data_dir)
    if usual is not None and usual.url == url.rstrip("/"):
        return True
    try:
        said = ask(url)
    except Stop:
        return False  # without its token it does not answer
    found = record(Path(said["data_dir"])) if said is not None else None
    return found is not None and said is not None and found.pid == said.get("pid")


def running(data_dir: Path | None) -> tuple[str, dict[str, Any]]:
    """URL and status of the emulator that a client command talks to. Raises Stop when it is not running."""
    place = url(data_dir)
    said = ask(place)
    if said is None:
        raise Stop(f"no emulator answers at {place}. `samebox up` starts one.")
    return place, said


def faults(url: str, method: str, fault: str = "") -> list[str]:
    """Those that are set at an emulator, once it has set (POST) or cleared (DELETE) them. Raises Stop."""
    status, found = _get(url, FAULTS_PATH, 5, sign=True, method=method, body=fault.encode())
    if status != http.HTTPStatus.OK or not isinstance(found.get("faults"), list):
        raise Stop(
            f"the emulator at {url} did not take it: status {status}. Is it of this version, and is its token set?"
        )
    return [str(one) for one in found["faults"]]


def _get(
    url: str, path: str, seconds: float, sign: bool = False, method: str = "GET", body: bytes = b""
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer; 0 when there is none, and an empty object when it is something else."""
    place = url.rstrip("/") + path
    headers = {}
    if sign and (own := settings()).token:
        from samebox.commands import aws  # boto3 takes its time to load, and most emulators have no token

        headers = aws.signature(place, own, method, body)
    try:
        # Only ever an http URL of ours; and never by way of a proxy, which would look for loopback on its own machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(place, body or None, headers, method=method)  # noqa: S310
        with opener.open(request, timeout=seconds) as answer:
            said = json.loads(answer.read(1_000_000))
            return answer.status, said if isinstance(said, dict) else {}
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, {}
    except (urllib.error.URLError, OSError, ValueError):
        return 0, {}


def _file(data_dir: Path) -> Path:
    return data_dir / "emulator.json"
