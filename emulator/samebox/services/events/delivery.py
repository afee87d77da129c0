"""Delivery to targets: a log group, an HTTP address of this machine, another bus; all else is another's to deliver."""

import http.client
import uuid
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from samebox.resources.logbook import Event, Logbook

# A target that does not answer holds the others up for no longer.
_SECONDS = 5.0
_HEADERS = {"content-type": "application/json; charset=utf-8", "user-agent": "Amazon/EventBridge/ApiDestinations"}


class DeliveryFailed(Exception):
    """A target was not reached, or refused what it was sent; the message says why."""


class Deliver(Protocol):
    """Sends a payload to what has an ARN, such as a queue, a topic or a function. Raises DeliveryFailed.

    `subject` is for topics, which deliver it to those who read them.
    """

    def __call__(self, arn: str, payload: str, subject: str = "") -> None: ...


def arn_parts(arn: str) -> list[str]:
    """The six parts of an ARN; those that it lacks are empty."""
    return [*arn.split(":", 5), "", "", "", "", ""][:6]


def nowhere(arn: str, payload: str, subject: str = "") -> None:  # noqa: ARG001
    """Where no other emulator is: raises DeliveryFailed."""
    raise DeliveryFailed(f"samebox has no {arn_parts(arn)[2]}; `samebox up --localstack` starts one that has")


class Targets:
    """Sends payloads to targets by their ARNs.

    `destinations`: name of an API destination -> http address on loopback; `forward` has what is another's.
    """

    def __init__(
        self,
        logbook: Logbook,
        clock: Callable[[], float],
        destinations: Mapping[str, str],
        forward: Deliver = nowhere,
    ) -> None:
        self._logbook = logbook
        self._clock = clock
        self._destinations = destinations
        self._forward = forward

    def deliver(self, arn: str, payload: str, subject: str = "") -> None:
        """Send a payload. Raises DeliveryFailed."""
        _, _, service, region, account, path = arn_parts(arn)
        if service == "logs" and path.startswith("log-group:"):
            self._log(account, region, path.removeprefix("log-group:").removesuffix(":*"), payload)
        elif service == "events" and path.startswith("api-destination/"):
            self._post(path.split("/")[1], payload)
        else:
            self._forward(arn, payload, subject)

    def _log(self, account: str, region: str, group: str, payload: str) -> None:
        book = self._logbook.of(account, region)
        if not book.has_group(group):
            raise DeliveryFailed(f"there is no log group {group}")
        at = int(self._clock() * 1000)
        # EventBridge makes streams of its own; here a group has one for each day.
        stream = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{group} {at // 86_400_000}"))
        try:
            book.append(group, stream, [Event(at, payload)])
        except OSError as error:
            raise DeliveryFailed(f"{group}: {error}") from None

    def _post(self, name: str, payload: str) -> None:
        url = self._destinations.get(name)
        if url is None:
            raise DeliveryFailed(f"SAMEBOX_EVENT_DESTINATIONS has no address of {name}")
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_SECONDS)
        try:
            path = (place.path or "/") + (f"?{place.query}" if place.query else "")
            connection.request("POST", path, payload.encode(), _HEADERS)
            answer = connection.getresponse()
            answer.read(1024)
        except (OSError, http.client.HTTPException) as error:
            raise DeliveryFailed(f"{url}: {error}") from None
        finally:
            connection.close()
        # A redirect is not followed: it could lead anywhere.
        if not 200 <= answer.status < 300:
            raise DeliveryFailed(f"{url}: {answer.status} {answer.reason}")
