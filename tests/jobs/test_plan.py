"""A plan is a value: the same row gives the same plan, before and after a restart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from samebox.containers.engine import ContainerSpec, Mount
from samebox.containers.instances import Limits
from samebox.jobs import training
from samebox.jobs.plan import ArtifactUpload, EmulatorInfo, Plan
from samebox.resources.store import Resource
from samebox.resources.unique_id import credentials_id
from samebox.settings import Settings

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits"
LIMITS = Limits(cpus=2.0, memory_bytes=8 << 30, gpus=0, warning="less")
EMULATOR = EmulatorInfo(Path("/data"), "an-id", Settings(), b"a secret")


def row(created: float = 1_700_000_000.25, **changes: Any) -> Resource:
    spec = {
        "TrainingJobName": "Digits",
        "AlgorithmSpecification": {"TrainingImage": "digits:1", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }
    return Resource(
        kind="TrainingJob",
        account="123456789012",
        region="us-east-1",
        name="Digits",
        arn=ARN,
        status="InProgress",
        created=created,
        modified=created,
        version=1,
        spec=spec,
        state={},
        tags={},
        facts={"ResolvedImage": "localhost:4566/digits@sha256:1"},
    )


def plan(**changes: Any) -> Plan:
    return training.plan(row(**changes), [LIMITS], EMULATOR)


def container(changed: Resource | None = None, emulator: EmulatorInfo = EMULATOR) -> ContainerSpec:
    (host,) = training.plan(changed or row(), [LIMITS], emulator).job.hosts
    return host.container


def test_a_plan_is_all_that_the_job_comes_to() -> None:
    made = plan()
    (host,) = made.job.hosts
    assert made.root.parent == Path("/data/jobs")
    assert host.root == made.root / "algo-1"
    assert host.container == ContainerSpec(
        image="localhost:4566/digits@sha256:1",
        name=f"samebox-Digits-algo-1-{made.root.name[:8]}",
        command=("train",),
        environment=host.container.environment,
        labels={"samebox": "an-id", "samebox.arn": ARN},
        mounts=(
            Mount(host.root / "input", "/opt/ml/input"),
            Mount(host.root / "model", "/opt/ml/model"),
            Mount(host.root / "output", "/opt/ml/output"),
        ),
        hostname=host.container.hostname,
        network=f"samebox-{made.root.name}",
        aliases=("algo-1",),
        memory_bytes=8 << 30,
        cpus=2.0,
        pids_limit=8192,
        log_bytes=1 << 30,
    )
    assert made.uploads == (
        ArtifactUpload("/opt/ml/model", "s3://bucket/out/Digits/output/model.tar.gz"),
        ArtifactUpload("/opt/ml/output/data", "s3://bucket/out/Digits/output/output.tar.gz"),
    )
    assert (made.log_streams, made.volume_bytes) == ({"algo-1": "Digits/algo-1-1700000000"}, 2 << 30)
    assert (made.stop_seconds, made.max_runtime_seconds, made.warning) == (120.0, 60, "less")


def test_each_host_has_a_container_and_a_log_stream() -> None:
    made = plan(ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 2})
    assert [host.container.aliases for host in made.job.hosts] == [("algo-1",), ("algo-2",)]
    assert made.log_streams == {"algo-1": "Digits/algo-1-1700000000", "algo-2": "Digits/algo-2-1700000000"}


def test_hosts_of_a_job_reach_each_other_without_the_proxy() -> None:
    emulator = replace(EMULATOR, settings=replace(Settings(), http_proxy="http://proxy"))
    two = row(ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 2})
    first = training.plan(two, [LIMITS], emulator).job.hosts[0].container
    assert {"algo-1", "algo-2"} <= set(first.environment["no_proxy"].split(","))


def test_the_same_row_gives_the_same_plan() -> None:
    assert plan() == plan()


def test_another_job_of_the_same_name_shares_nothing_with_the_first() -> None:
    first, second = plan(), plan(created=1_700_000_001.0)
    assert first.root != second.root
    (ours,), (other) = first.job.hosts, second.job.hosts
    assert ours.container.name != other[0].container.name
    assert ours.container.hostname != other[0].container.hostname
    assert first.job.network.name != second.job.network.name


def test_a_job_without_a_stopping_condition_may_run_a_day() -> None:
    assert plan(StoppingCondition={}).max_runtime_seconds == 86_400


def test_isolated_jobs_get_neither_a_way_out_nor_credentials() -> None:
    emulator = replace(EMULATOR, credentials=True, network="samebox-net", endpoint_url="http://169.254.170.2")
    isolated = row(EnableNetworkIsolation=True)
    assert not training.plan(row(), [LIMITS], emulator).job.network.internal
    assert training.plan(isolated, [LIMITS], emulator).job.network.internal
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in container(emulator=emulator).environment
    found = set(container(isolated, emulator).environment)
    assert not {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL"} & found


def test_the_path_of_the_credentials_is_made_with_a_secret() -> None:
    # ARN and creation time are public: Describe tells them.
    path = credentials_id(row(), b"a secret")
    assert path == credentials_id(row(), b"a secret")
    assert path != credentials_id(row(), b"another secret")
    assert path != credentials_id(row(created=1_700_000_001.25), b"a secret")
    emulator = replace(EMULATOR, credentials=True, endpoint_url="http://169.254.170.2")
    environment = container(emulator=emulator).environment
    assert environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] == f"/v2/credentials/{path}"
    assert "a secret" not in repr(emulator)


def test_processes_and_log_are_bounded_by_the_settings_and_unbounded_by_a_zero() -> None:
    bounded = container()
    assert (bounded.pids_limit, bounded.log_bytes) == (8192, 1 << 30)
    emulator = replace(EMULATOR, settings=replace(Settings(), pids_limit=0, log_bytes=0))
    unbounded = container(emulator=emulator)
    assert (unbounded.pids_limit, unbounded.log_bytes) == (None, None)


def test_shared_memory_is_the_engines_own_unless_a_setting_is_larger() -> None:
    assert container().shm_bytes is None
    assert container().ulimits == {}
    emulator = replace(EMULATOR, settings=replace(Settings(), shm_bytes=1 << 30, ulimits="nofile=512:1024,memlock=-1"))
    assert container(emulator=emulator).shm_bytes == 1 << 30
    assert container(emulator=emulator).ulimits == {"nofile": (512, 1024), "memlock": (-1, -1)}
