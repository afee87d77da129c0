"""Training jobs from the row to the end, on the fake engine and a real S3."""

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, Capacity, EngineUnavailable
from samebox.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process
    from tests.jobs.conftest import House


def train(process: "Process") -> int:
    process.print("begin", "accuracy=0.5;", "accuracy=0.97;")
    (process.path("/opt/ml/model") / "weights").write_bytes(b"w" * 1000)
    return 0


def ignoring_sigterm(process: "Process") -> int:
    process.print("begin")
    process.wait_until_killed()
    return 0


def until_stopped(process: "Process") -> int:
    process.print("begin")
    process.wait_for_stop()
    (process.path("/opt/ml/model") / "half").write_text("half")
    process.print("stopped")
    return 3


def test_a_job_that_ends_well_is_completed_with_its_model_metrics_and_log(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.put("digits/train/a.csv")
    house.up()
    job = house.train(
        InputDataConfig=[house.channel("train", f"s3://{house.bucket}/digits/train")],
        AlgorithmSpecification={
            "TrainingImage": "digits:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"}],
        },
    )
    row = house.ends(job)
    assert row.status == "Completed"
    stages = [(one["Status"], one["StatusMessage"]) for one in row.state["SecondaryStatusTransitions"]]
    assert stages == [
        ("Starting", "Starting the training job"),
        ("Downloading", "Downloading input data"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]
    model = row.state["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://{house.bucket}/out/digits/output/model.tar.gz"
    assert house.members(model) == {"weights": b"w" * 1000}
    assert house.lines(job) == ["begin", "accuracy=0.5;", "accuracy=0.97;"]
    (metric,) = row.state["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("accuracy", 0.97)
    assert row.state["TrainingTimeInSeconds"] == row.state["BillableTimeInSeconds"] == 1
    assert row.state["TrainingStartTime"] <= row.state["TrainingEndTime"]
    assert "FailureReason" not in row.state
    assert house.containers() == []
    house.until_quiet(lambda: not list((house.data_dir / "jobs").iterdir()))


def test_a_job_has_ended_before_its_folder_is_removed(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    # Thousands of small files take many seconds, which are not the job's.
    removing, sweep_path = threading.Event(), house.engine.sweep_path

    def slow(path: "Path") -> None:
        assert removing.wait(60)
        sweep_path(path)

    monkeypatch.setattr(house.engine, "sweep_path", slow)
    house.engine.add_image("digits:1", {"train": lambda process: 0})
    house.up()
    house.reaches(house.train(), "Completed")
    assert list((house.data_dir / "jobs").iterdir())
    removing.set()
    house.until_quiet(lambda: not list((house.data_dir / "jobs").iterdir()))


def test_train_finds_its_channels_and_its_container_is_labelled_and_limited(house: "House") -> None:
    seen: dict[str, Any] = {}

    def look(process: "Process") -> int:
        seen["data"] = (process.path("/opt/ml/input/data/train") / "a.csv").read_bytes()
        seen["manifest"] = process.path("/opt/ml/input/data/train-manifest").read_text()
        seen["configuration"] = sorted(path.name for path in process.path("/opt/ml/input/config").iterdir())
        seen["spec"] = process.spec
        return 0

    house.engine.add_image("digits:1", {"train": look})
    uri = house.put("digits/train/a.csv", b"4,5\n")
    house.up()
    job = house.train(InputDataConfig=[house.channel("train", f"s3://{house.bucket}/digits/train/")])
    assert house.ends(job).status == "Completed"
    assert seen["data"] == b"4,5\n"
    assert seen["manifest"].splitlines()[1:] == [uri]
    assert "hyperparameters.json" in seen["configuration"]
    spec = seen["spec"]
    assert spec.labels == {INSTANCE_LABEL: "test-house", ARN_LABEL: job.arn}
    assert (spec.cpus, spec.memory_bytes, spec.command) == (2.0, 8 << 30, ("train",))
    assert spec.hostname.startswith("ip-10-")
    assert spec.extra_hosts == {"algo-1": "127.0.0.1"}


def test_network_isolation_takes_the_network_away(house: "House") -> None:
    networks = []

    def look(process: "Process") -> int:
        networks.append(process.spec.network)
        return 0

    house.engine.add_image("digits:1", {"train": look})
    house.up()
    assert house.ends(house.train(EnableNetworkIsolation=True)).status == "Completed"
    assert networks == ["none"]


def test_what_lies_in_output_data_becomes_output_tar_gz_and_nothing_else_does(house: "House") -> None:
    def output(process: "Process") -> int:
        (process.path("/opt/ml/output/data") / "report.txt").write_text("fine")
        (process.path("/opt/ml/output") / "success").write_text("")
        return 0

    house.engine.add_image("digits:1", {"train": output})
    house.up()
    house.ends(house.train())
    folder = f"s3://{house.bucket}/out/digits/output"
    assert house.members(f"{folder}/output.tar.gz") == {"report.txt": b"fine"}
    assert not house.objects.exists_under(f"{folder}/model.tar.gz")


def test_a_manifest_says_which_objects_a_channel_has(house: "House") -> None:
    found: list[str] = []

    def look(process: "Process") -> int:
        folder = process.path("/opt/ml/input/data/train")
        found.extend(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        return 0

    house.engine.add_image("digits:1", {"train": look})
    for key in ("digits/a.csv", "digits/x/b.csv", "digits/not-named.csv"):
        house.put(key)
    text = f'[{{"prefix": "s3://{house.bucket}/digits/"}}, "a.csv", "x/b.csv"]'
    channel = house.channel("train", house.put("train.manifest", text.encode()))
    channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    house.up()
    assert house.ends(house.train(InputDataConfig=[channel])).status == "Completed"
    assert found == ["a.csv", "x/b.csv"]


def test_a_manifest_that_names_a_missing_object_fails_the_download(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    text = f'[{{"prefix": "s3://{house.bucket}/digits/"}}, "gone.csv"]'
    channel = house.channel("train", house.put("train.manifest", text.encode()))
    channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    house.up()
    row = house.ends(house.train(InputDataConfig=[channel]))
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:")
    assert f"s3://{house.bucket}/digits/gone.csv" in row.state["FailureReason"]


def test_a_job_that_wrote_no_model_completes_and_uploads_none(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": lambda process: 0})
    house.up()
    row = house.ends(house.train())
    assert row.status == "Completed"
    # The API names the place all the same (contract.md §1.8).
    uri = row.state["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{house.bucket}/out/digits/output/model.tar.gz"
    assert not house.objects.exists_under(uri)


def test_an_empty_output_directory_leaves_no_output_tar_gz(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.up()
    house.ends(house.train())
    assert not house.objects.exists_under(f"s3://{house.bucket}/out/digits/output/output.tar.gz")


def test_exit_code_1_without_a_failure_file_fails_the_job_in_aws_words(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": lambda process: 1})
    house.up()
    row = house.ends(house.train())
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: , exit code: 1")
    stages = [one["Status"] for one in row.state["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Failed"]
    assert house.containers() == []


def test_the_failure_file_says_why_as_far_as_1024_characters_go(house: "House") -> None:
    def fail(process: "Process") -> int:
        process.path("/opt/ml/output/failure").write_bytes(b"\xff\xfe" + "no such column: ü\n".encode() + b"x" * 5000)
        return 7

    house.engine.add_image("digits:1", {"train": fail})
    house.up()
    reason = house.ends(house.train()).state["FailureReason"]
    assert reason.startswith("AlgorithmError: \ufffd\ufffdno such column: ü\nxxx")
    assert reason.endswith("x, exit code: 7")
    assert len(reason) == 1024


def test_a_failed_job_leaves_its_artifacts_unless_a_setting_says_no(house: "House") -> None:
    def fail(process: "Process") -> int:
        (process.path("/opt/ml/model") / "half").write_text("half")
        return 1

    house.engine.add_image("digits:1", {"train": fail})
    house.up()
    house.ends(house.train())
    assert house.members(f"s3://{house.bucket}/out/digits/output/model.tar.gz") == {"half": b"half"}


class TestWithoutUploadOnFailure:
    @pytest.fixture
    def settings(self) -> Settings:
        return replace(Settings(), upload_on_failure=False)

    def test_a_failed_job_leaves_nothing_in_s3(self, house: "House") -> None:
        house.engine.add_image("digits:1", {"train": lambda process: 1})
        house.up()
        row = house.ends(house.train())
        assert row.state["FailureReason"] == "AlgorithmError: , exit code: 1"
        assert not house.objects.exists_under(f"s3://{house.bucket}/out/digits/")
        assert "ModelArtifacts" not in row.state


def test_a_container_that_runs_out_of_memory_fails_with_137_and_the_log_says_so(house: "House") -> None:
    def greedy(process: "Process") -> int:
        process.run_out_of_memory()
        return 0

    house.engine.add_image("digits:1", {"train": greedy})
    house.up()
    job = house.train()
    assert house.ends(job).state["FailureReason"] == "AlgorithmError: , exit code: 137"
    assert house.lines(job) == ["samebox: the container was out of memory; its limit is 8.0 GiB"]


def test_an_image_without_train_on_its_path_fails_with_the_runtimes_words(house: "House") -> None:
    house.engine.add_image("digits:1", {"serve": train})
    house.up()
    job = house.train()
    row = house.ends(job)
    assert row.state["FailureReason"] == (
        "ClientError: Artifact upload failed:API error (400): OCI runtime create failed: runc create failed: unable to "
        'start container process: exec: "train": executable file not found in $PATH: unknown'
    )
    assert house.lines(job) == ['exec: "train": executable file not found in $PATH']
    assert house.containers() == []


def test_an_image_that_cannot_be_pulled_fails_the_job(house: "House") -> None:
    house.up()
    row = house.ends(house.train())
    assert row.state["FailureReason"] == (
        "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are "
        "incorrect."
    )


def test_an_image_that_is_not_here_is_pulled_and_the_status_says_so(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train}, remote=True)
    house.up()
    row = house.ends(house.train())
    assert row.status == "Completed"
    assert house.engine.pulled == ["digits:1"]
    messages = [one["StatusMessage"] for one in row.state["SecondaryStatusTransitions"]]
    assert messages[1] == "Downloading the training image"


def test_a_channel_without_objects_fails_the_job(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.up()
    row = house.ends(house.train(InputDataConfig=[house.channel("train", f"s3://{house.bucket}/nothing")]))
    assert row.state["FailureReason"] == (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "s3://{house.bucket}/nothing"'
    )
    assert house.containers() == []


def test_a_bucket_that_is_gone_fails_the_job(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.up()
    row = house.ends(house.train(InputDataConfig=[house.channel("train", "s3://never-made/x")]))
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:")
    assert "NoSuchBucket" in row.state["FailureReason"]


def test_input_larger_than_the_volume_fails_for_disk_space(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.put("big/1", b"x" * 100)
    house.up()
    job = house.train(
        InputDataConfig=[house.channel("train", f"s3://{house.bucket}/big/")],
        # A fraction of a GB stands in for a disk that can be filled in a test.
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 50 / 1024**3},
    )
    row = house.ends(job)
    assert row.state["FailureReason"] == "ClientError: Data download failed:Insufficient disk space"
    assert house.lines(job)[0].startswith("samebox: the input does not fit")


# What CreateTrainingJob refuses today, earlier versions wrote down; and buckets are deleted while a job runs.


@pytest.mark.parametrize(
    ("path", "code"), [("s3://never-made/out", "NoSuchBucket"), ("https://example.com/out", "InvalidURI")]
)
def test_an_output_path_that_cannot_be_written_fails_the_upload(house: "House", path: str, code: str) -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.up()
    row = house.ends(house.train(OutputDataConfig={"S3OutputPath": path}))
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Artifact upload failed:")
    assert code in row.state["FailureReason"]
    assert "ModelArtifacts" not in row.state


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_that_is_another_directory_of_the_job_fails_the_download(house: "House", name: str) -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.put("in/hyperparameters.json", b"{}")
    house.up()
    row = house.ends(house.train(InputDataConfig=[house.channel(name, f"s3://{house.bucket}/in/")]))
    assert row.state["FailureReason"] == (
        f"ClientError: Data download failed:Channel '{name}': a channel is a directory of its name."
    )
    assert house.containers() == []


def test_a_gpu_instance_on_a_host_without_a_gpu_is_a_capacity_error_that_names_the_way_out(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.up()
    row = house.ends(house.train(ResourceConfig={"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1}))
    assert row.state["FailureReason"].startswith("CapacityError: ml.p3.2xlarge has 1 x NVIDIA V100")
    assert "SAMEBOX_ALLOW_GPU_ON_CPU=true samebox up" in row.state["FailureReason"]


def test_a_smaller_host_is_said_once_in_the_log(house: "House") -> None:
    house.engine._capacity = Capacity(cpus=1, memory_bytes=4 << 30)
    house.engine.add_image("digits:1", {"train": lambda process: process.print("begin")})
    house.up()
    job = house.train()
    house.ends(job)
    assert house.lines(job) == [
        "samebox: This host has less than ml.m5.large: the container gets 1 of 2 vCPUs, 4.0 of 8 GiB of memory.",
        "begin",
    ]


def test_a_job_stopped_while_it_trains_gets_sigterm_and_keeps_its_artifacts(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": until_stopped})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.stop(job)
    row = house.ends(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in row.state
    assert house.members(row.state["ModelArtifacts"]["S3ModelArtifacts"]) == {"half": b"half"}
    assert house.lines(job) == ["begin", "stopped"]


def test_a_job_that_ignores_sigterm_is_killed_when_its_grace_is_over(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": ignoring_sigterm})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.stop(job)
    house.until(lambda: "StopSignalledAt" in house.row(job).state["Run"])
    assert house.row(job).status == "Stopping"
    house.ahead = 121.0
    house.touch(job)
    assert house.ends(job).status == "Stopped"


def test_a_job_over_its_maximum_runtime_is_stopped_with_its_own_status(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": until_stopped})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.ahead = 3601.0
    house.touch(job)
    row = house.ends(job)
    assert (row.status, row.state["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert house.members(row.state["ModelArtifacts"]["S3ModelArtifacts"]) == {"half": b"half"}


def test_a_job_stopped_before_its_container_ran_is_stopped_and_never_runs(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    job = house.train()
    house.stop(job)
    house.up()
    row = house.ends(job)
    assert row.status == "Stopped"
    assert "ModelArtifacts" not in row.state
    assert house.lines(job) == []


def test_a_job_stopped_while_it_pulls_never_runs(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    house.engine.add_image("digits:1", {"train": train}, remote=True)
    pull = house.engine.pull

    def stopped_meanwhile(reference: str, *rest: object) -> object:
        house.stop(job)
        return pull(reference)

    monkeypatch.setattr(house.engine, "pull", stopped_meanwhile)
    job = house.train()
    house.up()
    row = house.ends(job)
    assert row.status == "Stopped"
    assert house.lines(job) == []
    assert house.containers() == []


def test_a_job_stopped_while_it_uploads_is_stopped_and_its_model_whole(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine.add_image("digits:1", {"train": train})
    upload = house.objects.upload

    def stopped_meanwhile(*arguments: object) -> int:
        if house.row(job).status == "InProgress":  # with the first of the uploads
            house.stop(job)
        return upload(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(house.objects, "upload", stopped_meanwhile)
    job = house.train()
    house.up()
    row = house.ends(job)
    assert row.status == "Stopped"
    assert house.members(row.state["ModelArtifacts"]["S3ModelArtifacts"]) == {"weights": b"w" * 1000}


def test_an_engine_that_is_away_for_a_moment_fails_no_job(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.engine.unavailable = "Cannot connect to the Docker daemon"
    house.up()
    job = house.train()

    def waits() -> bool:
        return "container engine" in house.row(job).state["SecondaryStatusTransitions"][-1]["StatusMessage"]

    house.until(waits)
    house.engine.unavailable = None
    assert house.ends(job).status == "Completed"


def test_an_engine_that_stays_away_fails_the_job_as_our_own_error(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine.add_image("digits:1", {"train": train})

    def away(_: object) -> str:
        raise EngineUnavailable("gone")

    monkeypatch.setattr(house.engine, "create", away)
    house.up(give_up_seconds=0.0)
    row = house.ends(house.train())
    assert row.state["FailureReason"] == ("InternalServerError: We encountered an internal error.  Please try again.")


def test_an_unexpected_error_ends_the_job_and_leaves_nothing_running(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    house.engine.add_image("digits:1", {"train": until_stopped})

    def broken(container: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house.engine, "start", broken)
    house.up()
    row = house.ends(house.train())
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("InternalServerError")
    assert house.containers() == []


def test_a_container_that_somebody_removed_fails_the_job(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": until_stopped})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    (name,) = house.containers()
    house.engine.remove(name)
    row = house.ends(job)
    assert row.state["FailureReason"].startswith("InternalServerError")
    assert "samebox: the container is lost: somebody removed it" in house.lines(job)


def test_times_of_a_long_job_are_whole_seconds_of_its_training(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": until_stopped})
    house.up()
    job = house.train()
    house.reaches(job, "Training")
    house.ahead = 90.0
    house.stop(job)
    row = house.ends(job)
    assert 90 <= row.state["TrainingTimeInSeconds"] <= 95
    assert row.state["TrainingEndTime"] - time.time() > 80


def test_ten_thousand_lines_are_all_in_the_book_before_the_job_is_completed(house: "House") -> None:
    def chatty(process: "Process") -> int:
        process.write("".join(f"line {number}\n" for number in range(10_000)))
        return 0

    house.engine.add_image("digits:1", {"train": chatty})
    house.up()
    job = house.train()
    assert house.ends(job).status == "Completed"
    assert house.lines(job) == [f"line {number}" for number in range(10_000)]


def test_many_jobs_run_at_once_and_end_each_for_itself(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    house.engine.add_image("broken:1", {"train": lambda process: 1})
    house.up()
    jobs = [house.train(f"job-{number}", "digits:1" if number % 2 else "broken:1") for number in range(12)]
    statuses = [house.ends(job).status for job in jobs]
    assert statuses == ["Failed", "Completed"] * 6
