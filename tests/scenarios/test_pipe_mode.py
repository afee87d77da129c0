"""Pipe mode in real containers: what comes out of the pipes, and what a stop or kill -9 leaves of them."""

import gzip
import json
from collections.abc import Iterator, Mapping

import pytest

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, until

pytestmark = pytest.mark.docker

FOLDER = "s3://samebox-test/piped/"
PIPE = """
data = Path("/opt/ml/input/data")
def pipe(channel, epoch):
    path = data / f"{channel}_{epoch}"
    while not path.exists():
        time.sleep(0.01)
    return path
"""
HALF = f"{PIPE}\nwith pipe('train', 0).open('rb') as reading:\n    print(len(reading.read(10)))\n    time.sleep(600)"


@pytest.fixture(scope="module")
def piping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator that may be killed. It takes local image names, so that nothing need be pushed to it."""
    process = EmulatorProcess(tmp_path_factory.mktemp("piping"), training_stop_seconds="2", allow_local_images="true")
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    process.s3.put_object(Bucket="samebox-test", Key="piped/a.gz", Body=gzip.compress(b"12345"))
    process.s3.put_object(Bucket="samebox-test", Key="piped/large", Body=bytes(4 << 20))
    yield process
    process.remove()


def channel(name: str, source: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", **source}}, **more}


def test_pipes_give_records_of_gzips_and_of_an_augmented_manifest_epoch_after_epoch(
    piping: EmulatorProcess, box_image: str
) -> None:
    line = {"image-ref": f"{FOLDER}a.gz", "label": 3, "name": "three"}
    piping.s3.put_object(Bucket="samebox-test", Key="lines", Body=json.dumps(line).encode())
    script = f"""{PIPE}
import struct
def records(body):
    while body:
        magic, length = struct.unpack("<II", body[:8])
        assert magic == 0xCED7230A
        yield body[8:8 + length].decode()
        body = body[8 + length + -length % 4:]
for epoch in range(2):
    print(epoch, *(list(records(pipe(name, epoch).read_bytes())) for name in ("train", "lines")))
with pipe("large", 0).open("rb") as early:
    print(len(early.read(100)))
print(len(pipe("large", 1).read_bytes()), sorted(path.name for path in data.iterdir() if path.is_dir()))
print(json.loads(Path("/opt/ml/input/config/inputdataconfig.json").read_text())["train"]["TrainingInputMode"])
"""
    attributes = {"S3Uri": "s3://samebox-test/lines", "AttributeNames": ["name", "label", "image-ref"]}
    channels = [
        channel("train", {"S3Uri": f"{FOLDER}a.gz"}, RecordWrapperType="RecordIO", CompressionType="Gzip"),
        channel(
            "lines",
            {**attributes, "S3DataType": "AugmentedManifestFile"},
            RecordWrapperType="RecordIO",
            CompressionType="Gzip",
        ),
        channel("large", {"S3Uri": f"{FOLDER}large"}),
        channel("words", {"S3Uri": f"{FOLDER}a.gz"}, InputMode="File"),
    ]
    piped = {"TrainingImage": box_image, "TrainingInputMode": "Pipe"}
    piping.train("pipes", box_image, script, InputDataConfig=channels, AlgorithmSpecification=piped)
    job = piping.ended("pipes")
    assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None), piping.log_lines("pipes/")
    assert piping.log_lines("pipes/") == [
        "0 ['12345'] ['three', '3', '12345']",
        "1 ['12345'] ['three', '3', '12345']",
        "100",
        f"{4 << 20} ['words']",
        "Pipe",
    ]


def half_read(piping: EmulatorProcess, name: str, image: str) -> None:
    """Start a job that reads a part of its pipe."""
    piping.train(name, image, HALF, InputDataConfig=[channel("train", {"S3Uri": f"{FOLDER}large"}, InputMode="Pipe")])
    piping.job_at(name, {"Training"})
    until(lambda: has_read(piping, name), WAIT_SECONDS, "a part was read")


def has_read(piping: EmulatorProcess, name: str) -> bool:
    streams = piping.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["logStreams"]
    return bool(streams) and "10" in piping.log_lines(f"{name}/")


def nothing_is_left(piping: EmulatorProcess) -> bool:
    return not piping.containers() and not list((piping.data_dir / "jobs").iterdir())


def test_a_stop_while_a_pipe_is_fed_leaves_nothing(piping: EmulatorProcess, box_image: str) -> None:
    half_read(piping, "pipe-stopped", box_image)
    piping.sagemaker.stop_training_job(TrainingJobName="pipe-stopped")
    assert piping.ended("pipe-stopped")["TrainingJobStatus"] == "Stopped"
    until(lambda: nothing_is_left(piping), WAIT_SECONDS, "nothing is left")


def test_killed_while_a_pipe_is_fed(piping: EmulatorProcess, box_image: str) -> None:
    half_read(piping, "pipe-killed", box_image)
    piping.kill()
    piping.up()
    assert piping.ended("pipe-killed")["FailureReason"].startswith("InternalServerError: ")
    until(lambda: nothing_is_left(piping), WAIT_SECONDS, "nothing is left")


def test_a_program_that_never_opens_its_pipe_keeps_nothing_waiting(piping: EmulatorProcess, box_image: str) -> None:
    channels = [channel("train", {"S3Uri": f"{FOLDER}large"}, InputMode="Pipe")]
    piping.train("pipe-unread", box_image, "Path('/opt/ml/model/one').write_text('1')", InputDataConfig=channels)
    piping.train("pipe-waits", box_image, "print('waits'); time.sleep(600)", InputDataConfig=channels)
    assert piping.ended("pipe-unread")["TrainingJobStatus"] == "Completed"
    piping.job_at("pipe-waits", {"Training"})
    piping.sagemaker.stop_training_job(TrainingJobName="pipe-waits")
    assert piping.ended("pipe-waits")["TrainingJobStatus"] == "Stopped"
    until(lambda: nothing_is_left(piping), WAIT_SECONDS, "nothing is left")


def test_a_seed_gives_a_channel_an_order_which_its_hosts_share_and_another_in_each_epoch(
    piping: EmulatorProcess, box_image: str
) -> None:
    names = [f"{number:02}" for number in range(12)]
    for name in names:
        piping.s3.put_object(Bucket="samebox-test", Key=f"shuffled/{name}", Body=f"{name} ".encode())
    listed = json.dumps([{"prefix": "s3://samebox-test/shuffled/"}, *reversed(names)])
    piping.s3.put_object(Bucket="samebox-test", Key="reversed", Body=listed.encode())
    script = f"""{PIPE}
