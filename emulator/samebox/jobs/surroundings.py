"""Environment and files with which containers use the network: its proxies, CA certificates and package index.

Programs that name AWS's addresses themselves reach the emulator by its forward proxy. Only AWS's clients are given its
certificate authority: what else an image trusts stays as it is, because other hosts have certificates of their own.

Behind a proxy that inspects TLS, programs in a container trust no certificate, and pip fails. Each of these is a
setting; none is guessed from the emulator's own environment, which may hold the passwords of a proxy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from samebox.containers.engine import Mount
from samebox.platform import networks
from samebox.settings import Settings

# Where no image and no SageMaker has anything.
CA_FILE = "/etc/samebox/ca.pem"
# OpenSSL (Python's ssl, uv), requests and botocore, curl, pip, git, Node.
_CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
# Where only clients of AWS are to trust another authority: botocore; Node, which adds it to its own.
_AWS_CA_VARIABLES = ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
# The container itself, this emulator, and jobs' networks, for what knows ranges.
_NEVER_BY_PROXY = ("localhost", "127.0.0.1", "::1", "169.254.170.2", str(networks.RANGE))


@dataclass(frozen=True)
class ContainerProxy:
    """The emulator's forward proxy, as containers reach it, and the file of certificates that it is trusted with."""

    url: str
    ca_bundle: Path


def variables(settings: Settings, hosts: Sequence[str] = (), way: ContainerProxy | None = None) -> dict[str, str]:
    """Environment variables for containers that have a network, and reach these hosts without a proxy.

    What a request sets itself is to win. With a way back, the proxy of the settings is the emulator's to use.
    """
    found: dict[str, str] = {}
    proxies = {"http_proxy": settings.http_proxy, "https_proxy": settings.https_proxy}
    if way is not None:
        proxies["https_proxy"] = way.url
    if any(proxies.values()):
        own = [urlsplit(way.url).hostname or ""] if way is not None else []
        never = dict.fromkeys((*_NEVER_BY_PROXY, *own, *hosts))
        proxies["no_proxy"] = ",".join(filter(None, (settings.no_proxy, *never)))
    for name, value in proxies.items():
        if value:
            # Some programs read the one, some the other.
            found |= {name: value, name.upper(): value}
    if way is not None:
        found |= dict.fromkeys(_AWS_CA_VARIABLES, CA_FILE)
    if settings.ca_bundle:
        found |= dict.fromkeys(_CA_VARIABLES, CA_FILE)
    if settings.package_index:
        found |= {"PIP_INDEX_URL": settings.package_index, "UV_DEFAULT_INDEX": settings.package_index}
        place = urlsplit(settings.package_index)
        if place.scheme == "http":
            found["PIP_TRUSTED_HOST"] = place.netloc.rpartition("@")[2]  # pip takes no plain http otherwise
    return found


def mounts(settings: Settings, way: ContainerProxy | None = None) -> tuple[Mount, ...]:
    """What `variables` names. The way's file has the authorities of the settings, too."""
    source = way.ca_bundle if way is not None else settings.ca_bundle
    return (Mount(Path(source), CA_FILE, read_only=True),) if source else ()
