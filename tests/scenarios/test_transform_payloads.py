"""What becomes of objects on their way to a real container: split, packed, streamed, unpacked, and asked for again."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import pytest

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, docker, until
from tests.scenarios.test_training import tar_names
from tests.scenarios.test_transform import BUCKET, GROUP, data_log, ended, stored, transform

pytestmark = pytest.mark.docker

SMALL = {"InstanceType": "ml.c7i.large", "InstanceCount": 1}  # several of these have room beside each other
PAIR = {**SMALL, "InstanceCount": 2}
ROWS = [bytes([letter]) * 400_001 for letter in b"abc"]  # two of them fit into a payload of 1 MiB
REPORTS = """
import zlib
def invoke(body, headers):
    return 200, f"{len(body)} {zlib.crc32(body)} {headers.get('Transfer-Encoding')}\\n".encode()
"""
HOLDS = """
import threading
def invoke(body, headers):
    if body.startswith(b"held"):
        print(body.decode(), flush=True)
        threading.Event().wait()
    return 200, body
"""


def lines(rows: Sequence[bytes]) -> bytes:
    return b"".join(row + b"\n" for row in rows)


def record_io(rows: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack("<II", 0xCED7230A, len(row)) + row + bytes(-len(row) % 4) for row in rows)


def tf_records(rows: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack("<Q", len(row)) + b"crc1" + row + b"crc2" for row in rows)


def report(*payloads: bytes, encoding: str | None = None) -> bytes:
    """What the model answers to these payloads, one after another."""
    return "".join(f"{len(body)} {zlib.crc32(body)} {encoding}\n" for body in payloads).encode()


def printed(emulator: EmulatorProcess, name: str) -> list[str]:
    """What the containers of a job have printed."""
    try:
        found = emulator.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["events"]
    except emulator.logs.exceptions.ResourceNotFoundException:
        return []
    return [one["message"] for one in found if not one["logStreamName"].endswith("/data-log")]


def completed(emulator: EmulatorProcess, name: str) -> dict[str, Any]:
    job = ended(emulator, name)
    assert (job["TransformJobStatus"], job.get("FailureReason")) == ("Completed", None), data_log(emulator, name)
    return job


def lose(emulator: EmulatorProcess, name: str, host: str) -> None:
    """Remove the container of a host, as an engine loses one."""
    (container,) = emulator.containers(f"name=samebox-{name}-{host}-")
    docker("rm", "--force", container)


@pytest.fixture(scope="module")
def reports(emulator: EmulatorProcess, box: str) -> str:
    """A model that answers how long a payload is, its checksum, and how it was sent."""
    emulator.model("Reports", box, REPORTS)
    return "Reports"


def test_records_go_alone_without_their_frames_and_together_with_them(emulator: EmulatorProcess, reports: str) -> None:
    forms: dict[str, Callable[[Sequence[bytes]], bytes]] = {
        "None": b"".join, "Line": lines, "RecordIO": record_io, "TFRecord": tf_records
    }  # fmt: skip
    together = (ROWS[:2], ROWS[2:])
    payloads = {
        ("None", "SingleRecord"): [b"".join(ROWS)],
        ("Line", "MultiRecord"): [lines(rows) for rows in together],
        ("RecordIO", "SingleRecord"): ROWS,
        ("RecordIO", "MultiRecord"): [record_io(rows) for rows in together],
        ("TFRecord", "SingleRecord"): ROWS,
        ("TFRecord", "MultiRecord"): [tf_records(rows) for rows in together],
    }
    for split, strategy in payloads:
        transform(
            emulator, f"{split}-{strategy}", {"rows": forms[split](ROWS)}, {"SplitType": split}, ModelName=reports,
            BatchStrategy=strategy, MaxPayloadInMB=2 if split == "None" else 1, TransformResources=SMALL,
        )  # fmt: skip
    for (split, strategy), sent in payloads.items():
        completed(emulator, f"{split}-{strategy}")
        assert stored(emulator, f"{split}-{strategy}") == {"rows.out": report(*sent)}, (split, strategy)


def test_what_a_manifest_names_is_unpacked_captured_and_streamed(emulator: EmulatorProcess, reports: str) -> None:
    rows, root = lines(ROWS * 6), f"s3://{BUCKET}"  # more than a payload has by default
    manifest = json.dumps([{"prefix": f"{root}/Unpacks/in/"}, "a.gz", "deep/b.gz"]).encode()
    emulator.s3.put_object(Bucket=BUCKET, Key="manifest", Body=manifest)
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": f"{root}/manifest"}}
    objects = {"a.gz": gzip.compress(rows, 1), "deep/b.gz": gzip.compress(b"1\n", 1), "other.gz": b"no gzip"}
    transform(
        emulator, "Unpacks", objects, {"DataSource": source, "CompressionType": "Gzip"}, ModelName=reports,
        TransformResources=SMALL, DataCaptureConfig={"DestinationS3Uri": f"{root}/Unpacks/captured"},
    )  # fmt: skip
    for name, more in {"Streams": {}, "Streams-Unpacked": {"CompressionType": "Gzip"}}.items():
        transform(
            emulator, name, {"a": gzip.compress(rows, 1) if more else rows}, {"SplitType": "None", **more},
            ModelName=reports, MaxPayloadInMB=0, TransformResources=SMALL,
        )  # fmt: skip
    job = completed(emulator, "Unpacks")
    assert stored(emulator, "Unpacks") == {
        "a.gz.out": report(lines(ROWS * 5), lines(ROWS)), "deep/b.gz.out": report(b"1\n")
    }  # fmt: skip
    hour = job["CreationTime"].astimezone(UTC).strftime("%Y/%m/%d/%H")
    for side, names in {"in": ["a.gz", "deep/b.gz"], "out": ["a.gz.out", "deep/b.gz.out"]}.items():
        prefix = f"Unpacks/captured/{side}put/{hour}/"
        (found,) = emulator.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        body = emulator.s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
        assert json.loads(body) == [{"prefix": f"{root}/Unpacks/{side}/"}, *names]
    for name in ("Streams", "Streams-Unpacked"):
        completed(emulator, name)
        assert stored(emulator, name) == {"a.out": report(rows, encoding="chunked")}


def test_a_container_that_hangs_and_fails_is_asked_as_often_as_it_may_be(emulator: EmulatorProcess, box: str) -> None:
    recovers = """
