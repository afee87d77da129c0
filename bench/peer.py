"""The peer: local mode of the SageMaker Python SDK v2, in an environment of its own, with the same box image.

It needs Docker Compose. Where the docker command has none, `set_up` unpacks Debian's package into the same environment:
nothing of it is installed on the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from bench.servers import SCRIPT
from bench.stand import ROOT, NotMeasured, Stand
from tests.ports import free_port

ENVIRONMENT = ROOT / ".venv-peer"
PROGRAM = Path(__file__).parent / "peer_program.py"
NETWORK = "sagemaker-local"  # made by the SDK, by its name alone
SUITE = "trixie"  # the first Debian with Compose v2
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECONDS = 600


def is_there() -> bool:
    """Whether the peer is installed."""
    return (ENVIRONMENT / "bin" / "python").exists()


def set_up() -> None:
    """Make .venv-peer, or bring it up to date. Raises NotMeasured with the reason where it cannot be had."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["peer"]
    uv = _said(str(ROOT / "scripts" / "setup"), "--print-uv").strip()
    if not is_there():
        _said(uv, "venv", "--quiet", str(ENVIRONMENT))
    _said(uv, "pip", "install", "--quiet", "--python", str(ENVIRONMENT / "bin" / "python"), *wanted)
    if not _has_compose():
        _unpack_compose()


def measure(stand: Stand, rounds: int, figures: dict[str, float]) -> None:
    """Put medians in seconds into `figures`: "fit", "deploy", "invoke p50", "invoke p99".

    Raises NotMeasured; what was measured before that is in `figures`.
    """
    if not is_there():
        raise NotMeasured("the peer is not installed: scripts/bench --peer installs it")
    if not _has_compose():
        raise NotMeasured("the peer needs Docker Compose: scripts/bench --peer gets it where it can")
    if not _network_exists():
        stand.networks.append(NETWORK)
    given = {
        "image": stand.image, "script": SCRIPT, "folder": str(stand.folder / "peer"), "port": free_port(),
        "rounds": rounds,
    }  # fmt: skip
    (stand.folder / "peer").mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            [str(ENVIRONMENT / "bin" / "python"), str(PROGRAM)],
            input=json.dumps(given), env=_environment(), cwd=stand.folder / "peer",
            capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"the peer did not end within {SECONDS} s") from None
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            figures.update(json.loads(line))
    if done.returncode:
        raise NotMeasured(f"the peer failed: {(done.stderr.strip().splitlines() or ['it printed nothing'])[-1]}")


def _environment() -> dict[str, str]:
    # Nothing of the person's own AWS configuration, and no network: local mode must not need it.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAMEBOX_", "PYTHON"))}
    given = {
        **outside,
        "PYTHONWARNINGS": "ignore",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if _plugin().exists():
        given["DOCKER_CONFIG"] = str(_plugin().parent.parent)
        # The SDK asks `docker compose version` for "v2", which Debian's does not say, and then for `docker-compose`.
        given["PATH"] = f"{_plugin().parent}:{outside.get('PATH', os.defpath)}"
    return given


def _plugin() -> Path:
    return ENVIRONMENT / "docker" / "cli-plugins" / "docker-compose"


def _has_compose() -> bool:
    return subprocess.run(
        ["docker", "compose", "version"], env=_environment(), capture_output=True, check=False
    ).returncode == 0  # fmt: skip


def _network_exists() -> bool:
    return subprocess.run(["docker", "network", "inspect", NETWORK], capture_output=True, check=False).returncode == 0


def _unpack_compose() -> None:
    """Debian's package, from the mirror that this machine's apt uses, by lists of its own."""
    if shutil.which("apt-get") is None:
        raise NotMeasured("the docker command has no `compose`, and no apt-get is here to fetch it")
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"
    known = _said("apt-get", "indextargets", "--format", form, "Created-By: Packages").splitlines()
    sources = [words for words in map(str.split, known) if words[2:] == ["main", "Debian"] and "-" not in words[1]]
    mirror = next((words[0] for words in sources), None)
    if mirror is None:
        raise NotMeasured("apt has no source of Debian's, so there is no mirror to take docker-compose from")
    with tempfile.TemporaryDirectory(prefix="samebox-compose-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # apt fetches as its own user
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
        options = [
            f"-oDir::Etc::SourceList={folder}/sources.list", "-oDir::Etc::SourceParts=/dev/null",
            f"-oDir::State::Lists={folder}/lists", "-oDir::Cache::pkgcache=", "-oDir::Cache::srcpkgcache=",
            "-oAPT::Sandbox::User=",
        ]  # fmt: skip
        _said("apt-get", *options, "-qq", "update")
        _said("apt-get", *options, "-qq", "download", "docker-compose", folder=folder)
        (package,) = folder.glob("*.deb")
        _said("dpkg-deb", "--extract", str(package), str(folder / "unpacked"))
        _plugin().parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / "unpacked/usr/libexec/docker/cli-plugins/docker-compose", _plugin())


def _said(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode:
        raise NotMeasured(f"{Path(command[0]).name} {command[1]}: {done.stderr.strip()[-500:]}")
    return done.stdout
