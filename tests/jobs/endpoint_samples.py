"""What tests of endpoints are made of: servers, models, deployments, and questions to what is served."""

import http.client
import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Variant, serving
from samebox.settings import Settings

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process, Program
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness

# Pings of tests are often, and give up soon.
SETTINGS = replace(Settings(), ping_interval_seconds=0.02, ping_seconds=0.5, serving_stop_seconds=2.0)

PING_FAILED = (
    "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
    "CloudWatch logs for this endpoint."
)


def server(word: str) -> "Program":
    """A server that says a word."""

    def answer(request: FakeRequest) -> FakeResponse:
        return FakeResponse(200, b"" if request.path == "/ping" else word.encode())

    def serve(process: "Process") -> int:
        process.print(f"{word} serves")
        return process.serve(answer)

    return serve


def archive(**files: bytes) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()


def variant(
    name: str = "AllTraffic",
    image: str = "serve:1",
    url: str | None = None,
    count: int = 1,
    weight: float = 1.0,
    startup_seconds: float | None = 20,
    instance_type: str = "ml.m5.large",
    isolated: bool = False,
) -> Variant:
    container = ServedContainer(image, image, model_data_url=url)
    return Variant(name, "model", instance_type, (container,), count, weight, startup_seconds, isolated)


def wanted(*variants: Variant, config: str = "config-1", at: float | None = None) -> EndpointDeployment:
    return EndpointDeployment(config, variants, at)


def ask(row: "Resource", number: int = 0, which: int = 0) -> str:
    """What the endpoint answers at an address of its routes."""
    host, port = serving(row).routes[number].addresses[which]
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request("POST", "/invocations", body=b"1")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def ids(harness: "Harness") -> set[str]:
    """Which containers there are: one that was made again has another id."""
    return {state.id for state in harness.engine.find({})}


def logs(harness: "Harness", name: str = "digits") -> dict[str, list[str]]:
    group = f"/aws/sagemaker/Endpoints/{name}"
    return {
        stream.name: [event.message for _, event in harness.logbook.read(group, stream.name)]
        for stream in harness.logbook.streams(group)
    }
