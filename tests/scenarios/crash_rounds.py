"""Rounds of kill -9 while containers are being started: six jobs and an endpoint a round must end as they should.

    scripts/crash-rounds --rounds 100 --seed 7

One of the jobs is on two hosts. In each round an emulator gets its work, is killed 0.02 to 0.7 s later and started
again. A job must be Completed, its program must have run once on each host, no line of a log may be missing or doubled;
the endpoint must come into service. Needs an engine, and no image of ours: what runs is busybox.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.scenarios.emulator_process import ROLE, EmulatorProcess, docker, until
from tests.tiny_image import import_tiny

JOBS = 6
LINES = 50
SOONEST, LATEST = 0.02, 0.7
# On a machine that is busy, six jobs take long; none is given up too early.
END_SECONDS = 300.0
# One ENTRYPOINT for both: the word that SageMaker gives, train or serve, arrives as $0.
_PROGRAM = f"""
case "$0" in
train)
    echo run >> /opt/ml/model/runs
    i=0; while [ $i -lt {LINES} ]; do echo line $i; i=$((i+1)); done
    sleep 0.$(( $RANDOM % 10 )) ;;
serve)
    mkdir -p /tmp/www && touch /tmp/www/ping
    trap 'exit 0' TERM
    httpd -f -p 8080 -h /tmp/www & wait ;;
esac
"""


@dataclass
class Losses:
    """What did not end as it should, in sentences."""

    jobs: int = 0
    endpoints: int = 0
    sentences: list[str] = field(default_factory=list)

    def job(self, sentence: str) -> None:
        self.jobs += 1
        self.sentences.append(sentence)

    def endpoint(self, sentence: str) -> None:
        self.endpoints += 1
        self.sentences.append(sentence)


def image() -> str:
    """An image that trains and serves, of a megabyte and a half."""
    words = ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
                      for word in ("/bin/sh", "-c", _PROGRAM))  # fmt: skip
    return import_tiny("crash-rounds", (f"ENTRYPOINT [{words}]",))


def train(emulator: EmulatorProcess, name: str, image: str, hosts: int = 1) -> None:
    """Start a job that runs the image's own program on each of its hosts."""
    emulator.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://samebox-test/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def judge_job(emulator: EmulatorProcess, name: str, losses: Losses) -> None:
    """Wait for its end, and look whether it is as it should be."""
    job = emulator.ended(name, END_SECONDS)
    if job["TrainingJobStatus"] != "Completed":
        return losses.job(f"{name}: {job['TrainingJobStatus']}: {job.get('FailureReason')}")
    for number in range(job["ResourceConfig"]["InstanceCount"]):
        said = emulator.log_lines(f"{name}/algo-{number + 1}-")
        if said != [f"line {number}" for number in range(LINES)]:
            return losses.job(f"{name}: {len(said)} lines of {LINES}: {said[:2]} … {said[-2:]}")
    return None


def judge_endpoint(emulator: EmulatorProcess, name: str, losses: Losses) -> None:
    """Wait until it serves, and delete it."""
    endpoint: dict[str, Any] = emulator.endpoint_at(name, {"InService", "Failed"}, END_SECONDS)
    if endpoint["EndpointStatus"] != "InService":
        losses.endpoint(f"{name}: {endpoint.get('FailureReason')}")
    emulator.sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: not emulator.sagemaker.list_endpoints()["Endpoints"], END_SECONDS, f"{name} is gone")


def one_round(emulator: EmulatorProcess, name: str, image: str, seconds: float, losses: Losses) -> None:
    """Create, kill after so many seconds, start again, and judge."""
    jobs = [f"{name}-job-{number}" for number in range(JOBS)]
    endpoint = f"{name}-endpoint"
    emulator.model(endpoint, image)
    emulator.configure(endpoint, endpoint)
    for number, job in enumerate(jobs):
        train(emulator, job, image, hosts=2 if number == 0 else 1)
        if number == JOBS // 2:
            emulator.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    time.sleep(seconds)
    emulator.kill()
    emulator.up()
    for job in jobs:
        judge_job(emulator, job, losses)
    judge_endpoint(emulator, endpoint, losses)
    left = emulator.containers()
    if left:
        losses.job(f"{name}: {len(left)} containers are left")
        for container in left:
            docker("rm", "--force", container)


def main() -> int:
    """1 when something was lost."""
    parser = argparse.ArgumentParser(prog="scripts/crash-rounds", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000), help="of the moments")
    given = parser.parse_args()
    moments, losses, began = random.Random(given.seed), Losses(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="samebox-crash-rounds-"))
    emulator = EmulatorProcess(folder / "data", allow_local_images="true", serving_stop_seconds="2")
    try:
        emulator.up()
        emulator.s3.create_bucket(Bucket="samebox-test")
        for number in range(given.rounds):
            seconds = moments.uniform(SOONEST, LATEST)
            before = len(losses.sentences)
            one_round(emulator, f"r{number}", image(), seconds, losses)
            for sentence in losses.sentences[before:]:
                print(f"round {number}, killed after {seconds:.2f} s: {sentence}", flush=True)
            if (number + 1) % 10 == 0:
                print(f"{number + 1} rounds, {len(losses.sentences)} losses", file=sys.stderr, flush=True)
    finally:
        emulator.remove()
        if losses.sentences:
            print(f"the emulator's log is kept: {emulator.log}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{given.rounds} rounds (seed {given.seed}) in {time.monotonic() - began:.0f} s: {losses.jobs} of "
        f"{given.rounds * JOBS} jobs and {losses.endpoints} of {given.rounds} endpoints lost"
    )
    return 1 if losses.sentences else 0


if __name__ == "__main__":
    sys.exit(main())
