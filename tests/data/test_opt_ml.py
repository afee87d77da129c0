"""The golden trees of tests/contract/opt_ml are what the writer must produce, to the byte."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from samebox.data import channels, opt_ml, tree
from samebox.data.objects import Location, Object
from samebox.data.opt_ml import Command, Host, ModelFacts, TrainingFacts

GOLDEN = Path(__file__).parent.parent / "contract" / "opt_ml"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/request.json"))


def read(case: str, name: str) -> Any:
    return json.loads((GOLDEN / case / name).read_text())


def facts(request: dict[str, Any]) -> TrainingFacts:
    name = request["TrainingJobName"]
    return TrainingFacts(f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}", "us-east-1")


def listed(case: str, uri: str) -> list[Object]:
    found = {Location.parse(one): body for one, body in read(case, "objects.json").items()}
    place = Location.parse(uri)
    return [
        Object(one.bucket, one.key, len(body.encode()))
        for one, body in sorted(found.items(), key=lambda item: item[0].key)
        if one.bucket == place.bucket and one.key.startswith(place.key)
    ]


def write(case: str, root: Path) -> None:
    """The whole tree as a job's first phase makes it, with the objects' bytes put in place of a download."""
    request, bodies = read(case, "request.json"), read(case, "objects.json")
    checkpoints = listed(case, request["CheckpointConfig"]["S3Uri"]) if "CheckpointConfig" in request else []
    tree.write(opt_ml.tree(request, facts(request), opt_ml.hosts(request), "algo-1", checkpoints), root)
    places = []
    for channel in request.get("InputDataConfig", []):
        if opt_ml.input_mode(channel, request) == "Pipe":
            os.mkfifo(root / "input/data" / f"{channel['ChannelName']}_0", 0o644)
            continue
        plan = channels.plan(channel, listed(case, channel["DataSource"]["S3DataSource"]["S3Uri"]))
        places.append((root / "input/data" / plan.name, plan))
        if opt_ml.input_mode(channel, request) == "File":
            (root / "input/data" / f"{plan.name}-manifest").write_bytes(plan.manifest)
    if checkpoints:
        places.append((root / "checkpoints", channels.checkpoints(request, checkpoints)))
    for directory, plan in places:
        directory.mkdir(exist_ok=True)
        for file in plan.files:
            (directory / file.path).parent.mkdir(parents=True, exist_ok=True)
            (directory / file.path).write_text(bodies[file.object.uri])


def tree_on_disk(root: Path) -> str:
    lines = []
    for path in sorted(root.rglob("*"), key=lambda one: one.relative_to(root).as_posix()):
        kind = "d" if path.is_dir() else "p" if path.is_fifo() else "f"
        lines.append(f"{stat.S_IMODE(path.stat().st_mode):04o} {kind} {path.relative_to(root).as_posix()}")
    return "\n".join(lines) + "\n"


def test_there_are_golden_trees() -> None:
    assert len(CASES) >= 10


@pytest.mark.parametrize("case", CASES)
def test_the_tree_is_the_golden_one(case: str, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write(case, tmp_path)
    finally:
        os.umask(before)
    assert tree_on_disk(tmp_path) == (GOLDEN / case / "tree.txt").read_text()
    golden = GOLDEN / case / "opt_ml"
    for path in golden.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(golden)).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("case", CASES)
def test_the_environment_is_the_golden_one(case: str) -> None:
    request, golden = read(case, "request.json"), read(case, "env.json")
    served = TrainingFacts(
        facts(request).arn,
        "us-east-1",
        credentials_path="/v2/credentials/0a1b2c3d-0000-4000-8000-000000000000",
        metadata_id="0a1b2c3d-0000-4000-8000-000000000000",
    )
    for given in (facts(request), served):
        environment = opt_ml.environment(request, given)
        assert {name: environment.get(name) for name in golden["exact"]} == golden["exact"]
        assert not environment.keys() & set(golden["absent"])
        for name, pattern in golden["if_present"].items():
            assert name not in environment or re.search(pattern, environment[name])
        assert environment.keys() <= golden["exact"].keys() | golden["if_present"].keys()


@pytest.mark.parametrize("case", CASES)
def test_the_command_is_the_golden_one(case: str) -> None:
    golden = read(case, "command.json")
    command = opt_ml.command(read(case, "request.json"))
    assert (command.entrypoint and list(command.entrypoint)) == golden["entrypoint"]
    assert (list(command.command) if command.command is not None else None) == golden["command"]


def test_writing_again_after_a_crash_gives_the_same_tree(tmp_path: Path) -> None:
    request = read("minimal", "request.json")
    for _ in range(2):
        tree.write(opt_ml.tree(request, facts(request), opt_ml.hosts(request), "algo-1"), tmp_path)
        (tmp_path / "model" / "kept").write_text("a model")
    assert (tmp_path / "model" / "kept").read_text() == "a model"
    assert not list(tmp_path.rglob("*.part"))


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    request = read("minimal", "request.json")
    before = os.umask(0o077)
    try:
        tree.write(opt_ml.tree(request, facts(request), opt_ml.hosts(request), "algo-1"), tmp_path / "ml")
    finally:
        os.umask(before)
    assert tree_on_disk(tmp_path / "ml") == (GOLDEN / "minimal" / "tree.txt").read_text()


def test_hosts_are_numbered_over_the_groups_and_sorted_by_name_in_the_file() -> None:
    groups = [
        {"InstanceGroupName": "data", "InstanceType": "ml.c5.xlarge", "InstanceCount": 9},
        {"InstanceGroupName": "train", "InstanceType": "ml.p3.2xlarge", "InstanceCount": 2},
    ]
    request = {**read("minimal", "request.json"), "ResourceConfig": {"InstanceGroups": groups, "VolumeSizeInGB": 1}}
    hosts = opt_ml.hosts(request)
    assert hosts[9] == Host("algo-10", "ml.p3.2xlarge", "train")
    written = opt_ml.config_files(request, facts(request), hosts, "algo-10")["input/config/resourceconfig.json"]
    config = json.loads(written)
    assert config["hosts"][:3] == ["algo-1", "algo-10", "algo-11"]
    assert config["current_group_name"] == "train"
    assert config["instance_groups"][1] == {
        "hosts": ["algo-10", "algo-11"],
        "instance_group_name": "train",
        "instance_type": "ml.p3.2xlarge",
    }


def test_a_model_container_sees_its_environment_and_the_platforms() -> None:
    container = {"Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    assert opt_ml.model_command() == Command(None, ("serve",))
    assert opt_ml.model_environment(container, ModelFacts("eu-west-1", port=9001, multi_model=True)) == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "AWS_REGION": "eu-west-1",
        "NVIDIA_VISIBLE_DEVICES": "void",
        "SAGEMAKER_BIND_TO_PORT": "9001",
        "SAGEMAKER_MULTI_MODEL": "true",
    }
