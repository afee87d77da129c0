"""The plan of a model's container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from samebox.containers.engine import ContainerSpec, Mount
from samebox.platform import serving
from samebox.platform.job import HostLimits, Surroundings

LABELS = {"samebox": "an-id"}
LIMITS = HostLimits(memory_bytes=8 << 30, cpus=2.0, pids=100, log_bytes=1000)


def plan(definition: dict[str, Any], **more: Any) -> ContainerSpec:
    return serving.container(definition, "digits:1", serving.facts("eu-west-1"), LIMITS, "a-network", LABELS, **more)


def test_a_server_is_started_with_serve_under_its_model() -> None:
    assert plan({"Environment": {"MINE": "1"}}, name="digits", model=Path("/models/1")) == ContainerSpec(
        image="digits:1",
        name="digits",
        command=("serve",),
        environment={"MINE": "1", "AWS_REGION": "eu-west-1", "NVIDIA_VISIBLE_DEVICES": "void"},
        labels=LABELS,
        mounts=(Mount(Path("/models/1"), "/opt/ml/model", read_only=True),),
        hostname="container-0.local",
        network="a-network",
        publish={8080: 0},
        memory_bytes=8 << 30,
        cpus=2.0,
        pids_limit=100,
        log_bytes=1000,
    )


def test_a_definition_may_name_the_machine_and_have_no_model() -> None:
    made = plan({"ContainerHostname": "first"})
    assert (made.hostname, made.mounts) == ("first", ())


def test_the_platforms_variables_win_over_the_definitions_and_these_over_the_surroundings() -> None:
    around = Surroundings({"HTTP_PROXY": "http://proxy", "MINE": "no"})
    made = plan({"Environment": {"MINE": "yes", "AWS_REGION": "mars"}}, surroundings=around)
    assert made.environment["HTTP_PROXY"] == "http://proxy"
    assert (made.environment["MINE"], made.environment["AWS_REGION"]) == ("yes", "eu-west-1")
