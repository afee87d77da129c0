"""Training on several hosts in real containers: they find each other by name, share the data, and fail together."""

import json
from typing import Any

import pytest

from tests.scenarios.emulator_process import EmulatorProcess
from tests.scenarios.test_training import channel, tar_names

pytestmark = pytest.mark.docker

# A name may not resolve at once: another host may not have started yet (contract.md §1.1).
MEETS = """
import socket, time
config = json.loads(Path("/opt/ml/input/config/resourceconfig.json").read_text())
own, hosts = config["current_host"], config["hosts"]
def address(name):
    for _ in range(600):
        try:
            return socket.gethostbyname(name)
        except OSError:
            time.sleep(0.1)
listener = socket.create_server(("0.0.0.0", 7000))
for host in hosts:
    if host == own:
        continue
    for _ in range(600):
        try:
            socket.create_connection((address(host), 7000), 5).close()
            break
        except OSError:
            time.sleep(0.1)
    else:
        sys.exit(f"{host} does not answer")
"""
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def sharded(name: str, uri: str) -> dict[str, object]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "ShardedByS3Key"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def test_hosts_meet_share_the_data_and_leave_one_model(emulator: EmulatorProcess, box: str) -> None:
    for name in ("a", "b", "c"):
        emulator.s3.put_object(Bucket="samebox-test", Key=f"shared/{name}.csv", Body=name.encode())
    script = f"""
{MEETS}
listener.accept()  # the other one came, too
data = Path("/opt/ml/input/data")
print(own, address(own) == socket.gethostbyname(socket.gethostname()), address(own).startswith("127."))
for channel in ("all", "part"):
    print(channel, *sorted(path.name for path in (data / channel).iterdir()))
Path("/opt/ml/model", own).write_text(socket.gethostname())
Path("/opt/ml/output/data", own).write_text("fine")
"""
    emulator.train(
        "Meets", box, script, ResourceConfig=RESOURCES,
        InputDataConfig=[
            channel("all", "s3://samebox-test/shared/"),
            sharded("part", "s3://samebox-test/shared/"),
        ],
    )  # fmt: skip
    job = emulator.ended("Meets")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    everything = "all a.csv b.csv c.csv"
    assert emulator.log_lines("Meets/algo-1-") == ["algo-1 True False", everything, "part a.csv c.csv"]
    assert emulator.log_lines("Meets/algo-2-") == ["algo-2 True False", everything, "part b.csv"]
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    machines = tar_names(emulator, model)
    assert sorted(machines) == ["algo-1", "algo-2"]
    assert machines["algo-1"] != machines["algo-2"]
    assert tar_names(emulator, model.replace("model.tar", "output.tar")) == {"algo-1": b"fine", "algo-2": b"fine"}


def test_the_name_of_a_host_stays_when_its_container_has_ended(emulator: EmulatorProcess, box: str) -> None:
    script = """
import socket, time
if json.loads(Path("/opt/ml/input/config/resourceconfig.json").read_text())["current_host"] == "algo-2":
    time.sleep(4)  # the other one has ended since
    print(socket.gethostbyname("algo-1") != socket.gethostbyname("algo-2"))
"""
    emulator.train("Outlives", box, script, ResourceConfig=RESOURCES)
    job = emulator.ended("Outlives")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert emulator.log_lines("Outlives/algo-2-") == ["True"]


def test_one_host_that_fails_ends_all_and_is_named(emulator: EmulatorProcess, box: str) -> None:
    script = f"""
{MEETS}
if own == "algo-1":
    time.sleep(3600)
Path("/opt/ml/output/failure").write_text("no rows")
sys.exit(3)
"""
    emulator.train("Fails-Together", box, script, ResourceConfig=RESOURCES)
    job = emulator.ended("Fails-Together")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: algo-2: no rows, exit code: 3"


def test_isolated_hosts_reach_each_other_and_nothing_else(emulator: EmulatorProcess, box: str) -> None:
    script = f"""
{MEETS}
listener.accept()
for place in (("169.254.170.2", 80), ("198.51.100.1", 80)):
    with socket.socket() as probe:
        probe.settimeout(1)
        print(place[0], probe.connect_ex(place) != 0)
"""
    emulator.train("Isolated-Pair", box, script, ResourceConfig=RESOURCES, EnableNetworkIsolation=True)
    job = emulator.ended("Isolated-Pair")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    for host in ("algo-1", "algo-2"):
        assert emulator.log_lines(f"Isolated-Pair/{host}-") == ["169.254.170.2 True", "198.51.100.1 True"]


