"""Which hosts the forward proxy connects a client to: AWS's end at the emulator, others are passed through or refused.

It is never an open proxy: it serves this machine and our own containers, reaches ports 443 and 8443 alone, no loopback
or link-local address, and none of the networks of jobs.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

# Of AWS's partitions: commercial regions and GovCloud, China, and the names with IPv6 of both (dual stack).
DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn")
_BELOW_DOMAINS = tuple(f".{domain}" for domain in DOMAINS)
# ECR's names with IPv6 are in a domain that other services give to their customers.
_ECR_DUAL_STACK = re.compile(r"\d{12}\.dkr-ecr(-fips)?\.[a-z0-9-]+\.on\.(aws|amazonwebservices\.com\.cn)")
PORTS = (443, 8443)
# The bucket that SageMaker's Python SDKs report their calls to (sagemaker 2.257, sagemaker-core 2.27), where a client
# that has not opted out sends them. They read nothing of the answer.
_TELEMETRY = re.compile(r"sm-pysdk-t-[a-z0-9-]+\.s3\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LONGEST_NAME = 253  # RFC 1035

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Refused(Exception):
    """The proxy does not do what a client asks of it; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class TunnelTarget:
    """What a client wants to be connected to. The host is in lower case, without a last dot or brackets."""

    host: str
    port: int

    @property
    def address(self) -> Address | None:
        """The address, if the host is one."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


@dataclass(frozen=True)
class Upstream:
    """A proxy that leads out of this network. `authorization` is the header's value, "" where it wants none."""

    host: str
    port: int
    tls: bool = False
    authorization: str = ""
    not_for: tuple[str, ...] = ()  # names, and domains with a dot before them, as in NO_PROXY

    def is_for(self, host: str) -> bool:
        """Whether a host is reached through it."""
        for one in self.not_for:
            domain = one.removeprefix("*").removeprefix(".")
            if one == "*" or host == domain or host.endswith(f".{domain}"):
                return False
        return True


@dataclass(frozen=True)
class ProxyRules:
    """What is done with a target. `pass_through`: whether other hosts than AWS's may be reached.

    `containers` are the networks of our own containers: clients there are served, and no target is there.
    """

    containers: tuple[Network, ...] = ()
    pass_through: bool = True
    upstream: Upstream | None = None

    def decide(self, target: TunnelTarget) -> Literal["emulator", "elsewhere"]:
        """Where a tunnel ends. Raises Refused (403)."""
        if target.port not in PORTS:
            raise Refused(403, f"The proxy connects to ports 443 and 8443 only, not to {target.port}. {_BESIDE}")
        if is_aws(target.host):
            return "emulator"
        if not self.pass_through:
            raise Refused(403, f"{target.host} is not AWS's, and SAMEBOX_PROXY_PASS_THROUGH is false.")
        address = target.address
        if address is not None:
            self.check_address(address)
        elif target.host == "localhost" or target.host.endswith(".localhost"):
            raise Refused(403, f"The proxy connects to no loopback address ({target.host}). {_BESIDE}")
        return "elsewhere"

    def check_address(self, address: Address) -> None:
        """Raises Refused (403) for a loopback or link-local address, one in a network of jobs, or one of no host."""
        real = _unmapped(address)
        is_inward = real.is_loopback or real.is_link_local or any(real in network for network in self.containers)
        if is_inward or real.is_unspecified or real.is_multicast:
            refused = f"The proxy connects to no loopback or link-local address, and to no network of jobs ({address})."
            raise Refused(403, f"{refused} {_BESIDE}")

    def is_near(self, peer: str) -> bool:
        """Whether a client is on this machine, or in one of our containers."""
        try:
            address = _unmapped(ipaddress.ip_address(peer))
        except ValueError:
            return False
        return address.is_loopback or any(address in network for network in self.containers)


def _unmapped(address: Address) -> Address:
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return inner or address


def parse(authority: str) -> TunnelTarget:
    """The target of a CONNECT: `host:port`, `[address]:port`. Raises Refused (400)."""
    host, colon, port = authority.lower().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    host = host.removesuffix(".")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536 or not _is_host(host):
        raise Refused(400, "CONNECT takes a host and a port, such as api.sagemaker.us-east-1.amazonaws.com:443.")
    return TunnelTarget(host, int(port))


def is_aws(host: str) -> bool:
    """Whether a name is AWS's, so that it means the emulator."""
    return host.endswith(_BELOW_DOMAINS) or _ECR_DUAL_STACK.fullmatch(host) is not None


def is_telemetry(host: str) -> bool:
    """Whether AWS's SDKs send this host reports of their use, which end here with an empty answer."""
    return _TELEMETRY.fullmatch(host) is not None


def _is_host(host: str) -> bool:
    if len(host) > _LONGEST_NAME:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # What resolvers take for an address, such as 127.1 or 0x7f000001, is a name here: its address is checked, too.
        return _NAME.fullmatch(host) is not None
    return "%" not in host  # no zone of an IPv6 address


_BESIDE = "NO_PROXY names hosts that a client reaches without a proxy."
