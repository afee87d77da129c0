"""`samebox docker-setup`: teaches the Docker daemon ECR's names, so that `docker push` to them reaches the emulator.

Every change is shown before it is made, and the same command with --undo takes all of them back.
"""

import argparse
import hashlib
import ipaddress
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from samebox.commands import aws, consent, where
from samebox.commands.outcome import Stop
from samebox.proxy import docker_names
from samebox.proxy.docker_names import DockerNames
from samebox.settings import Settings
from samebox.wire.partitions import partition_of

MARK = "# samebox docker-setup"


@dataclass(frozen=True)
class FileChange:
    """A change of one file: what a person reads of it, and how it is made."""

    path: Path
    what: str
    apply: Callable[[], None]


def run(given: argparse.Namespace) -> int:
    settings = where.settings(data_dir=given.data_dir, port=given.port)
    etc = given.etc or Path("/etc")
    before = docker_names.read(settings.data_dir)
    after = DockerNames() if given.undo else _wanted(given, settings)
    if not before.proxy and before.hosts and not before.address:
        # Of a version that did not keep it.
        before = replace(before, proxy=_proxy(etc / "docker" / "daemon.json") or "")
    changes = [
        *removals(etc, before),
        *([] if given.undo else additions(etc, after, settings.data_dir, before.proxy)),
    ]
    if not changes:
        sys.stdout.write("Nothing to undo: the Docker daemon knows no name of this emulator.\n")
        return 0
    if etc == Path("/etc") and os.geteuid() != 0:
        raise Stop(f"only root may write below /etc: sudo {' '.join(_again(given, settings))}", status=2)
    _show(after, changes)
    consent.ask("This changes the Docker daemon's surroundings.", given.yes)
    for change in changes:
        change.apply()
    docker_names.write(settings.data_dir, after)
    sys.stdout.write(_next(before, after, settings))
    return 0


def names(account: str, regions: list[str]) -> tuple[str, ...]:
    """ECR's host names of an account."""
    return tuple(f"{account}.dkr.ecr.{one}.{partition_of(one).dns_suffix}" for one in regions)


def additions(etc: Path, names: DockerNames, data_dir: Path, earlier: str = "") -> list[FileChange]:
    """What makes the daemon know the names. `earlier`: the proxy of an earlier setup, which goes."""
    certificate = data_dir / "proxy" / "ca.pem"
    if not certificate.is_file():
        raise Stop(f"{certificate} is missing: start the emulator once, with `samebox up`.")
    found = []
    for host in names.hosts:
        path = etc / "docker" / "certs.d" / host / "ca.crt"
        if path.exists() and MARK not in path.read_text():
            raise Stop(f"{path} is there already, and is not of samebox.")
        text = f"{MARK}\n{certificate.read_text()}"
        found.append(FileChange(path, "the emulator's certificate authority, for this name", _writer(path, text)))
    if names.address:
        hosts = etc / "hosts"
        lines = "".join(f"{names.address} {host} {MARK}\n" for host in names.hosts)
        what = f"the names, at {names.address}, an address of this machine alone"
        return [*found, FileChange(hosts, what, lambda: _append(hosts, lines))]
    daemon = etc / "docker" / "daemon.json"
    if _proxy(daemon) not in (None, names.proxy, earlier):
        raise Stop(f"{daemon} has a proxy already. Start the emulator with SAMEBOX_HTTPS_PROXY, and take it out there.")
    return [*found, FileChange(daemon, f"https-proxy {names.proxy}", lambda: _set_proxy(daemon, names.proxy))]


def removals(etc: Path, names: DockerNames) -> list[FileChange]:
    """What takes an earlier setup back."""
    found = []
    for host in names.hosts:
        path = etc / "docker" / "certs.d" / host / "ca.crt"
        if path.exists() and MARK in path.read_text():
            found.append(FileChange(path, "removed", lambda path=path: _remove(path)))  # type: ignore[misc]
    hosts, daemon = etc / "hosts", etc / "docker" / "daemon.json"
    if names.address and any(_is_of(line, names) for line in _lines(hosts)):
        found.append(FileChange(hosts, "without its lines of samebox", lambda: _take_out(hosts, names)))
    if names.proxy and _proxy(daemon) == names.proxy:
        found.append(FileChange(daemon, "without its https-proxy", lambda: _set_proxy(daemon, None)))
    return found


