"""Training on several hosts in real containers: they find each other by name, share the data, and fail together."""

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
