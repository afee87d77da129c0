"""S3: the emulator's own, over a storage in the data folder, or another one by its URL."""

import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.app.localstack import EventTargets
from samebox.asgi import Application, Scope
from samebox.data.local_objects import LocalObjects
from samebox.data.objects import Objects
from samebox.s3.migration import TakenOver
from samebox.s3.store import S3Store
from samebox.services.s3.cors import Consents
from samebox.services.s3.elsewhere import Credentials, S3Elsewhere
from samebox.services.s3.endpoint import S3Endpoint
from samebox.services.s3.housekeeping import Housekeeping
from samebox.services.s3.notifications import Messages, Notifications
from samebox.settings import PREFIX, Settings
from samebox.wire.models import Models

log = logging.getLogger(__name__)

# A client of the API waits for what S3 answers to a look at an address.
_CONNECT_SECONDS = 3.0
_ATTEMPTS = 3


class StartInterrupted(Exception):
    """The emulator is to end before its start is complete."""


@dataclass(frozen=True)
class ObjectStorage:
    """`objects` are what jobs and operations see; `endpoint` answers S3's requests. `models` are S3's alone.

    `consents`: whether a bucket's CORS rules let the page in that a request is from.
    """

    objects: Objects
    endpoint: Application
    models: Models
    consents: Callable[[Scope], Awaitable[bool]] | None = None


def open_objects(
    folder: DataFolder,
    settings: Settings,
    targets: EventTargets | None,
    announce: Callable[[Mapping[str, Any]], None],
    clock: Callable[[], float],
    endings: Endings,
    interrupted: threading.Event,
) -> ObjectStorage:
    """Open S3. Raises what the storage raises; whether another S3 can be reached is found out when it is asked.

    `announce` posts to EventBridge what buckets have it hear of; `targets` is where other notifications go, and
    without it they are only kept.

    Raises StartInterrupted where that is set while objects of an older data folder are taken over.
    """
    if settings.s3_url:
        return _elsewhere(settings, clock, endings)
    return _own(folder, settings, targets, announce, clock, endings, interrupted)


def _own(
    folder: DataFolder,
    settings: Settings,
    targets: EventTargets | None,
    announce: Callable[[Mapping[str, Any]], None],
    clock: Callable[[], float],
    endings: Endings,
    interrupted: threading.Event,
) -> ObjectStorage:
    """Objects of an older data folder, plain files below `s3/`, are taken over before it returns."""

    def check() -> None:
        if interrupted.is_set():
            raise StartInterrupted("The next start goes on with the objects of the older data folder.")

    s3 = S3Store(folder.path / "objects", clock=clock)
    endings.add(s3.close)
    taken = s3.migration.take_over(folder.path / "s3", settings.account, settings.region, _log_progress, check)
    for path in taken.left:
        log.warning("%s is not an object and stays where it is", path)
    messages = None if targets is None else Messages(targets.outbox, targets.deliver)
    notify = Notifications(s3, clock, announce, messages)
    housekeeping = Housekeeping(s3, notify.expired)
    housekeeping.start()
    endings.add(housekeeping.close)
    models = Models(("s3",))
    endpoint = S3Endpoint(
        s3,
        models,
        account=settings.account,
        region=settings.region,
        clock=clock,
        redirects=settings.s3_redirects,
        token=settings.signing_secret,
        public_access=settings.s3_public_access,
        notify=notify,
    )
    endings.add_connections(endpoint.close)
    objects = LocalObjects(s3, settings.account, settings.region, notify.written)
    return ObjectStorage(objects, endpoint, models, Consents(s3))


def _elsewhere(settings: Settings, clock: Callable[[], float], endings: Endings) -> ObjectStorage:
    from samebox.data.remote_objects import RemoteObjects  # and boto3, which every other start is quicker without

    url, keys = settings.s3_url.rstrip("/"), Credentials(*settings.s3_credentials.split(":"))
    objects = RemoteObjects(
        url,
        keys.access_key,
        keys.secret_key,
        keys.session_token or None,
        settings.s3_region,
        connect_timeout=_CONNECT_SECONDS,
        attempts=_ATTEMPTS,
    )
    endings.add(objects.close)
    endpoint = S3Elsewhere(url, keys, settings.s3_region, f"{PREFIX}S3_URL", clock)
    endings.add_connections(endpoint.close)
    log.info("S3 is at %s; the objects in the data folder stay as they are, and are not used", url)
    return ObjectStorage(objects, endpoint, Models(("s3",)))


def _log_progress(taken: TakenOver) -> None:
    # Each object is read once, for its digests. `samebox up` waits as long as this goes on.
    if taken.objects:
        log.info("S3: %d objects, %d bytes, are taken over from an older data folder", taken.objects, taken.size)
