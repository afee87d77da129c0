"""Training jobs on several hosts: each has its /opt/ml, share of the data and log; one failure is the job's."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import Capacity

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness


def on_each(harness: "Harness", program: "Callable[[Process, str], int]") -> None:
    """Let `program` be the image's `train`; its argument is its host's name, as in resourceconfig.json."""

    def train(process: "Process") -> int:
        config = json.loads((process.path("/opt/ml/input/config") / "resourceconfig.json").read_text())
        assert config["hosts"] == [f"algo-{number}" for number in range(1, len(config["hosts"]) + 1)]
        return program(process, config["current_host"])

    harness.engine.add_image("digits:1", {"train": train})


def create(harness: "Harness", hosts: int = 2, **changes: Any) -> "Resource":
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1}
    return harness.create_training_job(ResourceConfig=resources, **changes)


def test_each_host_has_a_log_stream_and_all_models_become_one(harness: "Harness") -> None:
    def program(process: "Process", host: str) -> int:
        process.print(f"I am {host}")
        (process.path("/opt/ml/model") / host).write_text(host)
        (process.path("/opt/ml/model") / "same").write_text(host)
        if host == "algo-2":
            (process.path("/opt/ml/output/data") / "report").write_text("fine")
        return 0

    on_each(harness, program)
    harness.start()
    job = create(harness, hosts=3)

    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.lines_of_hosts(job) == {f"algo-{number}": [f"I am algo-{number}"] for number in (1, 2, 3)}
    folder = f"s3://{harness.bucket}/out/digits/output"
    # Of files of one name, that of the first host is kept.
    assert harness.files_of_tar(f"{folder}/model.tar.gz") == {
        "algo-1": b"algo-1", "algo-2": b"algo-2", "algo-3": b"algo-3", "same": b"algo-1",
    }  # fmt: skip
    assert harness.files_of_tar(f"{folder}/output.tar.gz") == {"report": b"fine"}
    harness.poll_until(lambda: not harness.container_names())
    assert harness.next_start_leaves_no_network()


def test_a_sharded_channel_is_dealt_out_and_a_replicated_one_is_everywhere(harness: "Harness") -> None:
    found: dict[str, dict[str, list[str]]] = {}

    def program(process: "Process", host: str) -> int:
        data = process.path("/opt/ml/input/data")
        found[host] = {one: sorted(path.name for path in (data / one).iterdir()) for one in ("full", "sharded")}
        # The manifest lists the whole channel on each host.
        assert len((data / "sharded-manifest").read_text().splitlines()) == 4
        return 0

    on_each(harness, program)
    for name in "abc":
        harness.put_object(f"digits/{name}")
    harness.start()
    channels = [harness.channel(name, f"s3://{harness.bucket}/digits/") for name in ("full", "sharded")]
    channels[1]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"

    row = harness.wait_until_ended(create(harness, InputDataConfig=channels))
    assert row.status == "Completed", row.state.get("FailureReason")
    assert found == {
        "algo-1": {"full": ["a", "b", "c"], "sharded": ["a", "c"]},
        "algo-2": {"full": ["a", "b", "c"], "sharded": ["b"]},
    }


def test_settings_choose_which_objects_a_host_gets_and_the_names_below_a_part_of_a_name(harness: "Harness") -> None:
    found: dict[str, dict[str, object]] = {}

    def program(process: "Process", host: str) -> int:
        data = process.path("/opt/ml/input/data")
        files = sorted(str(path.relative_to(data / "files")) for path in (data / "files").rglob("*") if path.is_file())
        found[host] = {"files": files, "pipe": (data / "pipe_0").read_bytes()}
        return 0

    on_each(harness, program)
    for name in "abcd":
        harness.put_object(f"digits/{name}", name.encode())
    harness.settings = replace(harness.settings, sharding="blocks", partial_prefix_names="rest")
    harness.start()
    channels = [
        harness.channel("files", f"s3://{harness.bucket}/dig"),
        harness.channel("pipe", f"s3://{harness.bucket}/"),
    ]
    for one in channels:
        one["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    channels[1]["InputMode"] = "Pipe"

    row = harness.wait_until_ended(create(harness, InputDataConfig=channels))
    assert row.status == "Completed", row.state.get("FailureReason")
    assert found == {
        "algo-1": {"files": ["its/a", "its/b"], "pipe": b"ab"},
        "algo-2": {"files": ["its/c", "its/d"], "pipe": b"cd"},
    }


def test_a_host_that_fails_ends_the_job_and_is_named(harness: "Harness") -> None:
    def program(process: "Process", host: str) -> int:
        if host == "algo-1":
            process.wait_until_killed()  # it waits for its peer, and would for hours
            return 0
        process.path("/opt/ml/output/failure").write_text("no luck")
        return 5

    on_each(harness, program)
    harness.start()
    row = harness.wait_until_ended(create(harness))

    assert row.status == "Failed"
    assert row.state["FailureReason"] == "AlgorithmError: algo-2: no luck, exit code: 5"
    harness.poll_until(lambda: not harness.container_names())
    assert harness.next_start_leaves_no_network()


def test_a_host_that_ends_well_before_the_others_is_no_failure(harness: "Harness") -> None:
    def program(process: "Process", host: str) -> int:
        if host == "algo-2":
            process.wait_for_stop()
        return 0

    on_each(harness, program)
    harness.start()
    job = create(harness)
    harness.wait_for_status(job, "Training")
    first, second = (f"samebox-digits-algo-{number}" for number in (1, 2))
    names = {state.name.rpartition("-")[0]: state.id for state in harness.engine.find({})}
    assert harness.engine.wait(names[first], 30) is not None
    harness.touch(job)
    assert harness.reload(job).status == "InProgress"
    harness.engine.kill(names[second], "SIGTERM")

    assert harness.wait_until_ended(job).status == "Completed"


def test_a_stop_reaches_every_host(harness: "Harness") -> None:
    def program(process: "Process", host: str) -> int:
        process.print("begun")
        process.wait_for_stop()
        (process.path("/opt/ml/model") / host).write_text("half")
        return 0

    on_each(harness, program)
    harness.start()
    job = create(harness)
    harness.wait_for_status(job, "Training")
    harness.poll_until(lambda: harness.lines_of_hosts(job) == {"algo-1": ["begun"], "algo-2": ["begun"]})
    harness.stop_job(job)

    assert harness.wait_until_ended(job).status == "Stopped"
    model = f"s3://{harness.bucket}/out/digits/output/model.tar.gz"
    assert harness.files_of_tar(model) == {"algo-1": b"half", "algo-2": b"half"}


def test_metrics_are_read_in_the_logs_of_all_hosts(harness: "Harness") -> None:
    def program(process: "Process", host: str) -> int:
        process.print(f"{host[-1]}-loss=0.{host[-1]}")
        return 0

    on_each(harness, program)
    harness.start()
    definitions = [{"Name": f"loss-{number}", "Regex": f"{number}-loss=([0-9.]+)"} for number in (1, 2)]
    algorithm = {"TrainingImage": "digits:1", "TrainingInputMode": "File", "MetricDefinitions": definitions}
    row = harness.wait_until_ended(create(harness, AlgorithmSpecification=algorithm))

    found = {one["MetricName"]: one["Value"] for one in row.state["FinalMetricDataList"]}
    assert found == {"loss-1": 0.1, "loss-2": 0.2}


def test_hosts_that_run_when_we_die_are_taken_over(harness: "Harness") -> None:
    starts: list[str] = []

    def program(process: "Process", host: str) -> int:
        starts.append(host)
        process.wait_for_stop()
        return 0

    on_each(harness, program)
    harness.start()
    job = create(harness)
    harness.wait_for_status(job, "Training")
    harness.poll_until(lambda: sorted(starts) == ["algo-1", "algo-2"])
    harness.crash()
    harness.start()
    harness.stop_job(job)

    assert harness.wait_until_ended(job).status == "Stopped"
    assert sorted(starts) == ["algo-1", "algo-2"], "each was started once"


@pytest.mark.parametrize("step", [("engine.create", 1), ("engine.create", 2), ("engine.start", 1), ("engine.start", 2)])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_while_the_hosts_are_started_changes_nothing(
    harness: "Harness", step: tuple[str, int], after: bool
) -> None:
    def program(process: "Process", host: str) -> int:
        with (process.path("/opt/ml/model") / host).open("a") as file:
            file.write("run\n")
        return 0

    on_each(harness, program)
    job = create(harness)
    harness.crash_at(step, after)
    harness.crash()
    harness.start()

    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    model = f"s3://{harness.bucket}/out/digits/output/model.tar.gz"
    assert harness.files_of_tar(model) == {"algo-1": b"run\n", "algo-2": b"run\n"}


def test_hosts_share_the_memory_of_the_machine(harness: "Harness", monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int | None] = []

    def program(process: "Process", _: str) -> int:
        limits.append(process.spec.memory_bytes)
        return 0

    on_each(harness, program)
    monkeypatch.setattr(harness.engine, "capacity", lambda: Capacity(8, 12 << 30))
    harness.start()
    assert harness.wait_until_ended(create(harness)).status == "Completed"
    assert limits == [6 << 30, 6 << 30]


def test_more_hosts_than_the_machine_has_memory_for_are_refused(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    on_each(harness, lambda *_: 0)
    monkeypatch.setattr(harness.engine, "capacity", lambda: Capacity(8, 4 << 30))
    harness.start()
    row = harness.wait_until_ended(create(harness, hosts=100))

    assert row.state["FailureReason"].startswith("CapacityError: 100 instances of ml.m5.large do not fit")


def test_instance_groups_have_channels_and_limits_of_their_own(harness: "Harness") -> None:
    found: dict[str, Any] = {}

    def program(process: "Process", host: str) -> int:
        config, data = process.path("/opt/ml/input/config"), process.path("/opt/ml/input/data")
        resources = json.loads((config / "resourceconfig.json").read_text())
        configured = json.loads((config / "inputdataconfig.json").read_text())
        files = sorted(str(path.relative_to(data)) for path in data.glob("*/*"))
        found[host] = [resources["current_group_name"], process.spec.cpus, sorted(configured), files]
        return 0

    on_each(harness, program)
    for name in "abc":
        harness.put_object(f"digits/{name}")
    uri = f"s3://{harness.bucket}/digits/"
    channels = {name: harness.channel(name, uri) for name in ("everywhere", "sharded", "raw")}
    for name, groups in {"everywhere": ["cpu", "big"], "sharded": ["big"], "raw": ["cpu"]}.items():
        channels[name]["DataSource"]["S3DataSource"]["InstanceGroupNames"] = groups
    channels["sharded"]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    resources = {
        "InstanceGroups": [
            {"InstanceGroupName": "cpu", "InstanceType": "ml.m5.large", "InstanceCount": 1},
            {"InstanceGroupName": "big", "InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        ],
        "VolumeSizeInGB": 1,
    }
    harness.start()
    job = harness.create_training_job(ResourceConfig=resources, InputDataConfig=list(channels.values()))

    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    whole = [f"everywhere/{name}" for name in "abc"]
    assert found == {
        "algo-1": ["cpu", 2.0, ["everywhere", "raw"], [*whole, "raw/a", "raw/b", "raw/c"]],
        "algo-2": ["big", 4.0, ["everywhere", "sharded"], [*whole, "sharded/a", "sharded/c"]],
        "algo-3": ["big", 4.0, ["everywhere", "sharded"], [*whole, "sharded/b"]],
    }
