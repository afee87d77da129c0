"""Plans of training and processing jobs: what each host is, compared as values and with the golden trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from samebox.containers.engine import ContainerSpec, Mount
from samebox.platform import processing, training
from samebox.platform.job import HostLimits, JobNetwork, JobPlan, Placement, Surroundings, ec2_name

GOLDEN = Path(__file__).parent.parent / "contract" / "opt_ml"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/request.json"))
ROOT = Path("/data/jobs/0a0b0c0d0e0f0a0b")
LABELS = {"samebox": "an-id"}
PLACEMENT = Placement(ROOT, "0a0b0c0d0e0f0a0b0c", "samebox-digits", LABELS)
LIMITS = HostLimits(memory_bytes=8 << 30, cpus=2.0, pids=100, log_bytes=1000)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits"
REQUEST: dict[str, Any] = {
    "TrainingJobName": "digits",
    "AlgorithmSpecification": {"TrainingImage": "digits:1", "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2},
}


def train(request: dict[str, Any] = REQUEST, surroundings: Surroundings | None = None) -> JobPlan:
    return training.plan(request, "digits:1", training.facts(ARN, "us-east-1"), PLACEMENT, [LIMITS], surroundings)


def on(hosts: int) -> dict[str, Any]:
    return {**REQUEST, "ResourceConfig": {**REQUEST["ResourceConfig"], "InstanceCount": hosts}}


def test_a_training_host_is_a_container_on_the_jobs_own_network() -> None:
    (host,) = train().hosts

    assert host.root == ROOT / "algo-1"
    assert host.container == ContainerSpec(
        image="digits:1",
        name="samebox-digits-algo-1-0a0b0c0d",
        command=("train",),
        environment=host.container.environment,
        labels=LABELS,
        mounts=tuple(Mount(ROOT / "algo-1" / part, f"/opt/ml/{part}") for part in ("input", "model", "output")),
        hostname="ip-10-10-11-12.ec2.internal",
        network="samebox-0a0b0c0d0e0f0a0b",
        aliases=("algo-1",),
        memory_bytes=8 << 30,
        cpus=2.0,
        pids_limit=100,
        log_bytes=1000,
    )
    assert train().network == JobNetwork("samebox-0a0b0c0d0e0f0a0b", LABELS, internal=False)


@pytest.mark.parametrize("case", CASES)
def test_the_files_of_a_training_host_are_the_golden_ones(case: str) -> None:
    request = json.loads((GOLDEN / case / "request.json").read_text())
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{request['TrainingJobName']}"
    (host,) = training.plan(request, "i", training.facts(arn, "us-east-1"), PLACEMENT, [LIMITS]).hosts

    golden = {path.relative_to(GOLDEN / case / "opt_ml"): path for path in (GOLDEN / case).rglob("input/config/*.json")}
    assert golden
    assert {Path(name): body for name, body in host.tree.files.items() if name.startswith("input/config/")} == {
        name: path.read_bytes() for name, path in golden.items()
    }


def test_the_same_request_gives_the_same_plan() -> None:
    assert train() == train()


def test_each_of_several_hosts_has_a_name_a_folder_and_a_machine_of_its_own() -> None:
    hosts = train(on(3)).hosts

    assert [host.name for host in hosts] == ["algo-1", "algo-2", "algo-3"]
    assert [host.container.aliases for host in hosts] == [("algo-1",), ("algo-2",), ("algo-3",)]
    assert {host.container.network for host in hosts} == {"samebox-0a0b0c0d0e0f0a0b"}
    for part in ("root", "container_name"):
        assert len({getattr(host, part) for host in hosts}) == 3
    assert len({host.container.hostname for host in hosts}) == 3
    for number, host in enumerate(hosts, 1):
        config = json.loads(host.tree.files["input/config/resourceconfig.json"])
        assert (config["current_host"], config["hosts"]) == (f"algo-{number}", ["algo-1", "algo-2", "algo-3"])


def test_an_isolated_job_has_a_network_without_a_way_out() -> None:
    assert train({**REQUEST, "EnableNetworkIsolation": True}).network.internal


def test_the_requests_environment_wins_over_the_surroundings() -> None:
    ca = Mount(Path("/ca.pem"), "/etc/ca.pem", read_only=True)
    given = Surroundings({"HTTP_PROXY": "http://proxy", "MINE": "no"}, (ca,))
    (host,) = train({**REQUEST, "Environment": {"MINE": "yes"}}, given).hosts

    assert host.container.environment["HTTP_PROXY"] == "http://proxy"
    assert host.container.environment["MINE"] == "yes"
    assert host.container.mounts[-1] == ca


def test_checkpoints_have_a_place_of_their_own_wherever_they_are_wanted() -> None:
    def more_mounts(path: str | None) -> tuple[Mount, ...]:
        config = {"S3Uri": "s3://b/c", **({"LocalPath": path} if path else {})}
        return train({**REQUEST, "CheckpointConfig": config}).hosts[0].container.mounts[3:]

    assert more_mounts(None) == (Mount(ROOT / "algo-1" / "checkpoints", "/opt/ml/checkpoints"),)
    assert more_mounts("/state") == (Mount(ROOT / "algo-1" / ".outside" / "state", "/state"),)
    assert more_mounts("/opt/ml/model/checkpoints") == ()


def test_machines_of_one_job_never_share_a_name() -> None:
    assert len({ec2_name("ffffff", number) for number in range(1, 101)}) == 100


def test_a_processing_host_has_its_inputs_and_outputs_at_their_local_paths() -> None:
    request = {
        "ProcessingJobName": "clean",
        "AppSpecification": {"ImageUri": "clean:1", "ContainerEntrypoint": ["python"], "ContainerArguments": ["a.py"]},
        "ProcessingInputs": [
            {"InputName": "raw", "S3Input": {"LocalPath": "/opt/ml/processing/in", "S3Uri": "s3://b/raw"}}
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "done", "S3Output": {"LocalPath": "/opt/ml/processing/out", "S3Uri": "s3://b/done"}}
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
        },
        "RoleArn": "arn:aws:iam::000000000000:role/r",
    }
    arn = "arn:aws:sagemaker:us-east-1:000000000000:processing-job/clean"
    facts = processing.facts(arn, "us-east-1")
    first, second = processing.plan(request, "clean:1", facts, PLACEMENT, LIMITS).hosts

    assert (first.container.image, first.container.entrypoint, first.container.command) == (
        "clean:1", ("python",), ("a.py",),
    )  # fmt: skip
    assert first.container.environment == {"AWS_REGION": "us-east-1"}
    assert first.container.mounts == (
        Mount(ROOT / "algo-1/config", "/opt/ml/config"),
        Mount(ROOT / "algo-1/output", "/opt/ml/output"),
        Mount(ROOT / "algo-1/inputs/1", "/opt/ml/processing/in"),
        Mount(ROOT / "algo-1/output/data/done", "/opt/ml/processing/out"),
    )
    assert second.container.mounts[0] == Mount(ROOT / "algo-2/config", "/opt/ml/config")
    assert json.loads(second.tree.files["config/resourceconfig.json"]) == {
        "current_host": "algo-2",
        "hosts": ["algo-1", "algo-2"],
    }
