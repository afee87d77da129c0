"""How the tests of the edge ask an emulator: as a program without a client of AWS's, with boto3, and with a form."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from urllib3 import encode_multipart_formdata

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.settings import Settings
from tests.ports import free_port

BUCKET = "objects"


def settings_of(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder / "data", port=free_port(), container_credentials=False, **more)


@contextmanager
def emulator(settings: Settings) -> Iterator[Settings]:
    settings.data_dir.mkdir(parents=True)
    with server.running(settings, FakeEngine(settings.data_dir / "engine")):
        yield settings


def client(service: str, settings: Settings, url: str | None = None, **more: Any) -> Any:
    config = Config(retries={"total_max_attempts": 1}, **more)
    session: Any = boto3.session.Session("000000000000", settings.token or "any", region_name="us-east-1")
    return session.client(service, endpoint_url=url or settings.url, config=config)


def keys(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def ask(
    settings: Settings,
    method: str,
    path: str,
    body: bytes = b"",
    named: Mapping[str, str] = MappingProxyType({}),
    **headers: str,
) -> tuple[int, Any, bytes]:
    headers = {**named, **headers}
    with closing(http.client.HTTPConnection("127.0.0.1", settings.port, timeout=60)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


TOKEN = "a token that nobody guesses"


def post(settings: Settings, url: str, fields: dict[str, str], content: bytes = b"1,2", **headers: str) -> Any:
    """Send a form as a browser does; gives status, headers and body."""
    body, kind = encode_multipart_formdata([*fields.items(), ("file", ("x.csv", content, "text/csv"))])
    return ask(settings, "POST", urlsplit(url).path, body, {"Content-Type": kind, **headers})