def address_of(data_dir: Path) -> str:
    """A loopback address of the data folder's own: another emulator's names have another one."""
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).digest()
    return f"127.45.{digest[0]}.{digest[1] or 1}"


def _wanted(given: argparse.Namespace, settings: Settings) -> DockerNames:
    identity = aws.identity(settings)
    account = given.account or identity["AWS_ACCESS_KEY_ID"]
    regions = given.region or [identity["AWS_REGION"]]
    _check(account, regions, given.address)
    hosts = names(account, regions)
    if given.proxy:
        return DockerNames(hosts, proxy=f"http://127.0.0.1:{_port(given, settings)}")
    return DockerNames(hosts, given.address or address_of(settings.data_dir))


def _check(account: str, regions: list[str], address: str | None) -> None:
    """Raises Stop for what would make a name or a line of the hosts file that means nothing."""
    if not re.fullmatch("[0-9]{12}", account):
        raise Stop(f"an account has 12 digits, and {account!r} has not: give --account.", status=2)
    for region in regions:
        if not re.fullmatch("[a-z]{2,}(-[a-z]+)+-[0-9]+", region):
            raise Stop(f"{region!r} is not the name of a region, such as us-east-1.", status=2)
    try:
        ipaddress.ip_address(address or "127.0.0.1")
    except ValueError:
        raise Stop(f"--address takes an IP address, not {address!r}.", status=2) from None


def _port(given: argparse.Namespace, settings: Settings) -> int:
    """The port that is given, else that of the emulator which runs on the data folder, else the shell's."""
    running = where.record(settings.data_dir)
    its = urlsplit(running.url).port if running is not None else None
    port: int | None = given.port
    return port or its or settings.port


def _show(names: DockerNames, changes: list[FileChange]) -> None:
    lines = [f"{change.path}: {change.what}" for change in changes]
    lead = [f"docker login, push and pull will reach this emulator as {host}." for host in names.hosts]
    sys.stdout.write("\n".join([*lead, "To be written:", *(f"  {line}" for line in lines)]) + "\n")


def _next(before: DockerNames, after: DockerNames, settings: Settings) -> str:
    lines = []
    if "" in {names.address for names in (before, after) if names.hosts}:
        lines.append("Restart the Docker daemon: it reads daemon.json at its start (systemctl restart docker).")
    if where.record(settings.data_dir) is not None:
        lines.append("Restart the emulator, so that it knows: samebox down, then samebox up.")
    if after.address or before.address:
        # Go's resolver keeps what it read of the hosts file for 5 seconds (net/hosts.go, cacheMaxAge).
        lines.append("The Docker daemon reads the hosts file again within 5 seconds.")
    if after.address:
        lines.append(f"The emulator listens at {after.address}:443, which a user who is not root may not; see --proxy.")
    return "".join(f"{line}\n" for line in (*lines, "Done."))


def _again(given: argparse.Namespace, settings: Settings) -> list[str]:
    words = [sys.argv[0], "docker-setup", "--data-dir", str(settings.data_dir.resolve())]
    return [*words, *(["--undo"] if given.undo else [])]


# Files are written in place: /etc/hosts of a container is a mount, which cannot be replaced.


def _writer(path: Path, text: str) -> Callable[[], None]:
    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def _remove(path: Path) -> None:
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def _append(path: Path, lines: str) -> None:
    before = path.read_text() if path.exists() else ""
    path.write_text(before + ("" if before.endswith("\n") or not before else "\n") + lines)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True) if path.exists() else []


def _is_of(line: str, names: DockerNames) -> bool:
    return line.rstrip().endswith(MARK) and any(host in line.split() for host in names.hosts)


def _take_out(path: Path, names: DockerNames) -> None:
    path.write_text("".join(line for line in _lines(path) if not _is_of(line, names)))


def _daemon_settings(path: Path) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = json.loads(path.read_text() or "{}") if path.exists() else {}
    except ValueError as error:
        raise Stop(f"{path} is not JSON, and is left as it is: {error}") from None
    return settings


def _proxy(path: Path) -> str | None:
    settings = _daemon_settings(path)
    found: str | None = settings.get("proxies", {}).get("https-proxy")
    return found


def _set_proxy(path: Path, url: str | None) -> None:
    settings = _daemon_settings(path)
    proxies = {name: value for name, value in settings.pop("proxies", {}).items() if name != "https-proxy"}
    if url is not None:
        proxies["https-proxy"] = url
    if proxies:
        settings["proxies"] = proxies
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n")
