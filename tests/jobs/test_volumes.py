"""No room for what a job leaves: on its volume, where its program would have found the disk full, or in S3."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from samebox.data.objects import Unreachable
from samebox.jobs.processing import PROCESSING
from samebox.jobs.training import TRAINING
from samebox.platform import retrying
from samebox.s3 import refusals

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.jobs.job_type import JobType
    from tests.jobs.harness import Harness

VOLUME = 100_000  # bytes; a request counts in gigabytes


def small(job_type: "JobType") -> "JobType":
    """The type of job, with such volumes."""

    def plan(*given: Any) -> Any:
        return replace(job_type.plan(*given), volume_bytes=VOLUME)

    return replace(job_type, plan=plan)


def fills(folder: str) -> dict[str, Any]:
    def write(process: "Process") -> int:
        (process.path(folder) / "all").write_bytes(bytes(VOLUME))
        return 0

    return {"*": write}


@pytest.mark.parametrize("folder", ["/opt/ml/model", "/opt/ml/output/data"])
@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
def test_a_training_job_whose_output_is_larger_fails_as_on_a_full_disk(
    harness: "Harness", folder: str, compression: str
) -> None:
    harness.types = (small(TRAINING),)
    harness.engine.add_image("digits:1", fills(folder))
    harness.start()
    output = {"S3OutputPath": f"s3://{harness.bucket}/out", "CompressionType": compression}
    job = harness.create_training_job(OutputDataConfig=output)
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"] == "ClientError: Artifact upload failed:Insufficient disk space"
    assert f"{folder} of algo-1 (needs" in harness.log_lines(job)[-1]
    assert harness.container_names() == []


@pytest.mark.parametrize("mode", ["EndOfJob", "Continuous"])
def test_a_processing_job_whose_output_is_larger_fails_as_on_a_full_disk(harness: "Harness", mode: str) -> None:
    harness.types = (small(PROCESSING),)
    harness.settings = replace(harness.settings, processing_upload_seconds=0.01)
    harness.engine.add_image("clean:1", fills("/opt/ml/processing/done"))
    harness.start()
    outputs = {"Outputs": [harness.processing_output(mode=mode)]}
    row = harness.wait_until_ended(harness.create_processing_job(ProcessingOutputConfig=outputs))
    assert row.state["FailureReason"] == "ClientError: Failed to upload data. Insufficient disk space"


def test_an_upload_waits_for_room_in_s3_and_then_fails_as_on_a_full_disk(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "RETRY_SECONDS", 0.01)
    tries = []

    def put(*_: Any) -> None:
        tries.append(1)
        error = refusals.out_of_space("the disk")
        raise Unreachable("s3://out", error.code, error.message)

    monkeypatch.setattr(harness.objects, "upload", put)
    harness.engine.add_image("digits:1", fills("/opt/ml/model"))
    harness.start(outage_seconds=0.05)
    job = harness.create_training_job()
    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"] == "ClientError: Artifact upload failed:Insufficient disk space"
    assert len(tries) > 1
    assert "There is no space left" in harness.log_lines(job)[-1]