import threading
asked = []
def invoke(body, headers):
    asked.append(body)
    print(f"asked {len(asked)} times", flush=True)
    if len(asked) == 1:
        threading.Event().wait()
    return (503, b"not yet") if len(asked) == 2 else (200, body)
"""
    fails = """
import threading
def invoke(body, headers):
    print("asked for", body.decode(), flush=True)
    if body == b"hangs":
        threading.Event().wait()
    return 503, b"not today"
"""
    emulator.model("Recovers", box, recovers)
    emulator.model("Gives-Up", box, fails)
    transform(
        emulator, "Recovers", {"a": b"1\n"}, TransformResources=SMALL,
        ModelClientConfig={"InvocationsTimeoutInSeconds": 5, "InvocationsMaxRetries": 2},
    )  # fmt: skip
    transform(
        emulator, "Gives-Up", {"a": b"hangs", "b": b"fails"}, TransformResources=SMALL,
        ModelClientConfig={"InvocationsTimeoutInSeconds": 3, "InvocationsMaxRetries": 1},
    )  # fmt: skip
    completed(emulator, "Recovers")
    assert stored(emulator, "Recovers") == {"a.out": b"1\n"}
    asked = [line for line in printed(emulator, "Recovers") if line.startswith("asked")]
    assert asked == ["asked 1 times", "asked 2 times", "asked 3 times"]
    job = ended(emulator, "Gives-Up")
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert stored(emulator, "Gives-Up") == {}
    asked = [line for line in printed(emulator, "Gives-Up") if line.startswith("asked")]
    assert asked == ["asked for hangs"] * 2 + ["asked for fails"] * 2
    a, b = (f"{BUCKET}/Gives-Up/in/{name}: " for name in "ab")
    assert data_log(emulator, "Gives-Up")[1:] == [
        f"{a}Unable to get response from algorithm", f"{b}ServerError: 503", b, f"{b}Message:", f"{b}not today"
    ]  # fmt: skip


def test_a_stop_and_a_lost_host_leave_nothing_of_an_object_under_way(emulator: EmulatorProcess, box: str) -> None:
    emulator.model("Holds", box, HOLDS)
    for name, resources in (("Is-Stopped", SMALL), ("Is-Lost", PAIR)):
        transform(
            emulator, name, {"a": b"1\nheld a\n", "b": b"2\nheld b\n"}, ModelName="Holds",
            BatchStrategy="SingleRecord", MaxConcurrentTransforms=2, TransformResources=resources,
        )  # fmt: skip
    is_held = {"held a", "held b"}.issubset
    until(lambda: is_held(printed(emulator, "Is-Stopped")), WAIT_SECONDS, "both objects are under way")
    emulator.sagemaker.stop_transform_job(TransformJobName="Is-Stopped")
    until(lambda: is_held(printed(emulator, "Is-Lost")), WAIT_SECONDS, "both objects are under way")
    lose(emulator, "Is-Lost", "algo-2")
    stopped, lost = ended(emulator, "Is-Stopped"), ended(emulator, "Is-Lost")
    assert (stopped["TransformJobStatus"], stopped.get("FailureReason")) == ("Stopped", None)
    assert lost["FailureReason"] == "InternalServerError: We encountered an internal error.  Please try again."
    for name in ("Is-Stopped", "Is-Lost"):
        assert stored(emulator, name) == {}
        assert not emulator.containers(f"name=samebox-{name}-")


def test_a_job_that_lost_a_host_of_two_trains_again(emulator: EmulatorProcess, box: str) -> None:
    script = """
import threading
host = json.loads(Path("/opt/ml/input/config/resourceconfig.json").read_text())["current_host"]
kept = Path("/opt/ml/checkpoints", host)
if not kept.exists():
    kept.write_text("half")
    threading.Event().wait()
Path("/opt/ml/model", host).write_text(kept.read_text())
"""
    emulator.train(
        "Loses-A-Host", box, script, ResourceConfig={**PAIR, "VolumeSizeInGB": 1},
        RetryStrategy={"MaximumRetryAttempts": 1}, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/Loses-A-Host/kept"},
    )  # fmt: skip
    prefix = "Loses-A-Host/kept/algo-"
    kept = lambda: emulator.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["KeyCount"] == 2  # noqa: E731
    until(kept, WAIT_SECONDS, "both hosts have saved a checkpoint")
    lose(emulator, "Loses-A-Host", "algo-2")
    job = emulator.ended("Loses-A-Host")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    stages = [one["Status"] for one in job["SecondaryStatusTransitions"]]
    assert stages[2:] == ["Training", "Restarting", "Downloading", "Training", "Uploading", "Completed"]
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert tar_names(emulator, model) == {"algo-1": b"half", "algo-2": b"half"}
