"""A plan is a value: the same row gives the same plan, before and after a restart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from samebox.containers.engine import ContainerSpec, Mount
from samebox.containers.instances import Limits
from samebox.jobs.plan import EmulatorInfo, Plan, Upload, training
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
    return training(row(**changes), LIMITS, EMULATOR)


def test_a_plan_is_all_that_the_job_comes_to() -> None:
    made = plan()
    root = made.root
    assert root.parent == Path("/data/jobs")
    assert made.container == ContainerSpec(
        image="localhost:4566/digits@sha256:1",
        name=f"samebox-Digits-algo-1-{root.name[:8]}",
        command=("train",),
        environment=made.container.environment,
        labels={"samebox": "an-id", "samebox.arn": ARN},
        mounts=(
            Mount(root / "input", "/opt/ml/input"),
            Mount(root / "model", "/opt/ml/model"),
            Mount(root / "output", "/opt/ml/output"),
        ),
        hostname=made.container.hostname,
        extra_hosts={"algo-1": "127.0.0.1"},
        memory_bytes=8 << 30,
        cpus=2.0,
        pids_limit=8192,
        log_bytes=1 << 30,
    )
    assert made.uploads == (
        Upload("/opt/ml/model", "s3://bucket/out/Digits/output/model.tar.gz"),
        Upload("/opt/ml/output/data", "s3://bucket/out/Digits/output/output.tar.gz"),
    )
    assert (made.log_stream, made.volume_bytes) == ("Digits/algo-1-1700000000", 2 << 30)
    assert (made.stop_seconds, made.max_runtime_seconds, made.warning) == (120.0, 60, "less")


def test_the_same_row_gives_the_same_plan() -> None:
    assert plan() == plan()


def test_another_job_of_the_same_name_shares_nothing_with_the_first() -> None:
    first, second = plan(), plan(created=1_700_000_001.0)
    assert first.root != second.root
    assert first.container.name != second.container.name
    assert first.container.hostname != second.container.hostname


def test_a_job_without_a_stopping_condition_may_run_a_day() -> None:
    assert plan(StoppingCondition={}).max_runtime_seconds == 86_400


def test_checkpoints_have_a_place_of_their_own_wherever_they_are_wanted() -> None:
    def mounts(path: str | None) -> tuple[Mount, ...]:
        return plan(CheckpointConfig={"S3Uri": "s3://b/c", **({"LocalPath": path} if path else {})}).container.mounts[
            3:
        ]

    root = plan().root
    assert mounts(None) == (Mount(root / "checkpoints", "/opt/ml/checkpoints"),)
    assert mounts("/state") == (Mount(root / "checkpoints", "/state"),)
    assert mounts("/opt/ml/model/checkpoints") == ()


def test_isolated_jobs_get_neither_network_nor_credentials() -> None:
    emulator = replace(EMULATOR, credentials=True, network="samebox-net", endpoint_url="http://169.254.170.2")
    open_plan = training(row(), LIMITS, emulator)
    isolated = training(row(EnableNetworkIsolation=True), LIMITS, emulator)
    assert open_plan.container.network == "samebox-net"
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in open_plan.container.environment
    assert isolated.container.network == "none"
    assert not {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL"} & set(isolated.container.environment)


def test_the_path_of_the_credentials_is_made_with_a_secret() -> None:
    # ARN and creation time are public: Describe tells them.
    path = credentials_id(row(), b"a secret")
    assert path == credentials_id(row(), b"a secret")
    assert path != credentials_id(row(), b"another secret")
    assert path != credentials_id(row(created=1_700_000_001.25), b"a secret")
    emulator = replace(EMULATOR, credentials=True, endpoint_url="http://169.254.170.2")
    environment = training(row(), LIMITS, emulator).container.environment
    assert environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] == f"/v2/credentials/{path}"
    assert "a secret" not in repr(emulator)


def test_processes_and_log_are_bounded_by_the_settings_and_unbounded_by_a_zero() -> None:
    container = plan().container
    assert (container.pids_limit, container.log_bytes) == (8192, 1 << 30)
    emulator = replace(EMULATOR, settings=replace(Settings(), pids_limit=0, log_bytes=0))
    container = training(row(), LIMITS, emulator).container
    assert (container.pids_limit, container.log_bytes) == (None, None)


def test_shared_memory_is_the_engines_own_unless_a_setting_says_more() -> None:
    assert plan().container.shm_bytes is None
    emulator = replace(EMULATOR, settings=replace(Settings(), shm_bytes=1 << 30))
    assert training(row(), LIMITS, emulator).container.shm_bytes == 1 << 30
