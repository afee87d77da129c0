"""Environment and files with which containers use the network: its proxies, CA certificates and package index.

Behind a proxy that inspects TLS, programs in a container trust no certificate, and pip fails. Each of these is a
setting; none is guessed from the emulator's own environment, which may hold the passwords of a proxy.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from samebox.containers.engine import Mount
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
# The container itself, and this emulator.
_NEVER_BY_PROXY = ("localhost", "127.0.0.1", "::1", "169.254.170.2")


def variables(settings: Settings, hosts: Sequence[str] = ()) -> dict[str, str]:
    """Environment variables for containers that have a network, and reach these hosts without a proxy.

    What a request sets itself is to win.
    """
    found: dict[str, str] = {}
    proxies = {"http_proxy": settings.http_proxy, "https_proxy": settings.https_proxy}
    if any(proxies.values()):
        proxies["no_proxy"] = ",".join(filter(None, (settings.no_proxy, *_NEVER_BY_PROXY, *hosts)))
    for name, value in proxies.items():
        if value:
            # Some programs read the one, some the other.
            found |= {name: value, name.upper(): value}
    if settings.ca_bundle:
        found |= dict.fromkeys(_CA_VARIABLES, CA_FILE)
    if settings.package_index:
        found |= {"PIP_INDEX_URL": settings.package_index, "UV_DEFAULT_INDEX": settings.package_index}
        place = urlsplit(settings.package_index)
        if place.scheme == "http":
            found["PIP_TRUSTED_HOST"] = place.netloc.rpartition("@")[2]  # pip takes no plain http otherwise
    return found


def mounts(settings: Settings) -> tuple[Mount, ...]:
    """What `variables` names."""
    return (Mount(Path(settings.ca_bundle), CA_FILE, read_only=True),) if settings.ca_bundle else ()