GROUPS = [
    {"InstanceGroupName": "reads", "InstanceType": "ml.t3.large", "InstanceCount": 1},
    {"InstanceGroupName": "learns", "InstanceType": "ml.t3.medium", "InstanceCount": 2},
]


def of_groups(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/grouped/", "InstanceGroupNames": groups, **more}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def test_instance_groups_have_channels_of_their_own_and_leave_uncompressed_files(
    emulator: EmulatorProcess, box: str
) -> None:
    for name in ("a", "b", "c"):
        emulator.s3.put_object(Bucket="samebox-test", Key=f"grouped/{name}", Body=name.encode())
    script = f"""
{MEETS}
for other in hosts[1:]:
    listener.accept()  # from each of the others
print(json.dumps(config))
data = Path("/opt/ml/input/data")
print(*sorted(json.loads(Path("/opt/ml/input/config/inputdataconfig.json").read_text())))
print(*sorted(str(path.relative_to(data)) for path in data.glob("*/*")))
print(*sorted(path.name for path in data.glob("*-manifest")))
model = Path("/opt/ml/model")
(model / "deep").mkdir()
(model / "deep" / own).write_text(config["current_group_name"])
(model / "same").write_text("of " + own)
(model / "link").symlink_to("same")
Path("/opt/ml/output/data", own).write_text("fine")
"""
    emulator.train(
        "Grouped", box, script,
        ResourceConfig={"InstanceGroups": GROUPS, "VolumeSizeInGB": 1},
        InputDataConfig=[
            of_groups("everywhere", "reads", "learns"),
            of_groups("part", "learns", S3DataDistributionType="ShardedByS3Key"),
            of_groups("raw", "reads"),
        ],
        OutputDataConfig={"S3OutputPath": "s3://samebox-test/plain", "CompressionType": "NONE"},
        EnableInterContainerTrafficEncryption=True,
    )  # fmt: skip
    job = emulator.ended("Grouped")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert job["ResourceConfig"]["InstanceGroups"] == GROUPS
    assert job["EnableInterContainerTrafficEncryption"] is True

    # host, its group, channels in its configuration, files in its channels, manifests of them
    everywhere = "everywhere/a everywhere/b everywhere/c"
    expected = {
        "algo-1": ("reads", "everywhere raw", f"{everywhere} raw/a raw/b raw/c", "everywhere-manifest raw-manifest"),
        "algo-2": ("learns", "everywhere part", f"{everywhere} part/a part/c", "everywhere-manifest part-manifest"),
        "algo-3": ("learns", "everywhere part", f"{everywhere} part/b", "everywhere-manifest part-manifest"),
    }
    types = {"reads": "ml.t3.large", "learns": "ml.t3.medium"}
    hosts_of = {"reads": ["algo-1"], "learns": ["algo-2", "algo-3"]}
    for host, (group, *lines) in expected.items():
        # On a small machine the first line is that its instances have less.
        *_, resources, channels, files, manifests = emulator.log_lines(f"Grouped/{host}-")
        assert [channels, files, manifests] == lines
        found = json.loads(resources)
        assert (found["current_host"], found["current_group_name"]) == (host, group)
        assert (found["current_instance_type"], found["hosts"]) == (types[group], list(expected))
        assert found["instance_groups"] == [
            {"instance_group_name": name, "instance_type": types[name], "hosts": hosts_of[name]} for name in types
        ]

    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://samebox-test/plain/Grouped/output/model"}
    prefix = "plain/Grouped/output/"
    left = emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix=prefix)["Contents"]
    assert {
        one["Key"].removeprefix(prefix): emulator.s3.get_object(Bucket="samebox-test", Key=one["Key"])["Body"].read()
        for one in left
    } == {
        "model/deep/algo-1": b"reads",
        "model/deep/algo-2": b"learns",
        "model/deep/algo-3": b"learns",
        "model/same": b"of algo-1",
        **{f"data/{host}": b"fine" for host in expected},
    }