channels = json.loads(Path("/opt/ml/input/config/inputdataconfig.json").read_text())
piped = sorted(name for name, config in channels.items() if config["TrainingInputMode"] == "Pipe")
found = {{name: [pipe(name, epoch).read_text().split() for epoch in range(2)] for name in piped}}
lines = (data / "files-manifest").read_text().splitlines()[1:]
found["listing"] = [line.rpartition("/")[2] for line in lines]
found["files"] = sorted(path.name for path in (data / "files").iterdir())
print(json.dumps(found))
"""
    whole = {"S3Uri": "s3://samebox-test/shuffled/"}
    sharded = {**whole, "S3DataDistributionType": "ShardedByS3Key"}
    manifest = {"S3Uri": "s3://samebox-test/reversed", "S3DataType": "ManifestFile"}
    given = [
        channel("keys", whole),
        channel("shuffled", whole, ShuffleConfig={"Seed": 7}),
        channel("same", whole, ShuffleConfig={"Seed": 7}),
        channel("other", whole, ShuffleConfig={"Seed": 8}),
        channel("sharded", sharded, ShuffleConfig={"Seed": 7}),
        channel("manifest", manifest, ShuffleConfig={"Seed": 7}),
        channel("files", sharded, ShuffleConfig={"Seed": 7}, InputMode="File"),
    ]
    algorithm = {"TrainingImage": box_image, "TrainingInputMode": "Pipe"}
    resources = {"InstanceType": "ml.t3.medium", "InstanceCount": 2, "VolumeSizeInGB": 1}
    started = [
        piping.train(
            name, box_image, script, InputDataConfig=given, AlgorithmSpecification=algorithm, ResourceConfig=resources
        )
        for name in ("seeds", "seeds-again")
    ]
    for name in started:
        job = piping.ended(name)
        assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
        seeds = [one.get("ShuffleConfig", {}).get("Seed") for one in job["InputDataConfig"]]
        assert seeds == [None, 7, 7, 8, 7, 7, 7]
    hosts = [piping.log_lines(f"{name}/{host}-") for name in started for host in ("algo-1", "algo-2")]
    first, second, *again = [json.loads(line) for (line,) in hosts]
    assert [first, second] == again  # the same seed, the same order

    assert first["keys"] == [names, names]
    for one in ("shuffled", "other", "manifest"):
        assert [sorted(epoch) for epoch in first[one]] == [names, names]
        assert first[one][0] != first[one][1]  # another order in each epoch
        assert names not in first[one]
    assert first["same"] == first["shuffled"]
    assert first["other"] != first["shuffled"] != first["manifest"]
    whole_channels = [one for one in first if one not in ("sharded", "files")]
    assert [first[one] for one in whole_channels] == [second[one] for one in whole_channels]
    shares = list(zip(first["sharded"], second["sharded"], strict=True))
    assert [(len(mine), sorted(mine + yours)) for mine, yours in shares] == [(6, names), (6, names)]
    assert set(shares[0][0]) != set(shares[1][0])  # dealt out anew in each epoch
    assert first["listing"] == first["shuffled"][0]  # of files, which have one epoch
    assert [first["files"], second["files"]] == [sorted(share) for share in shares[0]]
