"""LocalStack, where it is wanted: what passes requests on to it, and events."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from samebox.app.endings import Endings
from samebox.containers.localstack_server import KEY_HEADER, LocalStackServer
from samebox.services.events.delivery import Deliver, nowhere
from samebox.services.localstack import LocalStackEndpoint
from samebox.services.localstack_targets import LocalStackTargets
from samebox.services.outbox import MessageDelivery, Outbox, OutgoingMessage


def make_localstack(
    server: LocalStackServer | None, clock: Callable[[], float], endings: Endings
) -> LocalStackEndpoint | None:
    """What answers for services that are not spoken here; None where LocalStack is off."""
    if server is None:
        return None
    endpoint = LocalStackEndpoint(server.url, server.forget, (KEY_HEADER.encode(), server.key.encode()), clock)
    endings.add_connections(endpoint.close)
    return endpoint


@dataclass(frozen=True)
class EventTargets:
    """Where events go: through `outbox`, which tries until a message is delivered, or at once."""

    outbox: Outbox
    deliver: MessageDelivery


def make_targets(server: LocalStackServer | None, folder: Path, endings: Endings) -> EventTargets | None:
    """Queues, topics and functions of LocalStack as targets of events; None where LocalStack is off."""
    if server is None:
        return None
    deliver = LocalStackTargets(server.url, (KEY_HEADER, server.key))
    outbox = Outbox(folder / "outbox", deliver)
    outbox.start()
    endings.add(outbox.close)
    return EventTargets(outbox, deliver)


def forwarding(targets: EventTargets | None) -> Deliver:
    """What delivers EventBridge's events to queues, topics, functions and state machines."""
    if targets is None:
        return nowhere
    outbox = targets.outbox
    return lambda arn, payload, subject="": outbox.add(OutgoingMessage(arn, payload, subject))
