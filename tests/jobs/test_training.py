"""Training jobs from the row to the end, on the fake engine and a real S3."""

from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.engine import ARN_LABEL, INSTANCE_LABEL, Capacity
from samebox.containers.reservations import Reservation
from samebox.resources.deployment import StandIn
from samebox.resources.run_facts import JobFacts
from tests.jobs.programs import train, until_stopped

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


def test_a_job_that_ends_well_is_completed_with_its_model_metrics_and_log(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.put_object("digits/train/a.csv")
    harness.start()
    job = harness.create_training_job(
        InputDataConfig=[harness.channel("train", f"s3://{harness.bucket}/digits/train")],
        AlgorithmSpecification={
            "TrainingImage": "digits:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"}],
        },
    )
    row = harness.wait_until_ended(job)
    assert row.status == "Completed"
    stages = [(one["Status"], one["StatusMessage"]) for one in row.state["SecondaryStatusTransitions"]]
    assert stages == [
        ("Starting", "Preparing the instances for training"),
        ("Downloading", "Downloading input data"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]
    model = row.state["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://{harness.bucket}/out/digits/output/model.tar.gz"
    assert harness.files_of_tar(model) == {"weights": b"w" * 1000}
    assert harness.log_lines(job) == ["begin", "accuracy=0.5;", "accuracy=0.97;"]
    (metric,) = row.state["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("accuracy", 0.97)
    assert [(series.namespace, series.name, series.dimensions, value) for series, _, value in harness.metrics] == [
        ("/aws/sagemaker/TrainingJobs", "accuracy", (("TrainingJobName", "digits"),), value) for value in (0.5, 0.97)
    ]
    assert row.state["TrainingTimeInSeconds"] == row.state["BillableTimeInSeconds"] == 1
    assert row.state["TrainingStartTime"] <= row.state["TrainingEndTime"]
    assert "FailureReason" not in row.state
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_without_compression_files_are_uploaded_as_they_are(harness: "Harness") -> None:
    def leave(process: "Process") -> int:
        host = process.spec.aliases[0]
        model = process.path("/opt/ml/model")
        (model / "deep").mkdir()
        (model / "deep" / host).write_text(host)
        (model / "same").write_text(f"of {host}")
        (model / "link").symlink_to("same")
        (process.path("/opt/ml/output/data") / "report").write_text("fine")
        return 0

    harness.engine.add_image("digits:1", {"train": leave})
    harness.start()
    job = harness.create_training_job(
        OutputDataConfig={"S3OutputPath": f"s3://{harness.bucket}/plain", "CompressionType": "NONE"},
        ResourceConfig={"InstanceType": "ml.t3.micro", "InstanceCount": 2, "VolumeSizeInGB": 1},
    )
    row = harness.wait_until_ended(job)
    model = f"s3://{harness.bucket}/plain/digits/output/model"
    assert row.state["ModelArtifacts"] == {"S3ModelArtifacts": model}
    assert harness.objects_under("plain/digits/output") == {
        "model/deep/algo-1": b"algo-1",
        "model/deep/algo-2": b"algo-2",
        "model/same": b"of algo-1",
        "data/report": b"fine",
    }


def test_train_finds_its_channels_and_its_container_is_labelled_and_limited(harness: "Harness") -> None:
    seen: dict[str, Any] = {}

    def look(process: "Process") -> int:
        seen["data"] = (process.path("/opt/ml/input/data/train") / "a.csv").read_bytes()
        seen["manifest"] = process.path("/opt/ml/input/data/train-manifest").read_text()
        seen["configuration"] = sorted(path.name for path in process.path("/opt/ml/input/config").iterdir())
        seen["spec"] = process.spec
        return 0

    harness.engine.add_image("digits:1", {"train": look})
    uri = harness.put_object("digits/train/a.csv", b"4,5\n")
    harness.start()
    job = harness.create_training_job(
        InputDataConfig=[harness.channel("train", f"s3://{harness.bucket}/digits/train/")]
    )
    assert harness.wait_until_ended(job).status == "Completed"
    assert seen["data"] == b"4,5\n"
    assert seen["manifest"].splitlines()[1:] == [uri]
    assert "hyperparameters.json" in seen["configuration"]
    spec = seen["spec"]
    reserved = Reservation(8 << 30).label
    assert spec.labels == {INSTANCE_LABEL: "test-harness", ARN_LABEL: job.arn, **reserved}
    assert (spec.cpus, spec.memory_bytes, spec.command) == (2.0, 8 << 30, ("train",))
    assert spec.hostname.startswith("ip-10-")
    assert (spec.aliases, spec.extra_hosts) == (("algo-1",), {})


def test_an_isolated_job_of_one_host_has_no_network(harness: "Harness") -> None:
    networks = []

    def look(process: "Process") -> int:
        networks.append(process.spec.network)
        return 0

    harness.engine.add_image("digits:1", {"train": look})
    harness.start()
    job = harness.create_training_job(EnableNetworkIsolation=True)
    assert harness.wait_until_ended(job).status == "Completed"
    assert networks == ["none"]


def test_what_lies_in_output_data_becomes_output_tar_gz_and_nothing_else_does(harness: "Harness") -> None:
    def output(process: "Process") -> int:
        (process.path("/opt/ml/output/data") / "report.txt").write_text("fine")
        (process.path("/opt/ml/output") / "success").write_text("")
        return 0

    harness.engine.add_image("digits:1", {"train": output})
    harness.start()
    harness.wait_until_ended(harness.create_training_job())
    folder = f"s3://{harness.bucket}/out/digits/output"
    assert harness.files_of_tar(f"{folder}/output.tar.gz") == {"report.txt": b"fine"}
    assert not harness.objects.exists_under(f"{folder}/model.tar.gz")


def test_a_manifest_lists_the_objects_of_a_channel(harness: "Harness") -> None:
    found: list[str] = []

    def look(process: "Process") -> int:
        folder = process.path("/opt/ml/input/data/train")
        found.extend(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        return 0

    harness.engine.add_image("digits:1", {"train": look})
    for key in ("digits/a.csv", "digits/x/b.csv", "digits/not-named.csv"):
        harness.put_object(key)
    text = f'[{{"prefix": "s3://{harness.bucket}/digits/"}}, "a.csv", "x/b.csv"]'
    channel = harness.channel("train", harness.put_object("train.manifest", text.encode()))
    channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    harness.start()
    assert harness.wait_until_ended(harness.create_training_job(InputDataConfig=[channel])).status == "Completed"
    assert found == ["a.csv", "x/b.csv"]


def test_a_manifest_that_names_a_missing_object_fails_the_download(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    text = f'[{{"prefix": "s3://{harness.bucket}/digits/"}}, "gone.csv"]'
    channel = harness.channel("train", harness.put_object("train.manifest", text.encode()))
    channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job(InputDataConfig=[channel]))
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:")
    assert f"s3://{harness.bucket}/digits/gone.csv" in row.state["FailureReason"]


def test_a_job_that_wrote_no_model_completes_and_uploads_none(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda process: 0})
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job())
    assert row.status == "Completed"
    # The API names the place all the same (contract.md §1.8).
    uri = row.state["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{harness.bucket}/out/digits/output/model.tar.gz"
    assert not harness.objects.exists_under(uri)


def test_an_empty_output_directory_leaves_no_output_tar_gz(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    harness.wait_until_ended(harness.create_training_job())
    assert not harness.objects.exists_under(f"s3://{harness.bucket}/out/digits/output/output.tar.gz")


def test_an_image_without_train_on_its_path_fails_with_the_message_of_the_runtime(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"serve": train})
    harness.start()
    job = harness.create_training_job()
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"] == (
        "ClientError: Artifact upload failed:API error (400): OCI runtime create failed: runc create failed: unable to "
        'start container process: exec: "train": executable file not found in $PATH: unknown'
    )
    assert harness.log_lines(job) == ['exec: "train": executable file not found in $PATH']
    assert harness.container_names() == []


def test_an_image_that_cannot_be_pulled_fails_the_job(harness: "Harness") -> None:
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job())
    assert row.state["FailureReason"] == (
        "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are "
        "incorrect."
    )


SKLEARN = StandIn(
    "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    "samebox/sklearn:cpu",
    "docker buildx bake sklearn",
    "scikit-learn 1.7",
)


def test_a_job_on_a_stand_in_says_so_in_the_first_line_of_its_log(harness: "Harness") -> None:
    harness.engine.add_image(SKLEARN.image, {"train": train})
    harness.start()
    job = harness.create_training_job(image=SKLEARN.image, facts=JobFacts(SKLEARN.image, stand_in=SKLEARN))
    assert harness.wait_until_ended(job).status == "Completed"
    assert harness.log_lines(job)[0] == (
        "samebox: samebox/sklearn:cpu (scikit-learn 1.7) stands in for "
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3, which AWS owns"
    )


def test_a_stand_in_that_is_not_built_is_not_pulled_and_the_reason_has_the_command(harness: "Harness") -> None:
    harness.engine.add_image(SKLEARN.image, {"train": train}, remote=True)
    harness.start()
    job = harness.create_training_job(image=SKLEARN.image, facts=JobFacts(SKLEARN.image, stand_in=SKLEARN))
    assert harness.wait_until_ended(job).state["FailureReason"] == (
        "ClientError: 683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3 is owned by "
        "AWS, and samebox/sklearn:cpu, which stands in for it, is not on this machine. Make it, in a clone of samebox: "
        "docker buildx bake sklearn"
    )
    assert harness.engine.pulled == []


def test_an_image_that_is_not_here_is_pulled_and_the_status_message_names_the_pull(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train}, remote=True)
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job())
    assert row.status == "Completed"
    assert harness.engine.pulled == ["digits:1"]
    messages = [one["StatusMessage"] for one in row.state["SecondaryStatusTransitions"]]
    assert messages[1] == "Downloading the training image"


