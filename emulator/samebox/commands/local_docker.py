"""What needs the `docker` program: tag an image, log in, push. Credentials are stored nowhere.

Everything else about containers goes through containers/engine.py; its protocol has no push, because the emulator
itself never pushes.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from samebox.commands.outcome import Stop

# A push moves gigabytes; anything else is a question to a local daemon.
PUSH_SECONDS = 3600
ANSWER_SECONDS = 120

_NONE = "<none>"  # docker's word for a tag or a digest that an image has not


@dataclass(frozen=True)
class LocalImage:
    """An image that the local engine holds. `id`: the digest of its config, with containerd's store of its manifest."""

    name: str
    id: str
    size_bytes: int


def image(name: str) -> LocalImage | None:
    """What the local engine holds under a name; None when it holds nothing. Raises Stop when no engine answers."""
    told = _run(["image", "inspect", "--format", '{"id": {{json .Id}}, "size": {{json .Size}}}', name])
    if told.returncode:
        if "No such image" in told.stderr or "no such image" in told.stderr:
            return None
        raise Stop(f"docker image inspect {name}: {told.stderr.strip()}")
    facts = json.loads(told.stdout)
    return LocalImage(name, facts["id"], facts["size"])


@contextmanager
def logged_in(registry: str, username: str, password: str) -> Iterator[Path]:
    """A configuration folder, only for this, in which docker is logged in to the registry; gone afterwards.

    The person's own ~/.docker/config.json is not written: a login there would stay, and a credential store that is not
    installed would refuse it.
    """
    with tempfile.TemporaryDirectory(prefix="samebox-login-") as folder:
        configuration = Path(folder)
        own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
        _keep_context(own, configuration)
        told = _run(["login", "--username", username, "--password-stdin", registry], configuration, password)
        if told.returncode:
            raise Stop(f"docker login {registry}: {told.stderr.strip()}")
        yield configuration


def push(local: str, remote: str, configuration: Path) -> None:
    """Push a local image under a remote name; docker's progress goes to stderr. Raises Stop with docker's message."""
    had = image(remote)
    tagged = _run(["tag", local, remote])
    if tagged.returncode:
        raise Stop(f"docker tag {local} {remote}: {tagged.stderr.strip()}")
    try:
        quiet = [] if sys.stderr.isatty() else ["--quiet"]
        command = ["docker", "--config", str(configuration), "push", *quiet, remote]
        pushed = subprocess.run(command, stdout=sys.stderr, check=False, timeout=PUSH_SECONDS)
        if pushed.returncode:
            raise Stop(f"docker push {remote} ended with status {pushed.returncode}; its output is above.")
    finally:
        # The name was only needed for the push. One that was there before was the person's, and stays.
        if had is None:
            _run(["rmi", "--no-prune", remote])


def forget(registry: str) -> None:
    """Take from the local engine the names that it has for images of a registry that is no more. Raises Stop.

    Layers stay where another name has them.
    """
    told = _run(["image", "ls", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}"])
    if told.returncode:
        raise Stop(f"docker image ls: {told.stderr.strip()}")
    names = set()
    for repository, tag, digest in map(str.split, told.stdout.splitlines()):
        if repository.startswith(f"{registry}/"):
            names.add(f"{repository}:{tag}" if tag != _NONE else f"{repository}@{digest}")
    if names:
        gone = _run(["rmi", "--no-prune", *sorted(names)])
        if gone.returncode and "No such image" not in gone.stderr:
            raise Stop(f"docker rmi: {gone.stderr.strip()}")


def _keep_context(own: Path, configuration: Path) -> None:
    # The current context selects the engine; it is stored in the folder that we replace.
    try:
        current = json.loads((own / "config.json").read_text()).get("currentContext")
    except (OSError, ValueError):
        current = None
    if current and (own / "contexts").is_dir():
        (configuration / "contexts").symlink_to(own / "contexts")
        (configuration / "config.json").write_text(json.dumps({"currentContext": current}))


def _run(
    arguments: Sequence[str], configuration: Path | None = None, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    place = ["--config", str(configuration)] if configuration else []
    try:
        command = ["docker", *place, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS)
    except FileNotFoundError:
        raise Stop("the `docker` program is not on PATH. scripts/setup installs it on Debian and Ubuntu.") from None
    except subprocess.TimeoutExpired:
        raise Stop(f"docker {arguments[0]}: no answer within {ANSWER_SECONDS} s") from None
