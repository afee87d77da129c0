"""Processing jobs in real containers: the /opt/ml of the contract, outputs, messages, several hosts, and crashes."""

import gzip
import json
from typing import Any

import pytest

from samebox.containers.engine import ARN_LABEL
from tests.scenarios.emulator_process import ROLE, WAIT_SECONDS, EmulatorProcess, until

pytestmark = pytest.mark.docker

ODD_NAMES = (
    "a",
    "A",
    "with space+and=and&",
    "year=2026/한글/파일",
    "ㅎ" * 85,
    ".hidden",
)  # one has a part of 255 bytes
GROUP = "/aws/sagemaker/ProcessingJobs"
ROOT = "/opt/ml/processing"
PRELUDE = "import json, os, signal, socket, sys, time\nfrom pathlib import Path\n"


def process(emulator: EmulatorProcess, image: str, name: str, script: str, hosts: int = 1, **given: Any) -> None:
    """Start a processing job that runs `script`; its output `done` is below s3://samebox-test/NAME."""
    output = {"S3Uri": f"s3://samebox-test/{name}", "LocalPath": f"{ROOT}/done", "S3UploadMode": "EndOfJob"}
    request: dict[str, Any] = {
        "ProcessingJobName": name,
        "AppSpecification": {
            "ImageUri": image, "ContainerEntrypoint": ["python3", "-c"], "ContainerArguments": [script]
        },
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "done", "S3Output": output}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1}
        },
        **given,
    }  # fmt: skip
    emulator.sagemaker.create_processing_job(**request)


