"""Training jobs from the row to the end, on the fake engine and a real S3."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.containers.fake_process import Process
    from tests.jobs.conftest import House


def train(process: "Process") -> int:
    process.print("begin", "accuracy=0.5;", "accuracy=0.97;")
    (process.path("/opt/ml/model") / "weights").write_bytes(b"w" * 1000)
    return 0


def test_a_job_that_ends_well_is_completed_with_its_model_metrics_and_log(house: "House") -> None:
    house.engine.add_image("digits:1", {"train": train})
    uri = house.put("digits/train/a.csv")
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
    assert list((house.data_dir / "jobs").iterdir()) == []
    assert not house.objects.exists_under(f"s3://{house.bucket}/out/digits/output/output.tar.gz")
    assert uri
