"""Networks of a job's or an endpoint's own: made in a range that no local network uses, found again, and removed."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import TYPE_CHECKING

from samebox.containers.engine import EngineError, EngineUnavailable, NameTaken

if TYPE_CHECKING:
    from samebox.containers.engine import Network, NetworkApi
    from samebox.platform.job import JobNetwork

# 198.18.0.0/15 is set aside for tests between networks (RFC 2544): neither a company's network nor a provider uses it.
# An engine's own ranges are enough for some thirty networks, and belong to whatever else runs on it.
RANGE = ipaddress.IPv4Network("198.18.0.0/15")
_PREFIX = 24
_NETWORKS = 2 ** (_PREFIX - RANGE.prefixlen)
MOST_TRIES = 64
_FIRST_ADDRESS = 32


def make(engine: NetworkApi, network: JobNetwork) -> Network:
    """The network, made unless it is there. Raises EngineError, and EngineUnavailable where its name is not ours."""
    for attempt in range(MOST_TRIES):
        try:
            return engine.create_network(network.name, network.labels, network.internal, gateway(network.name, attempt))
        except NameTaken:
            made = next((one for one in engine.networks(network.labels) if one.name == network.name), None)
            if made is None:
                raise EngineUnavailable(f"The engine is busy with the network {network.name}.") from None
            return made
        except EngineUnavailable:
            raise
        except EngineError:  # another network has these addresses
            if attempt == MOST_TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


def address(network: Network, number: int) -> str | None:
    """An address on the network for the container of this number, from 0 on; None where its range is not known.

    The first addresses are left to the engine, for what is given none.
    """
    if network.gateway is None:
        return None
    own = ipaddress.ip_interface(network.gateway).network
    return str(own[_FIRST_ADDRESS + number]) if _FIRST_ADDRESS + number < own.num_addresses - 1 else None


def gateway(name: str, attempt: int = 0) -> str:
    """The host's address on a network, with its prefix: of 512 ranges one by the network's name, then the next ones."""
    number = (int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") + attempt) % _NETWORKS
    return f"{RANGE[number * 256 + 1]}/{_PREFIX}"
