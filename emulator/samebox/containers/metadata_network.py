"""The network on which containers reach us at 169.254.170.2, the address that AWS SDKs ask for credentials.

It is a bridge whose host side has that address: only this machine and its containers can speak to it. One emulator
of a machine can have it, the first; the others' containers do without credentials, and without a way back to us.
"""

import errno
import logging
import socket

from samebox.containers.engine import INSTANCE_LABEL, EngineError, NameTaken, NetworkApi
from samebox.listening import listener_at

log = logging.getLogger(__name__)

ADDRESS = "169.254.170.2"
NAME = "samebox"
PORT = 80
_GATEWAY = f"{ADDRESS}/24"


class MetadataNetwork:
    """`open` before the first container, `close` and `release` at the end.

    The network stays where there are running containers on it. Until `release`, no other emulator has the address: one
    that took it while we remove the network would be left without it.
    """

    def __init__(self, engine: NetworkApi, instance_id: str, port: int = PORT) -> None:
        self._engine = engine
        self._instance_id = instance_id
        self._port = port
        self._held: socket.socket | None = None
        self._is_new = False

    def open(self) -> socket.socket | None:
        """A socket that listens at the address, None where that is not possible; the log has the reason."""
        try:
            self._make()
        except EngineError as error:
            log.info("containers get no credentials: %s", error)
            return None
        try:
            listener = listener_at(ADDRESS, self._port)
        except OSError as error:
            log.info("containers get no credentials: %s", _why(error))
            if self._is_new:  # the engine is elsewhere, or we may not listen there: it is of no use
                self._remove()
            return None
        # The network's maker (a run of ours that was killed, or another emulator that has ended) listens no more.
        self._held = listener.dup()  # a server closes what it serves, before anything else ends
        return listener

    def close(self) -> None:
        """Remove the network if it is ours and without containers."""
        if self._held is not None:
            self._remove()

    def release(self) -> None:
        """Let another emulator have the address."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _remove(self) -> None:
        try:
            self._engine.remove_network(NAME)
        except EngineError as error:
            log.info("the network %s stays: %s", NAME, error)

    def _make(self) -> None:
        try:
            self._engine.create_network(NAME, {INSTANCE_LABEL: self._instance_id}, gateway=_GATEWAY)
            self._is_new = True
        except NameTaken:
            log.debug("the network %s is there already", NAME)


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"another emulator has {ADDRESS}"
    if error.errno == errno.EACCES:
        return f"only root may listen at {ADDRESS}:{PORT}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{ADDRESS} is not on this machine, where the container engine's networks would put it"
    return f"{ADDRESS}: {error.strerror}"