def ended(emulator: EmulatorProcess, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: Any = emulator.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return until(look, WAIT_SECONDS, f"{name} has ended")


def stored(emulator: EmulatorProcess, prefix: str) -> dict[str, bytes]:
    found = emulator.s3.list_objects_v2(Bucket="samebox-test", Prefix=f"{prefix}/").get("Contents", [])
    return {
        one["Key"].removeprefix(f"{prefix}/"): emulator.s3.get_object(Bucket="samebox-test", Key=one["Key"])[
            "Body"
        ].read()
        for one in found
    }


def short(script: str) -> str:
    """One argument of at most 256 characters (SM:ContainerArgument)."""
    assert len(script) <= 256, len(script)
    return script


def code(emulator: EmulatorProcess, name: str, script: str) -> dict[str, Any]:
    """Members of a request that run a longer script, which comes as an input, as the SDK's ScriptProcessor does it."""
    key = f"code/{name}.py"
    emulator.s3.put_object(Bucket="samebox-test", Key=key, Body=(PRELUDE + script).encode())
    source = {
        "S3Uri": f"s3://samebox-test/{key}",
        "LocalPath": f"{ROOT}/input/code",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": "code", "S3Input": source}


def run(
    emulator: EmulatorProcess, image: str, name: str, script: str, inputs: tuple[Any, ...] = (), **given: Any
) -> dict[str, Any]:
    start(emulator, image, name, script, inputs, **given)
    return ended(emulator, name)


def start(
    emulator: EmulatorProcess, image: str, name: str, script: str, inputs: tuple[Any, ...] = (), **given: Any
) -> None:
    application = {"ImageUri": image, "ContainerEntrypoint": ["python3", f"{ROOT}/input/code/{name}.py"]}
    all_inputs = [code(emulator, name, script), *inputs]
    process(emulator, image, name, "", AppSpecification=application, ProcessingInputs=all_inputs, **given)


def test_a_script_finds_its_data_and_leaves_files_a_message_and_a_log(emulator: EmulatorProcess, box: str) -> None:
    for name in ("a", "b"):
        emulator.s3.put_object(Bucket="samebox-test", Key=f"raw/{name}.csv", Body=name.encode())
    raw = {
        "InputName": "raw rows",
        "S3Input": {
            "S3Uri": "s3://samebox-test/raw/", "LocalPath": f"{ROOT}/input/raw", "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }  # fmt: skip
    script = f"""
done = Path("{ROOT}/done")
rows = sorted(Path("{ROOT}/input/raw").iterdir())
(done / "deep").mkdir()
(done / "deep" / "all").write_text("".join(row.read_text() for row in rows))
(done / "passwords").symlink_to("/etc/passwd")
Path("/opt/ml/output/message").write_text(f"{{len(rows)}} rows")
print(Path("/opt/ml/config/resourceconfig.json").read_text())
print(os.environ["LEVEL"], os.environ["AWS_REGION"], sorted(name for name in os.environ if "JOB" in name))
print(json.loads(Path("/opt/ml/config/processingjobconfig.json").read_text())["ProcessingInputs"][1]["InputName"])
print(Path("/opt/ml/output/data/done/deep/all").read_text(), Path("/opt/ml/output/metrics/cloudwatch").is_dir())
"""
    job = run(emulator, box, "Cleans-Rows", script, (raw,), Environment={"LEVEL": "info"})
    assert (job["ProcessingJobStatus"], job.get("FailureReason"), job["ExitMessage"]) == ("Completed", None, "2 rows")
    assert stored(emulator, "Cleans-Rows") == {"deep/all": b"ab"}
    assert emulator.log_lines("Cleans-Rows/algo-1-", GROUP) == [
        '{"current_host":"algo-1","hosts":["algo-1"]}', "info us-east-1 []", "raw rows", "ab True"
    ]  # fmt: skip
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]


def test_the_images_own_program_runs_where_no_other_is_named(emulator: EmulatorProcess, box: str) -> None:
    # The box has no ENTRYPOINT, so arguments alone are the program.
    script = f"open('{ROOT}/done/ran', 'w').write('yes')"
    application = {"ImageUri": box, "ContainerArguments": ["python3", "-c", short(script)]}
    process(emulator, box, "Arguments-Alone", "", AppSpecification=application)
    assert ended(emulator, "Arguments-Alone")["ProcessingJobStatus"] == "Completed"
    assert stored(emulator, "Arguments-Alone") == {"ran": b"yes"}


def test_a_failure_refers_to_the_log_and_keeps_the_message(emulator: EmulatorProcess, box: str) -> None:
    script = short("open('/opt/ml/output/message','w').write('no rows'); print('why'); raise SystemExit(3)")
    process(emulator, box, "Fails", script)
    job = ended(emulator, "Fails")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Failed", "no rows")
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert emulator.log_lines("Fails/algo-1-", GROUP) == ["why"]


def test_a_continuous_output_comes_while_the_job_runs_and_a_stop_is_heard(emulator: EmulatorProcess, box: str) -> None:
    output = {"S3Uri": "s3://samebox-test/Goes-On", "LocalPath": f"{ROOT}/done", "S3UploadMode": "Continuous"}
    script = f"""
def stop(*_):
    Path("{ROOT}/done/part").write_text("stopped")
    sys.exit(1)
signal.signal(signal.SIGINT, stop)
Path("{ROOT}/done/part").write_text("begun")
time.sleep(3600)
"""
    start(
        emulator, box, "Goes-On", script,
        ProcessingOutputConfig={"Outputs": [{"OutputName": "done", "S3Output": output}]},
    )  # fmt: skip
    until(lambda: stored(emulator, "Goes-On") == {"part": b"begun"}, WAIT_SECONDS, "the output is there")
    emulator.sagemaker.stop_processing_job(ProcessingJobName="Goes-On")
    job = ended(emulator, "Goes-On")
    assert (job["ProcessingJobStatus"], job.get("FailureReason")) == ("Stopped", None)
    assert stored(emulator, "Goes-On") == {"part": b"stopped"}


def test_two_hosts_meet_without_a_way_out_and_share_the_rows(emulator: EmulatorProcess, box: str) -> None:
    for name in ("a", "b", "c", "deep/d"):
        emulator.s3.put_object(Bucket="samebox-test", Key=f"rows/{name}", Body=name.encode())
    manifest = json.dumps([{"prefix": "s3://samebox-test/rows/"}, "c", "a", "deep/d"])
    emulator.s3.put_object(Bucket="samebox-test", Key="rows.manifest", Body=manifest.encode())
    named = {"S3DataType": "ManifestFile", "S3Uri": "s3://samebox-test/rows.manifest"}
    sources = {
        "rows": {"S3DataType": "S3Prefix", "S3Uri": "s3://samebox-test/rows/"},
        "named": named,
        "whole": {**named, "S3DataDistributionType": "FullyReplicated"},
    }
    inputs = [
        {
            "InputName": name,
            "S3Input": {
                "LocalPath": f"{ROOT}/input/{name}", "S3InputMode": "File",
                "S3DataDistributionType": "ShardedByS3Key", **source,
            },
        }
        for name, source in sources.items()
    ]  # fmt: skip
    script = f"""
config = json.loads(Path("/opt/ml/config/resourceconfig.json").read_text())
own = config["current_host"]
(other,) = set(config["hosts"]) - {{own}}
listener = socket.create_server(("0.0.0.0", 7000))
for _ in range(600):
    try:
        socket.create_connection((other, 7000), 5).close()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("no answer")
listener.accept()
with socket.socket() as probe:
    probe.settimeout(1)
    isolated = probe.connect_ex(("198.51.100.1", 80)) != 0
found = {{"isolated": isolated}}
for name in ("rows", "named", "whole"):
    folder = Path("{ROOT}/input", name)
    found[name] = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
Path("{ROOT}/done", own).write_text(json.dumps(found))
Path("/opt/ml/output/message").write_text(own)
"""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = run(
        emulator, box, "Pair", script, tuple(inputs),
        ProcessingResources={"ClusterConfig": cluster}, NetworkConfig={"EnableNetworkIsolation": True},
    )  # fmt: skip
    assert (job["ProcessingJobStatus"], job.get("ExitMessage")) == ("Completed", "algo-1algo-2"), job
    whole = ["a", "c", "deep/d"]
    assert {host: json.loads(body) for host, body in stored(emulator, "Pair").items()} == {
        "algo-1": {"isolated": True, "rows": ["a", "c"], "named": ["c", "deep/d"], "whole": whole},
        "algo-2": {"isolated": True, "rows": ["b", "deep/d"], "named": ["a"], "whole": whole},
    }


def test_an_input_in_pipe_mode_is_read_from_pipes_and_unpacked(emulator: EmulatorProcess, box: str) -> None:
    for name in ("a", "b"):
        emulator.s3.put_object(Bucket="samebox-test", Key=f"packed/{name}", Body=gzip.compress(name.encode() * 300_000))
    source = {
        "S3Uri": "s3://samebox-test/packed/", "LocalPath": f"{ROOT}/input/rows", "S3DataType": "S3Prefix",
        "S3InputMode": "Pipe", "S3CompressionType": "Gzip",
    }  # fmt: skip
    script = f"""
for epoch in range(2):
    pipe = Path(f"{ROOT}/input/rows_{{epoch}}")
    while not pipe.exists():
        time.sleep(0.01)
    rows = pipe.read_bytes()
    print(epoch, pipe.is_fifo(), rows == b"a" * 300_000 + b"b" * 300_000)
print(sorted(os.listdir("{ROOT}")), sorted(path.name for path in Path("{ROOT}/input").iterdir() if path.is_dir()))
Path("{ROOT}/done/rows").write_text("2 epochs")
"""
    job = run(emulator, box, "Pipes", script, ({"InputName": "rows", "S3Input": source},))
    assert (job["ProcessingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert emulator.log_lines("Pipes/algo-1-", GROUP) == [
        "0 True True", "1 True True", "['done', 'input'] ['code']"
    ]  # fmt: skip
    assert stored(emulator, "Pipes") == {"rows": b"2 epochs"}


def test_names_of_all_kinds_go_in_and_come_out(emulator: EmulatorProcess, box: str) -> None:
    bodies = {name: name.encode() for name in ODD_NAMES}
    for name, body in bodies.items():
        emulator.s3.put_object(Bucket="samebox-test", Key=f"odd/{name}", Body=body)
    source = {
        "S3Uri": "s3://samebox-test/odd/", "LocalPath": f"{ROOT}/input/odd", "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }  # fmt: skip
    script = f"import shutil; shutil.copytree('{ROOT}/input/odd', '{ROOT}/done', dirs_exist_ok=True)"
    job = run(emulator, box, "Odd-Names", script, ({"InputName": "odd", "S3Input": source},))
    assert (job["ProcessingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert stored(emulator, "Odd-Names") == bodies


def test_a_killed_emulator_goes_on_with_the_job_and_leaves_nothing(emulator: EmulatorProcess, box: str) -> None:
    script = f"""
done = Path("{ROOT}/done")
with (done / "runs").open("a") as file:
    file.write("run ")
print("begun", flush=True)
time.sleep(4)
print("done", flush=True)
"""
    output = {"S3Uri": "s3://samebox-test/Outlives", "LocalPath": f"{ROOT}/done", "S3UploadMode": "Continuous"}
    config = {"Outputs": [{"OutputName": "done", "S3Output": output}]}
    start(emulator, box, "Outlives", script, ProcessingOutputConfig=config)
    until(lambda: stored(emulator, "Outlives") == {"runs": b"run "}, WAIT_SECONDS, "the program has begun")
    emulator.kill()
    emulator.up()
    job = ended(emulator, "Outlives")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert stored(emulator, "Outlives") == {"runs": b"run "}
    assert emulator.log_lines("Outlives/algo-1-", GROUP) == ["begun", "done"]
    own = f"label={ARN_LABEL}={job['ProcessingJobArn']}"
    until(lambda: not emulator.containers(own), WAIT_SECONDS, "no container is left")
    folder = emulator.data_dir / "jobs"
    until(lambda: not list(folder.iterdir()), WAIT_SECONDS, "no folder is left")
