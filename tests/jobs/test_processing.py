"""Processing jobs from the row to the end, on the fake engine and a real S3."""

import gzip
import json
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from samebox.containers.instances import Limits
from samebox.jobs.plan import EmulatorInfo, FolderUpload, Inputs, MessageFile
from samebox.jobs.processing import PROCESSING
from samebox.resources.run_facts import job_facts
from samebox.settings import Settings

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness

ANY = "*"


@pytest.fixture
def settings() -> Settings:
    return Settings(processing_upload_seconds=0.05)


@pytest.fixture(autouse=True)
def _runs_processing_jobs(harness: "Harness") -> None:
    harness.types = (PROCESSING,)


def names(process: "Process", place: str) -> list[str]:
    return sorted(path.name for path in process.path(f"/opt/ml/processing/{place}").iterdir())


def run(harness: "Harness", program: Any, **request: Any) -> "Resource":
    harness.engine.add_image("clean:1", {ANY: program})
    harness.start()
    return harness.wait_until_ended(harness.create_processing_job(**request))


def outputs(*ones: dict[str, Any]) -> dict[str, Any]:
    return {"ProcessingOutputConfig": {"Outputs": list(ones)}}


def test_a_job_finds_its_inputs_and_leaves_its_outputs_a_message_and_a_log(harness: "Harness") -> None:
    harness.put_object("raw/a.csv", b"1")
    harness.put_object("raw/b/c.csv", b"2")
    code = harness.put_object("code/clean.py", b"print()")

    def clean(process: "Process") -> int:
        raw = process.path("/opt/ml/processing/raw")
        found = {path.relative_to(raw).as_posix(): path.read_text() for path in sorted(raw.rglob("*.csv"))}
        process.print(json.dumps(found), *names(process, "code"))
        done = process.path("/opt/ml/processing/done")
        (done / "deep").mkdir()
        (done / "deep" / "all.csv").write_text("1,2")
        (done / "link").symlink_to("/etc/passwd")
        (process.path("/opt/ml/output") / "message").write_text("2 rows")
        return 0

    inputs = [harness.processing_input(f"s3://{harness.bucket}/raw"), harness.processing_input(code, "code")]
    row = run(harness, clean, ProcessingInputs=inputs, **outputs(harness.processing_output()))
    assert row.status == "Completed", row.state
    assert harness.log_lines(row) == ['{"a.csv": "1", "b/c.csv": "2"}', "clean.py"]
    assert harness.objects_under("done") == {"deep/all.csv": b"1,2"}
    assert row.state["ExitMessage"] == "2 rows"
    assert row.state["ProcessingStartTime"] <= row.state["ProcessingEndTime"]
    assert "FailureReason" not in row.state
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_a_continuous_output_is_uploaded_while_the_job_runs_and_again_when_it_changes(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        done = process.path("/opt/ml/processing/done")
        (done / "part").write_text("half")
        process.wait_for_stop()
        (done / "part").write_text("complete")
        return 0

    harness.engine.add_image("clean:1", {ANY: clean}, stop_signal="SIGINT")
    harness.start()
    job = harness.create_processing_job(**outputs(harness.processing_output(mode="Continuous")))
    harness.poll_until(lambda: harness.objects_under("done") == {"part": b"half"})
    assert harness.reload(job).status == "InProgress"
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    assert harness.objects_under("done") == {"part": b"complete"}


def test_a_continuous_output_that_changes_within_the_second_of_its_upload_is_uploaded_again(harness: "Harness") -> None:
    later = 4_000_000_000  # a second that is not over, however long the upload takes

    def clean(process: "Process") -> int:
        part = process.path("/opt/ml/processing/done") / "part"
        part.write_text("half")
        os.utime(part, (later, later))
        process.wait_for_stop()
        part.write_text("full")
        os.utime(part, (later, later))
        return 0

    harness.engine.add_image("clean:1", {ANY: clean}, stop_signal="SIGINT")
    harness.start()
    job = harness.create_processing_job(**outputs(harness.processing_output(mode="Continuous")))
    harness.poll_until(lambda: harness.objects_under("done"))
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    assert harness.objects_under("done") == {"part": b"full"}


def test_an_end_of_job_output_is_not_there_before_the_end(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        for output in ("done", "seen"):
            (process.path(f"/opt/ml/processing/{output}") / "part").write_text("half")
        process.wait_for_stop()
        return 0

    harness.engine.add_image("clean:1", {ANY: clean}, stop_signal="SIGINT")
    harness.start()
    both = outputs(harness.processing_output(), harness.processing_output("seen", "Continuous"))
    job = harness.create_processing_job(**both)
    harness.poll_until(lambda: harness.objects_under("seen"))
    assert harness.objects_under("done") == {}
    harness.stop_job(job)
    harness.wait_until_ended(job)
    assert harness.objects_under("done") == {"part": b"half"}


def test_a_failed_job_refers_to_its_log_and_keeps_its_message(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        (process.path("/opt/ml/output") / "message").write_text("no rows")
        return 3

    row = run(harness, clean)
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: See job logs for more information")
    assert row.state["ExitMessage"] == "no rows"


def test_of_several_hosts_the_one_that_failed_is_named(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        host = json.loads((process.path("/opt/ml/config") / "resourceconfig.json").read_text())["current_host"]
        if host == "algo-1":
            process.wait_until_killed()  # it waits for its peer, and would for hours
        return 3

    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    row = run(harness, clean, ProcessingResources={"ClusterConfig": cluster})
    reason = "AlgorithmError: algo-2: See job logs for more information"
    assert (row.status, row.state["FailureReason"]) == ("Failed", reason)


def test_a_message_is_cut_at_one_kilobyte_between_two_characters(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        (process.path("/opt/ml/output") / "message").write_text("가" * 1000)
        return 0

    assert run(harness, clean).state["ExitMessage"] == "가" * 341


def test_a_message_that_is_not_utf8_fails_the_job(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        (process.path("/opt/ml/output") / "message").write_bytes(b"\xff\xfe")
        return 0

    row = run(harness, clean)
    reason = "ClientError: /opt/ml/output/message is not UTF-8 encoded"
    assert (row.status, row.state["FailureReason"]) == ("Failed", reason)


def test_hosts_share_a_sharded_input_and_their_outputs_come_together(harness: "Harness") -> None:
    for name in ("a", "b", "c"):
        harness.put_object(f"raw/{name}", name.encode())

    def clean(process: "Process") -> int:
        host = json.loads((process.path("/opt/ml/config") / "resourceconfig.json").read_text())["current_host"]
        found = names(process, "raw")
        (process.path("/opt/ml/processing/done") / host).write_text(" ".join(found))
        (process.path("/opt/ml/output") / "message").write_text(f"{host} is done. ")
        return 0

    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    sharded = harness.processing_input(f"s3://{harness.bucket}/raw/", S3DataDistributionType="ShardedByS3Key")
    row = run(
        harness,
        clean,
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingInputs=[sharded],
        **outputs(harness.processing_output()),
    )
    assert row.status == "Completed", row.state
    assert harness.objects_under("done") == {"algo-1": b"a c", "algo-2": b"b"}
    assert row.state["ExitMessage"] == "algo-1 is done. algo-2 is done. "


def test_a_manifest_names_the_inputs(harness: "Harness") -> None:
    harness.put_object("raw/a.csv", b"1")
    harness.put_object("raw/b.csv", b"2")
    manifest = harness.put_object("manifest", json.dumps([{"prefix": f"s3://{harness.bucket}/raw/"}, "b.csv"]).encode())

    def clean(process: "Process") -> int:
        process.print(*names(process, "raw"))
        return 0

    row = run(harness, clean, ProcessingInputs=[harness.processing_input(manifest, S3DataType="ManifestFile")])
    assert (row.status, harness.log_lines(row)) == ("Completed", ["b.csv"])


def test_an_input_that_is_not_there_fails_the_job(harness: "Harness") -> None:
    uri = f"s3://{harness.bucket}/nowhere"
    row = run(harness, lambda process: 0, ProcessingInputs=[harness.processing_input(uri)])
    reason = f'ClientError: Failed to download data. No S3 objects found under S3 URL "{uri}"'
    assert (row.status, row.state["FailureReason"]) == ("Failed", reason)


def test_an_output_without_its_bucket_fails_the_job(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        (process.path("/opt/ml/processing/done") / "part").write_text("half")
        return 0

    output = harness.processing_output()
    output["S3Output"]["S3Uri"] = "s3://no-such-bucket-anywhere/done"
    row = run(harness, clean, **outputs(output))
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Failed to upload data. ")
    assert "NoSuchBucket" in row.state["FailureReason"]


def test_a_job_over_its_maximum_runtime_is_stopped(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        process.print("begun")
        process.wait_for_stop()
        return 1

    harness.engine.add_image("clean:1", {ANY: clean}, stop_signal="SIGINT")
    harness.start()
    job = harness.create_processing_job()
    harness.wait_until(lambda: job_facts(harness.reload(job)).run.began_at)
    harness.wait_for_line(job, "begun")
    harness.clock_offset = 3601.0
    harness.touch(job)
    row = harness.wait_until_ended(job)
    assert (row.status, row.state.get("FailureReason")) == ("Stopped", None)


def test_what_the_container_manages_is_left_alone(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        process.print(*(mount.target for mount in process.spec.mounts))
        return 0

    managed_input = {**harness.processing_input("s3://no-such-bucket-anywhere/raw"), "AppManaged": True}
    managed_output = {**harness.processing_output(), "AppManaged": True}
    row = run(harness, clean, ProcessingInputs=[managed_input], **outputs(managed_output))
    assert row.status == "Completed", row.state
    assert harness.log_lines(row) == ["/opt/ml/config", "/opt/ml/output"]


def test_an_input_in_pipe_mode_is_read_from_pipes_beside_its_path(harness: "Harness") -> None:
    read: dict[str, Any] = {}

    def clean(process: "Process") -> int:
        config = json.loads(process.path("/opt/ml/config/resourceconfig.json").read_text())
        host = config["current_host"]
        epochs = []
        for epoch in range(2):
            pipe = process.path(f"/opt/ml/processing/in/rows_{epoch}")
            while not pipe.exists():
                process.sleep(0.01)
            epochs.append(pipe.read_bytes())
        read[host] = [*epochs, names(process, "in/rows/code")]
        return 0

    for key in ("a", "b", "c"):
        harness.put_object(f"rows/{key}", gzip.compress(f"{key} ".encode()))
    code = harness.put_object("code/clean.py", b"print()")
    rows = harness.processing_input(
        f"s3://{harness.bucket}/rows/", "rows", LocalPath="/opt/ml/processing/in/rows", S3InputMode="Pipe",
        S3CompressionType="Gzip", S3DataDistributionType="ShardedByS3Key",
    )  # fmt: skip
    inputs = [rows, harness.processing_input(code, "code", LocalPath="/opt/ml/processing/in/rows/code")]
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    row = run(harness, clean, ProcessingInputs=inputs, ProcessingResources={"ClusterConfig": cluster})
    assert row.status == "Completed", row.state
    assert read == {"algo-1": [b"a c ", b"a c ", ["clean.py"]], "algo-2": [b"b ", b"b ", ["clean.py"]]}
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_a_pipe_that_cannot_be_fed_fails_the_job(harness: "Harness") -> None:
    uri = harness.put_object("rows/a", b"no gzip")

    def clean(process: "Process") -> int:
        process.path("/opt/ml/processing/rows_0").read_bytes()
        process.wait_until_killed()
        return 0

    rows = harness.processing_input(uri, "rows", S3InputMode="Pipe", S3CompressionType="Gzip")
    row = run(harness, clean, ProcessingInputs=[rows])
    assert row.status == "Failed"
    assert "rows could not be fed: " in row.state["FailureReason"]
    assert uri in row.state["FailureReason"]


def test_a_file_with_two_names_becomes_two_objects(harness: "Harness") -> None:
    def clean(process: "Process") -> int:
        done = process.path("/opt/ml/processing/done")
        (done / "a").write_text("same")
        os.link(done / "a", done / "b")
        return 0

    run(harness, clean, **outputs(harness.processing_output()))
    assert harness.objects_under("done") == {"a": b"same", "b": b"same"}


def test_the_plan_of_a_job_has_what_the_settings_say_of_its_stop(harness: "Harness") -> None:
    settings = Settings(processing_stop_seconds=7.0, processing_stop_signal="SIGTERM", processing_upload_seconds=3.0)
    emulator = EmulatorInfo(harness.data_dir, "test", settings, b"a secret", credentials=True)
    job = harness.create_processing_job(
        ProcessingInputs=[harness.processing_input("s3://bucket/raw", "raw rows")],
        **outputs(harness.processing_output(mode="Continuous")),
    )
    found = PROCESSING.plan(job, [Limits(cpus=1.0, memory_bytes=1 << 30, gpus=0)], emulator)
    assert (found.stop_signal, found.stop_seconds, found.upload_seconds) == ("SIGTERM", 7.0, 3.0)
    source = {"S3DataSource": {"S3Uri": "s3://bucket/raw", "S3DataType": "S3Prefix"}}
    assert found.inputs == Inputs(({"ChannelName": "raw rows", "DataSource": source},), "inputs", ("1",))
    assert found.uploads == (FolderUpload("/opt/ml/processing/done", f"s3://{harness.bucket}/done", continuous=True),)
    assert found.message_file == MessageFile("/opt/ml/output/message", "ExitMessage")
    assert found.log_group == "/aws/sagemaker/ProcessingJobs"
    assert found.log_streams == {"algo-1": f"clean/algo-1-{int(job.created)}"}
    (host,) = found.job.hosts
    assert host.container.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].startswith("/v2/credentials/")


def test_a_container_that_is_removed_before_its_output_is_read_fails_the_job(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = harness.engine.archive

    def removed(container: str, path: str) -> BinaryIO:
        harness.engine.remove(container)
        return archive(container, path)

    monkeypatch.setattr(harness.engine, "archive", removed)
    row = run(harness, lambda _: 0, **outputs(harness.processing_output()))
    assert row.state["FailureReason"].startswith("InternalServerError")
    assert "samebox: the container has disappeared: it was removed, or lost by the engine" in harness.log_lines(row)
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))
