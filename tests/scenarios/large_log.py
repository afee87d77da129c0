"""A job that logs a gigabyte: lines, bytes that are no text, and one line of 10 MB. What it takes of memory and disk.

    scripts/large-log --megabytes 1024

Exits with 1 when the emulator's memory grows with the log, when the log takes more of the disk than it may,
or when its beginning or its end is not there. Needs an engine, and no image of ours: what runs is busybox.
"""

import argparse
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.emulator_process import ROLE, WAIT_SECONDS, EmulatorProcess, docker, until
from tests.tiny_image import import_tiny

MIB = 1 << 20
LONG = 10_000_000
# Of memory: what is read and not written yet, parts of a long line, and a list of streams.
MOST_MEMORY = 64 * MIB
KEPT = 64 * MIB
END_SECONDS = 3600.0
FIRST, LAST = "first words", "last words"
_SCRIPT = r"""
echo first words
while [ ! -e /opt/ml/model/go ]; do usleep 20000; done
printf '\377\376\000\033[1m binary\n'
head -c {long} /dev/zero | tr '\0' x; echo
yes "epoch 1, loss=0.25, accuracy=0.75, and what else a program has to report of itself" | head -c {bytes}; echo
head -c 100000 /dev/urandom; echo
echo last words
"""


@dataclass(frozen=True)
class LargeLog:
    """What a log took: bytes of memory more, bytes of the disk, seconds, and its first and last line."""

    memory: int
    disk: int
    seconds: float
    first: str
    last: str


def measure(emulator: EmulatorProcess, image: str, megabytes: int, name: str = "large-log") -> LargeLog:
    """Run a job that logs so much. The emulator has had a job before: what a first one needs is not counted."""
    start(emulator, name, image, _SCRIPT.format(long=LONG, bytes=megabytes * MIB))
    # The engine keeps no more than the end of a log, so its beginning must be read before much is written.
    until(lambda: emulator.log_lines(f"{name}/") == [FIRST], WAIT_SECONDS, "its first line is read")
    before, began = _peak(emulator.pid), time.monotonic()
    (container,) = emulator.containers(f"name={name}")
    docker("exec", container, "touch", "/opt/ml/model/go")
    job = emulator.ended(name, END_SECONDS)
    assert job["TrainingJobStatus"] == "Completed", job
    seconds = time.monotonic() - began
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = emulator.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    name_of_stream = stream["logStreamName"]

    def line(number: int) -> str:
        page = emulator.logs.get_log_events(
            logGroupName=group, logStreamName=name_of_stream, startFromHead=number == 0, limit=1
        )
        return page["events"][number]["message"]

    files = [path for path in (emulator.data_dir / "logs").rglob(f"{name}*") if path.is_file()]
    disk = sum(path.stat().st_blocks * 512 for path in files)
    return LargeLog(_peak(emulator.pid) - before, disk, seconds, line(0), line(-1))


def start(emulator: EmulatorProcess, name: str, image: str, script: str) -> None:
    """Start a job that runs a shell's script."""
    emulator.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", 'eval "$SCRIPT"'],  # an argument has at most 256 characters
        },
        Environment={"SCRIPT": script},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://samebox-test/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )


def _peak(process: int) -> int:
    """The most memory that a process had so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/large-log", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1024, help="how much the job logs (default: 1024)")
    options = parser.parse_args()
    image = import_tiny("plain")
    with tempfile.TemporaryDirectory() as folder:
        emulator = EmulatorProcess(Path(folder, "data"), allow_local_images="true", log_bytes=str(KEPT))
        emulator.up()
        try:
            emulator.s3.create_bucket(Bucket="samebox-test")
            measure(emulator, image, 1, "before")
            found = measure(emulator, image, options.megabytes)
        finally:
            emulator.remove()
    print(
        f"{options.megabytes} MiB of log in {found.seconds:.0f} s: {found.memory / MIB:.1f} MiB more memory, "
        f"{found.disk / MIB:.1f} MiB on the disk; it begins with {found.first!r} and ends with {found.last!r}"
    )
    is_whole = (found.first, found.last) == (FIRST, LAST)
    return int(not is_whole or found.memory > MOST_MEMORY or found.disk > KEPT * 1.2)


if __name__ == "__main__":
    sys.exit(main())
