"""A real `samebox up` in a process of its own, with clients for it, that a test may kill and start again."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from samebox.commands import local_docker, prune
from tests.ports import free_port

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from types_boto3_sts import STSClient

Found = TypeVar("Found")

ACCOUNT = "123456789012"
# Far more than anything here takes on a quiet machine; the machines that run this are not.
WAIT_SECONDS = 180.0
ROLE = f"arn:aws:iam::{ACCOUNT}:role/samebox"


def until(look: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """Look again until there is something to see; fail with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class EmulatorProcess:
    """`samebox up` on a free port with a data folder of its own."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # SAMEBOX_* of the person who runs the tests must not reach the emulator under test.
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("SAMEBOX_", "AWS_"))}
        self.environment = {
            **outside,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAMEBOX_DATA_DIR": str(data_dir),
            "SAMEBOX_PORT": str(self.port),
            "SAMEBOX_CONTAINER_CREDENTIALS": "false",
            **{f"SAMEBOX_{name.upper()}": value for name, value in settings.items()},
        }
        self.command = [sys.executable, "-m", "samebox.cli", "up"]
        self._process: subprocess.Popen[bytes] | None = None
        self.log = data_dir / "emulator.log"

    def up(self) -> None:
        """Start it, and wait until it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)
        until(self.is_ready, 30, f"samebox up is ready; its log: {self.log.read_text()[-2000:]}")

    def is_ready(self) -> bool:
        """True when the emulator answers; fails at once when its process has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"samebox up ended with {self._process.returncode}: {self.log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/_samebox/ready", timeout=5) as answer:
                return bool(json.load(answer)["ready"])
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self._end(signal.SIGKILL)

    def down(self) -> None:
        """SIGTERM, as a person would."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def instance(self) -> str:
        """The id that everything of this emulator is labelled with."""
        return (self.data_dir / "id").read_text().strip()

    def containers(self, *filters: str) -> list[str]:
        """Ids of this emulator's containers, running or not, that pass docker's filters."""
        more = [word for one in filters for word in ("--filter", one)]
        return docker("ps", "--all", "--quiet", "--filter", f"label=samebox={self.instance}", *more).split()

    def remove(self) -> None:
        """End it, and remove what it leaves running on purpose. Whatever it went through, nothing else is there."""
        if self._process is not None:
            until(lambda: not self.strays(), WAIT_SECONDS, f"there are no strays: {self.strays()}")
        self.down()
        prune.clear(self.data_dir, for_good=True)
        local_docker.forget(f"localhost:{self.port}")

    def strays(self) -> list[str]:
        """What `samebox status` shows of what nothing needs, and `samebox prune` removes."""
        return prune.of_emulator(self.data_dir).lines()

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)
        self._process = None

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the emulator, without retries: an error is to be seen."""
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=120, **options)
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="test",
            config=config,
        )

    @cached_property
    def sagemaker(self) -> "SageMakerClient":
        client: SageMakerClient = self.client("sagemaker")
        return client

    @cached_property
    def runtime(self) -> "SageMakerRuntimeClient":
        client: SageMakerRuntimeClient = self.client("sagemaker-runtime")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self.client("s3")
        return client

    @cached_property
    def ecr(self) -> "ECRClient":
        client: ECRClient = self.client("ecr")
        return client

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = self.client("logs")
        return client

    @cached_property
    def sts(self) -> "STSClient":
        client: STSClient = self.client("sts")
        return client

    # What most stories begin or end with.

    def push(self, local: str, repository: str) -> str:
        """Create the repository and really push a local image to it; the answer is the image's name in ECR."""
        uri = self.ecr.create_repository(repositoryName=repository)["repository"]["repositoryUri"]
        token = self.ecr.get_authorization_token()["authorizationData"][0]
        password = self.docker_password(token["authorizationToken"])
        folder = self.data_dir / "docker-config"
        docker(
            "--config", str(folder), "login", "--username", "AWS", "--password-stdin", uri.split("/")[0], told=password
        )
        docker("tag", local, f"{uri}:latest")
        docker("--config", str(folder), "push", "--quiet", f"{uri}:latest")
        return f"{uri}:latest"

    @staticmethod
    def docker_password(token: str) -> str:
        """The password in an authorization token."""
        import base64

        return base64.b64decode(token).decode().partition(":")[2]

    def train(self, name: str, image: str, script: str, **given: Any) -> str:
        """Start a training job of the box image that runs `script`."""
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "HyperParameters": {"script": json.dumps(script)},
            "OutputDataConfig": {"S3OutputPath": "s3://samebox-test/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **given,
        }
        self.sagemaker.create_training_job(**request)
        return name

    def job(self, name: str) -> dict[str, Any]:
        """DescribeTrainingJob."""
        return dict(self.sagemaker.describe_training_job(TrainingJobName=name))

    def job_at(self, name: str, stages: Iterable[str], seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The job as soon as its secondary status is one of `stages`."""
        wanted = set(stages)

        def look() -> dict[str, Any] | None:
            job = self.job(name)
            return job if job["SecondaryStatus"] in wanted else None

        return until(look, seconds, f"{name} is at {sorted(wanted)}: {self.job(name)}")

    def ended(self, name: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The job as soon as it has ended."""
        final = {"Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded"}
        return self.job_at(name, final, seconds)

    def log_lines(self, name: str, group: str = "/aws/sagemaker/TrainingJobs") -> list[str]:
        """Every line of the one log stream whose name begins with `name`; none while it has not begun."""
        try:
            streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"]
        except self.logs.exceptions.ResourceNotFoundException:
            return []  # no job has written a line yet
        assert len(streams) <= 1, [stream["logStreamName"] for stream in streams]
        if not streams:
            return []
        lines: list[str] = []
        token: dict[str, Any] = {}
        while True:
            page = self.logs.get_log_events(
                logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True, **token
            )
            lines += [event["message"] for event in page["events"]]
            if token.get("nextToken") == page["nextForwardToken"]:
                return lines
            token = {"nextToken": page["nextForwardToken"]}

    def serve(
        self, name: str, image: str, script: str = "", *, wait: str = "InService", **container: Any
    ) -> dict[str, Any]:
        """Create model, config and endpoint of one name; the endpoint once its status is `wait`."""
        self.model(name, image, script, **container)
        self.configure(name, name)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.endpoint_at(name, {wait})

    def model(self, name: str, image: str, script: str = "", **container: Any) -> None:
        """Create a model of the box image that serves `script`."""
        primary: Any = {"Image": image, "Environment": {"SCRIPT": script}, **container}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=primary, ExecutionRoleArn=ROLE)

    def configure(self, name: str, *models: str, **variant: Any) -> None:
        """An endpoint config with one variant for each model."""
        variants = [
            {
                "VariantName": f"v{number}" if number else "AllTraffic",
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                **variant,
            }
            for number, model in enumerate(models)
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)  # type: ignore[arg-type]

    def endpoint_at(self, name: str, statuses: Iterable[str], seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The endpoint as soon as its status is one of `statuses`."""
        wanted = set(statuses)

        def look() -> dict[str, Any] | None:
            endpoint = dict(self.sagemaker.describe_endpoint(EndpointName=name))
            return endpoint if endpoint["EndpointStatus"] in wanted else None

        return until(look, seconds, f"{name} is {sorted(wanted)}")


def docker(*words: str, told: str | None = None) -> str:
    """Run the docker command; returns its output. Fails with its error message."""
    done = subprocess.run(["docker", *words], input=told, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"docker {words[0]}: {done.stderr}"
    return done.stdout
