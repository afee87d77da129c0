"""LocalStack, where it is wanted: what passes requests on to it."""

from collections.abc import Callable

from samebox.app.endings import Endings
from samebox.containers.localstack_server import KEY_HEADER, LocalStackServer
from samebox.services.localstack import LocalStackEndpoint


def make_localstack(
    server: LocalStackServer | None, clock: Callable[[], float], endings: Endings
) -> LocalStackEndpoint | None:
    """What answers for services that are not spoken here; None where LocalStack is off."""
    if server is None:
        return None
    endpoint = LocalStackEndpoint(server.url, server.forget, (KEY_HEADER.encode(), server.key.encode()), clock)
    endings.add_connections(endpoint.close)
    return endpoint
