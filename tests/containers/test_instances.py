"""The table of instance types against botocore's, and what a host gives of what an instance has."""

from __future__ import annotations

import botocore.session
import pytest

from samebox.containers.engine import Capacity
from samebox.containers.instances import (
    GIB,
    NoGpu,
    TooMany,
    UnknownInstanceType,
    describe,
    limits,
    limits_together,
    share,
)

LARGE_HOST = Capacity(cpus=512, memory_bytes=8192 * GIB, gpus=16)
SMALL_HOST = Capacity(cpus=2, memory_bytes=4 * GIB, gpus=0)
ENUMS = (
    "TrainingInstanceType",
    "ProductionVariantInstanceType",
    "ProcessingInstanceType",
    "TransformInstanceType",
)


def every_instance_type() -> list[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return sorted({name for shape in ENUMS for name in model.shape_for(shape).enum})  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", every_instance_type())
def test_every_type_that_the_api_knows_stands_for_something(name: str) -> None:
    found = describe(name)
    assert found.vcpus >= 1
    assert 0.5 <= found.memory_gib / found.vcpus <= 24
    assert bool(found.accelerators) == bool(found.accelerator) == bool(found.accelerator_memory_gib)
    assert bool(found.gpus) == (name.split(".")[1][:1] in "pg" and "geospatial" not in name)
    assert found.storage_gb > 0 or not name.split(".")[1].endswith("d")


def test_a_type_that_no_table_has_is_refused_by_name() -> None:
    for name in ("ml.q9.large", "ml.m5.tiny", "ml.m5.-1xlarge", "m5.large", "ml.", "local"):
        with pytest.raises(UnknownInstanceType, match=name):
            describe(name)


def test_a_large_host_gives_what_the_instance_has_and_no_more() -> None:
    found = limits("ml.g5.12xlarge", LARGE_HOST)
    assert (found.cpus, found.memory_bytes, found.gpus, found.warning) == (48, 192 * GIB, 4, None)
    assert limits("ml.c5n.18xlarge", LARGE_HOST).memory_bytes == 192 * GIB
    assert limits("ml.t3.medium", LARGE_HOST).cpus == 2


def test_a_small_host_gives_what_it_has_and_logs_that_once() -> None:
    found = limits("ml.m5.xlarge", SMALL_HOST)
    assert (found.cpus, found.memory_bytes) == (2, 4 * GIB)
    assert found.warning == (
        "This host has less than ml.m5.xlarge: the container gets 2 of 4 vCPUs, 4.0 of 16 GiB of memory."
    )


def test_a_gpu_type_needs_a_gpu_unless_the_processor_is_allowed() -> None:
    with pytest.raises(NoGpu, match=r"ml\.g4dn\.xlarge has 1 x NVIDIA T4"):
        limits("ml.g4dn.xlarge", SMALL_HOST)
    allowed = limits("ml.g4dn.xlarge", SMALL_HOST, allow_gpu_on_cpu=True)
    assert allowed.gpus == 0
    assert "0 of 1 x NVIDIA T4" in (allowed.warning or "")


def test_gpus_do_not_stand_in_for_other_accelerators() -> None:
    with pytest.raises(NoGpu, match="AWS Trainium"):
        limits("ml.trn1.2xlarge", LARGE_HOST)
    assert limits("ml.trn1.2xlarge", LARGE_HOST, allow_gpu_on_cpu=True).gpus == 0


def test_instances_share_the_memory_of_their_host_until_none_could_work() -> None:
    host = Capacity(cpus=4, memory_bytes=16 * GIB)
    assert limits("ml.m5.large", share("ml.m5.large", 2, host)).memory_bytes == 8 * GIB
    assert limits("ml.m5.large", share("ml.m5.large", 4, host)).memory_bytes == 4 * GIB
    with pytest.raises(TooMany, match=r"129 instances of ml\.m5\.large do not fit on this machine\."):
        share("ml.m5.large", 129, host)


def test_groups_share_the_memory_and_the_gpus_of_their_host() -> None:
    host = Capacity(cpus=8, memory_bytes=48 * GIB, gpus=2)
    found = limits_together([("ml.c5.large", 1), ("ml.g5.xlarge", 2)], host)
    assert [(one.memory_bytes // GIB, one.gpus) for one in found] == [(4, 0), (16, 1)]
    with pytest.raises(TooMany, match=r"it has 2 GPUs for 3 instances"):
        limits_together([("ml.c5.large", 1), ("ml.g5.xlarge", 3)], host)
    assert limits_together([("ml.g5.xlarge", 3)], host, allow_gpu_on_cpu=True)[0].gpus == 0
