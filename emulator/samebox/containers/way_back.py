"""The network on which containers reach an emulator without 169.254.170.2: the second one, or one that is not root.

It is a bridge whose host side has an address that no other machine uses. Any user may listen there, on an unprivileged
port; containers on networks of jobs reach it over the host. AWS SDKs ask no such address for credentials.
"""

import errno
import logging
import socket
from collections.abc import Iterable, Mapping

from samebox.containers.engine import INSTANCE_LABEL, EngineError, EngineUnavailable, NameTaken, NetworkApi
from samebox.listening import listener_at

log = logging.getLogger(__name__)

_ADDRESS_LABEL = "samebox.way-back"  # the host's address on it, with its prefix


class WayBackNetwork:
    """`open` before the first container, `close` at the end. A network with running containers on it stays."""

    def __init__(self, engine: NetworkApi, instance_id: str, port: int) -> None:
        self._engine = engine
        self._port = port
        self.name = f"samebox-{instance_id}"
        self._labels: Mapping[str, str] = {INSTANCE_LABEL: instance_id}

    def open(self, gateways: Iterable[str]) -> socket.socket | None:
        """A socket that listens at the host's address on the network, or None; the log has the reason.

        `gateways` are addresses with their prefixes; the first that is free is taken.
        """
        try:
            address = self._made(gateways)
        except EngineError as error:
            log.info("containers cannot reach this emulator: %s", error)
            return None
        try:
            return listener_at(address, self._port)
        except OSError as error:
            is_elsewhere = error.errno == errno.EADDRNOTAVAIL
            why = "the container engine is on another machine" if is_elsewhere else error.strerror
            log.info("containers cannot reach this emulator at %s:%d: %s", address, self._port, why)
            self.close()
            return None

    def close(self) -> None:
        """Remove the network if it is without containers."""
        try:
            self._engine.remove_network(self.name)
        except EngineError as error:
            log.info("the network %s stays: %s", self.name, error)

    def _made(self, gateways: Iterable[str]) -> str:
        """The host's address on the network, which may be that of an earlier life."""
        problem = EngineError("no address is free")
        for gateway in gateways:
            try:
                self._engine.create_network(self.name, {**self._labels, _ADDRESS_LABEL: gateway}, gateway=gateway)
            except NameTaken:
                found = self._engine.networks({**self._labels, _ADDRESS_LABEL: None})
                own = [one.labels[_ADDRESS_LABEL] for one in found if one.name == self.name]
                if not own:
                    raise
                gateway = own[0]
            except EngineUnavailable:
                raise
            except EngineError as error:  # another network has these addresses
                problem = error
                continue
            return gateway.partition("/")[0]
        raise problem