def test_a_channel_without_objects_fails_the_job(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    row = harness.wait_until_ended(
        harness.create_training_job(InputDataConfig=[harness.channel("train", f"s3://{harness.bucket}/nothing")])
    )
    assert row.state["FailureReason"] == (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "s3://{harness.bucket}/nothing"'
    )
    assert harness.container_names() == []


def test_a_bucket_that_is_gone_fails_the_job(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    row = harness.wait_until_ended(
        harness.create_training_job(InputDataConfig=[harness.channel("train", "s3://never-made/x")])
    )
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:")
    assert "NoSuchBucket" in row.state["FailureReason"]


def test_input_larger_than_the_volume_fails_for_disk_space(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.put_object("big/1", b"x" * 100)
    harness.start()
    job = harness.create_training_job(
        InputDataConfig=[harness.channel("train", f"s3://{harness.bucket}/big/")],
        # A fraction of a GB stands in for a disk that can be filled in a test.
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 50 / 1024**3},
    )
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"] == "ClientError: Data download failed:Insufficient disk space"
    assert harness.log_lines(job)[0].startswith("samebox: the input does not fit")


@pytest.mark.parametrize(
    ("path", "code"), [("s3://never-made/out", "NoSuchBucket"), ("https://example.com/out", "InvalidURI")]
)
def test_an_output_path_that_cannot_be_written_fails_the_upload(harness: "Harness", path: str, code: str) -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job(OutputDataConfig={"S3OutputPath": path}))
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Artifact upload failed:")
    assert code in row.state["FailureReason"]
    assert "ModelArtifacts" not in row.state


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_that_is_another_directory_of_the_job_fails_the_download(harness: "Harness", name: str) -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.put_object("in/hyperparameters.json", b"{}")
    harness.start()
    row = harness.wait_until_ended(
        harness.create_training_job(InputDataConfig=[harness.channel(name, f"s3://{harness.bucket}/in/")])
    )
    assert row.state["FailureReason"] == (
        f"ClientError: Data download failed:Channel '{name}': a channel is a directory of its name."
    )
    assert harness.container_names() == []


def test_a_gpu_instance_on_a_host_without_a_gpu_is_a_capacity_error_that_names_the_way_out(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    row = harness.wait_until_ended(
        harness.create_training_job(ResourceConfig={"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1})
    )
    assert row.state["FailureReason"].startswith("CapacityError: ml.p3.2xlarge has 1 x NVIDIA V100")
    assert "SAMEBOX_ALLOW_GPU_ON_CPU=true samebox up" in row.state["FailureReason"]


def test_a_smaller_host_is_logged_once(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=1, memory_bytes=4 << 30))
    harness.engine.add_image("digits:1", {"train": lambda process: process.print("begin")})
    harness.start()
    job = harness.create_training_job()
    harness.wait_until_ended(job)
    assert harness.log_lines(job) == [
        "samebox: This host has less than ml.m5.large: the container gets 1 of 2 vCPUs, 4.0 of 8 GiB of memory.",
        "begin",
    ]


def test_ten_thousand_lines_are_all_in_the_book_before_the_job_is_completed(harness: "Harness") -> None:
    def chatty(process: "Process") -> int:
        process.write("".join(f"line {number}\n" for number in range(10_000)))
        return 0

    harness.engine.add_image("digits:1", {"train": chatty})
    harness.start()
    job = harness.create_training_job()
    assert harness.wait_until_ended(job).status == "Completed"
    assert harness.log_lines(job) == [f"line {number}" for number in range(10_000)]


def test_many_jobs_run_at_once_and_end_each_for_itself(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": train})
    harness.engine.add_image("broken:1", {"train": lambda process: 1})
    harness.start()
    jobs = [
        harness.create_training_job(f"job-{number}", "digits:1" if number % 2 else "broken:1") for number in range(12)
    ]
    statuses = [harness.wait_until_ended(job).status for job in jobs]
    assert statuses == ["Failed", "Completed"] * 6


def test_a_job_waits_until_others_leave_it_memory_and_a_gpu_of_its_own(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=64, memory_bytes=40 << 30, gpus=2))
    harness.engine.add_image("digits:1", {"train": until_stopped})
    harness.start()
    config = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    first, second = (harness.create_training_job(name, ResourceConfig=config) for name in ("first", "second"))
    for job in (first, second):
        harness.wait_for_status(job, "Training")
    third = harness.create_training_job("third", ResourceConfig=config)
    message = "Insufficient capacity: waiting for other jobs to free 16.0 GiB of memory and 1 GPU"
    harness.wait_until(lambda: message in str(harness.reload(third).state["SecondaryStatusTransitions"]))
    assert harness.reload(third).state["SecondaryStatus"] == "Starting"
    assert sorted(gpus(harness)) == [("0",), ("1",)]
    harness.crash()
    harness.start()
    harness.touch(third)
    harness.stop_job(first)
    harness.wait_for_status(third, "Training")
    assert sorted(gpus(harness)) == [("0",), ("1",)]
    for job in (second, third):
        harness.stop_job(job)
        harness.wait_until_ended(job)


def test_a_job_that_waits_can_be_stopped(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=64, memory_bytes=8 << 30))
    harness.engine.add_image("digits:1", {"train": until_stopped})
    harness.start()
    first = harness.create_training_job("first")
    harness.wait_for_status(first, "Training")
    second = harness.create_training_job("second")
    harness.wait_until(lambda: "Insufficient capacity" in str(harness.reload(second).state))
    harness.stop_job(second)
    assert harness.wait_until_ended(second).status == "Stopped"
    harness.stop_job(first)
    assert harness.wait_until_ended(first).status == "Stopped"


def gpus(harness: "Harness") -> list[tuple[str, ...]]:
    running = [one.id for one in harness.engine.find({}) if one.running]
    return [harness.engine.spec_of(one).gpu_devices for one in running]
