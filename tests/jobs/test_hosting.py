"""What an endpoint comes to is a value, and the same one in every version of samebox."""

from dataclasses import replace
from pathlib import Path

from samebox.containers.instances import Limits
from samebox.jobs import hosting
from samebox.jobs.plan import EmulatorInfo
from samebox.resources.deployment import EndpointDeployment, ServedContainer, Variant
from samebox.resources.store import Resource
from samebox.resources.unique_id import credentials_id
from samebox.settings import Settings

ROW = Resource(
    kind="Endpoint",
    account="123456789012",
    region="us-east-1",
    name="digits",
    arn="arn:aws:sagemaker:us-east-1:123456789012:endpoint/digits",
    status="InService",
    created=1_700_000_000.25,
    modified=1_700_000_000.25,
    version=1,
    spec={},
    state={},
    tags={},
)
CONTAINER = ServedContainer(
    image="localhost:4566/digits:latest",
    resolved_image=f"localhost:4566/digits@sha256:{'d' * 64}",
    environment={"LOG": "debug"},
    model_data_url="s3://bucket/model.tar.gz",
)
VARIANT = Variant("AllTraffic", "digits", "ml.m5.large", (CONTAINER,), initial_instance_count=2)
DEPLOYMENT = EndpointDeployment("config", (VARIANT,), 1_700_000_000.5)


def test_a_generation_is_the_one_that_containers_of_earlier_versions_bear() -> None:
    # Computed by version 0.1.0 of 2026-11-29. Another value would have each update of samebox replace what serves.
    assert {slot.generation for slot in hosting.slots(ROW, DEPLOYMENT)} == {"add2fc4737db297a"}


def test_there_is_a_slot_for_each_instance_of_each_variant() -> None:
    slots = hosting.slots(ROW, DEPLOYMENT)
    assert [(slot.variant, slot.number) for slot in slots] == [("AllTraffic", 0), ("AllTraffic", 1)]
    assert list(slots.values()) == [VARIANT, VARIANT]


def test_a_container_has_the_credentials_of_its_models_role_if_it_has_a_network() -> None:
    emulator = EmulatorInfo(Path("/data"), "an-id", Settings(), b"a secret", credentials=True)
    variants = [
        replace(VARIANT, execution_role_arn="arn:aws:iam::123456789012:role/execution"),
        replace(VARIANT, execution_role_arn="arn:aws:iam::123456789012:role/execution", enable_network_isolation=True),
        VARIANT,
    ]
    (slot, *_) = hosting.slots(ROW, DEPLOYMENT)
    limits = Limits(cpus=2.0, memory_bytes=8 << 30, gpus=0)
    with_role, isolated, without_role = (
        hosting.server(ROW, slot, variant, "i-1", limits, emulator).container.environment for variant in variants
    )
    path = f"/v2/credentials/{credentials_id(ROW, b'a secret', 'AllTraffic')}"
    assert with_role["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] == path
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in {*isolated, *without_role}


def test_what_is_not_in_service_has_no_slots() -> None:
    assert hosting.slots(ROW, None) == {}


def test_a_route_has_the_addresses_of_the_slots_that_are_ready() -> None:
    first, second = hosting.slots(ROW, DEPLOYMENT)
    (route,) = hosting.routes(ROW, DEPLOYMENT, {second: ("172.17.0.3", 8080)})
    assert route.addresses == (("172.17.0.3", 8080),)
    (route,) = hosting.routes(ROW, DEPLOYMENT, {first: ("172.17.0.2", 8080), second: ("172.17.0.3", 8080)})
    assert route.addresses == (("172.17.0.2", 8080), ("172.17.0.3", 8080))
    assert (route.variant_name, route.weight, route.container_name) == ("AllTraffic", 1.0, "primary")
