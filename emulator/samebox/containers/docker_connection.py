"""Where Docker's engine is and how it is reached: contexts, TLS and ssh by the SDK, sockets by our own pool."""

from __future__ import annotations

import os
import socket
from typing import Any

from docker import APIClient, utils
from docker.context import Context, ContextAPI
from docker.errors import DockerException
from docker.transport.unixconn import UnixHTTPAdapter, UnixHTTPConnection, UnixHTTPConnectionPool

from samebox.containers.docker_http import ANSWER_SECONDS, CONNECT_SECONDS, Connected
from samebox.containers.engine import EngineUnavailable

_REQUESTS_AT_ONCE = 64  # more work, too; their connections are not kept


def connect(host: str | None) -> Connected:
    try:
        arguments: dict[str, Any] = {"base_url": host}
        if not host:
            arguments = dict(utils.kwargs_from_env())  # DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH
        if not arguments.get("base_url"):
            context = _current_context()
            arguments = {"base_url": context.Host, "tls": context.TLSConfig}
        address = arguments["base_url"] or "unix:///var/run/docker.sock"
        address = address.replace("http+unix://", "unix://")
        # The version is only the SDK's own book-keeping: giving one spares its question to the daemon.
        session = APIClient(**arguments, version="1.41", timeout=int(ANSWER_SECONDS), max_pool_size=_REQUESTS_AT_ONCE)
    except (DockerException, OSError, ValueError) as error:
        raise EngineUnavailable(f"Docker's settings cannot be used: {error}") from error
    session.trust_env = False  # no proxy stands between us and the engine, and looking for one costs a millisecond
    session.headers["Accept-Encoding"] = "identity"  # or Docker compresses archives, and we would unpack them again
    if session.base_url.startswith("http+docker://localhost"):
        session.mount("http+docker://", _SocketAdapter(address.removeprefix("unix://")))
    return Connected(session, session.base_url, address)


def _current_context() -> Context:
    name = os.environ.get("DOCKER_CONTEXT")
    contexts: list[Context | None] = [ContextAPI.get_context(name)]  # the stubs know nothing of its None
    if contexts[0] is None:
        raise EngineUnavailable(f"There is no Docker context {name!r}.")
    return contexts[0]


class _SocketAdapter(UnixHTTPAdapter):
    """The SDK keeps a pool of connections for each URL; all of them lead to one socket, so one pool serves all."""

    def __init__(self, path: str) -> None:
        self._pool = _SocketPool("http+docker://localhost", path, int(ANSWER_SECONDS), maxsize=_REQUESTS_AT_ONCE)
        super().__init__(f"http+unix://{path}")

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ARG002
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


class _SocketPool(UnixHTTPConnectionPool):
    def _new_conn(self) -> Any:
        return _SocketConnection(self.base_url, self.socket_path, int(ANSWER_SECONDS))


class _SocketConnection(UnixHTTPConnection):
    def connect(self) -> None:
        """The SDK's own leaves the socket to the garbage collector when no daemon listens."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(self.unix_socket)
        except OSError:
            connection.close()
            raise
        self.sock = connection
