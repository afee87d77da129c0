"""Deploying: from CreateEndpoint to InService, for a server that answers /ping as soon as it runs."""

from __future__ import annotations

import time

from bench.figures import Bar, Row, alternate, median
from bench.servers import SCRIPT
from bench.stand import Stand, ping, wait_for
from tests.ports import free_port
from tests.scenarios.emulator_process import ROLE

DEPLOY = "deploy"
BAR = Bar("ours", 1.5)
SECONDS = 60.0


def measure(stand: Stand, rounds: int, peer: dict[str, float]) -> list[Row]:
    """CreateEndpoint → InService against `docker run` → /ping 200."""
    emulator, name = stand.emulator, stand.name("deploy")
    container = {"Image": stand.box, "Environment": {"SCRIPT": SCRIPT}}
    emulator.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)  # type: ignore[arg-type]
    emulator.configure(name, name)
    ours(stand, name), bare(stand)
    seen_bare, seen_ours = alternate(rounds, lambda: bare(stand), lambda: ours(stand, name), report=stand.report)
    emulator.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    emulator.sagemaker.delete_model(ModelName=name)
    return [
        Row(
            DEPLOY, "deploy: CreateEndpoint → InService", "s", median(seen_ours), median(seen_bare),
            peer.get("deploy"), BAR,
        )
    ]  # fmt: skip


def bare(stand: Stand) -> float:
    """Seconds from `docker run` to the first 200 of /ping."""
    port = free_port()
    began = time.monotonic()
    container = stand.bare_server(SCRIPT, port)
    try:
        wait_for(lambda: ping(port), SECONDS, "the bare server answers /ping")
        return time.monotonic() - began
    finally:
        stand.remove(container)


def ours(stand: Stand, config: str) -> float:
    """Seconds from CreateEndpoint to InService."""
    client, name = stand.emulator.sagemaker, stand.name("endpoint")
    began = time.monotonic()
    client.create_endpoint(EndpointName=name, EndpointConfigName=config)
    wait_for(
        lambda: client.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService",
        SECONDS, f"{name} is InService",
    )  # fmt: skip
    seconds = time.monotonic() - began
    client.delete_endpoint(EndpointName=name)
    # Its containers are taken down before the next measurement begins.
    wait_for(
        lambda: not client.list_endpoints(NameContains=name)["Endpoints"],
        SECONDS, f"{name} is gone",
    )  # fmt: skip
    return seconds
