"""S3 on a port of its own, without the rest of an emulator: the endpoint over a storage in a folder."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import uvicorn
import uvloop
from botocore.config import Config

from samebox.s3.store import S3Store
from samebox.services.s3.endpoint import S3Endpoint
from samebox.services.s3.forms import Forms
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3.client import S3Client

ACCOUNT = "000000000000"
REGION = "us-east-1"
_END_SECONDS = 60
_KEEP_SECONDS = 900  # clients here do not retry where the server closes a connection that they would use again


@dataclass(frozen=True)
class S3Server:
    """A server that runs; `store` is what it serves."""

    url: str
    store: S3Store

    def client(self, region: str = REGION, account: str = ACCOUNT, **config: Any) -> S3Client:
        """boto3 in its default settings, but for retries: a test sees the first answer."""
        session = boto3.session.Session(account, "whatever", region_name=region)
        return session.client("s3", endpoint_url=self.url, config=Config(retries={"total_max_attempts": 1}, **config))


@contextmanager
def serving(folder: Path, *, gateway: bool = False, **options: Any) -> Iterator[S3Server]:
    """A server over `folder` for the length of a block; the options are the endpoint's.

    With `gateway`, requests come through the emulator's gateway, which takes upload forms, too.
    """
    store = S3Store(folder)
    listening = socket.create_server(("127.0.0.1", 0))
    models = Models(("s3",))
    endpoint = S3Endpoint(store, models, account=ACCOUNT, region=REGION, **options)
    application = Gateway(models, {}, s3=endpoint, s3_forms=Forms(endpoint, models, folder)) if gateway else endpoint
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            log_level="critical",
            http="httptools",
            lifespan="off",
            timeout_graceful_shutdown=5,
            timeout_keep_alive=_KEEP_SECONDS,
        )
    )

    async def run() -> None:
        await server.serve([listening])
        await endpoint.close()

    thread = threading.Thread(target=lambda: uvloop.run(run()), name="s3-server")
    thread.start()
    try:
        yield S3Server(f"http://127.0.0.1:{listening.getsockname()[1]}", store)
    finally:
        server.should_exit = True
        thread.join(_END_SECONDS)
        listening.close()
        store.close()
