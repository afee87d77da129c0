"""Channels in Pipe mode, from the row to the end: what a program reads, and what becomes of one that was cut short."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox.containers.fake import FakeEngine

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

LARGE = b"x" * (1 << 20)  # more than a pipe holds
PIPE = {"TrainingImage": "digits:1", "TrainingInputMode": "Pipe"}


def pipe(process: "Process", epoch: int, channel: str = "train") -> Path:
    """An epoch's pipe, as soon as it is there."""
    path = process.path(f"/opt/ml/input/data/{channel}_{epoch}")
    while not path.exists():
        process.sleep(0.01)
    return path


def piped(harness: "Harness", **more: Any) -> dict[str, Any]:
    return {**harness.channel("train", f"s3://{harness.bucket}/in/"), **more}


def nothing_is_left(harness: "Harness") -> None:
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_a_program_reads_each_epoch_and_may_leave_one_early(harness: "Harness") -> None:
    read: list[bytes] = []

    def train(process: "Process") -> int:
        read.append(pipe(process, 0).read_bytes())
        with pipe(process, 1).open("rb") as early:
            read.append(early.read(3))
        read.append(pipe(process, 2).read_bytes())
        read.append((process.path("/opt/ml/input/data/words") / "a").read_bytes())
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.put_object("in/a", LARGE)
    harness.put_object("in/b", b"end")
    harness.start()
    words = harness.channel("words", f"s3://{harness.bucket}/in/a")
    channels = [piped(harness), {**words, "InputMode": "File"}]
    row = harness.wait_until_ended(harness.create_training_job(AlgorithmSpecification=PIPE, InputDataConfig=channels))

    assert row.status == "Completed", row.state.get("FailureReason")
    assert read == [LARGE + b"end", b"xxx", LARGE + b"end", LARGE]
    nothing_is_left(harness)


def test_each_host_has_its_share_of_the_objects(harness: "Harness") -> None:
    read: dict[str, bytes] = {}

    def train(process: "Process") -> int:
        config = json.loads(process.path("/opt/ml/input/config/resourceconfig.json").read_text())
        read[config["current_host"]] = pipe(process, 0).read_bytes()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    for key in ("a", "b", "c"):
        harness.put_object(f"in/{key}", key.encode())
    given = piped(harness, InputMode="Pipe")
    given["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    harness.start()
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    row = harness.wait_until_ended(harness.create_training_job(InputDataConfig=[given], ResourceConfig=resources))

    assert row.status == "Completed", row.state.get("FailureReason")
    assert read == {"algo-1": b"ac", "algo-2": b"b"}


def test_an_object_that_is_gone_in_a_later_epoch_fails_the_job_whatever_its_program_made_of_it(
    harness: "Harness",
) -> None:
    uri = harness.put_object("in/a", b"data")

    def train(process: "Process") -> int:
        pipe(process, 0).read_bytes()
        harness.objects.delete(uri)
        assert pipe(process, 1).read_bytes() == b""
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job(InputDataConfig=[piped(harness, InputMode="Pipe")]))

    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("ClientError: Data download failed:train could not be fed: ")
    assert uri in row.state["FailureReason"]
    nothing_is_left(harness)


def test_an_augmented_manifest_with_a_line_that_is_not_json_fails_before_the_start(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda _: 0})
    uri = harness.put_object("lines", b'{"label": 1}\nlabel 2\n')
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": uri, "AttributeNames": ["label"]}
    channel = {"ChannelName": "train", "InputMode": "Pipe", "DataSource": {"S3DataSource": source}}
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job(InputDataConfig=[channel]))

    assert row.state["FailureReason"].startswith(
        f"ClientError: Data download failed:Channel train: {uri}, line 2 is not JSON: "
    )


def test_a_program_that_never_opens_its_pipe_ends_as_it_will(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda _: 0})
    harness.put_object("in/a")
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job(InputDataConfig=[piped(harness, InputMode="Pipe")]))

    assert row.status == "Completed", row.state.get("FailureReason")
    nothing_is_left(harness)


def test_a_stop_while_a_pipe_is_fed_leaves_nothing(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        with pipe(process, 0).open("rb") as reading:
            process.print(str(len(reading.read(10))))
            process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.put_object("in/a", LARGE)
    harness.start()
    job = harness.create_training_job(InputDataConfig=[piped(harness, InputMode="Pipe")])
    harness.wait_for_status(job, "Training")
    harness.wait_for_line(job, "10")
    harness.stop_job(job)

    assert harness.wait_until_ended(job).status == "Stopped"
    nothing_is_left(harness)


def test_a_job_whose_pipes_lost_their_emulator_fails_because_its_program_may_have_read_a_part(
    harness: "Harness",
) -> None:
    def train(process: "Process") -> int:
        with pipe(process, 0).open("rb") as reading:
            process.print(str(len(reading.read(10))))
            process.wait_for_stop()
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.put_object("in/a", LARGE)
    harness.start()
    job = harness.create_training_job(InputDataConfig=[piped(harness, InputMode="Pipe")])
    harness.wait_for_status(job, "Training")
    harness.wait_for_line(job, "10")
    harness.crash()
    harness.start()

    row = harness.wait_until_ended(job)
    assert row.state["FailureReason"].startswith("InternalServerError: ")
    report = "the emulator ended while it fed the pipes of this job: what was read may be a part"
    assert f"samebox: {report}" in harness.log_lines(job)
    nothing_is_left(harness)


def test_an_engine_elsewhere_cannot_be_fed(harness: "Harness", tmp_path: Path) -> None:
    harness.engine = FakeEngine(tmp_path / "elsewhere", shares_disk=False)
    harness.engine.add_image("digits:1", {"train": lambda _: 0})
    harness.put_object("in/a")
    harness.start()
    row = harness.wait_until_ended(harness.create_training_job(InputDataConfig=[piped(harness, InputMode="Pipe")]))

    reason = "ClientError: Data download failed:Pipe mode needs a container engine on this machine."
    assert row.state["FailureReason"] == reason
