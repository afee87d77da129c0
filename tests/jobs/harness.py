"""What the tests of jobs run on: a store, a fake engine, a real S3, and a supervisor that can crash and be replaced."""

import contextlib
import hashlib
import io
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox.containers import reservations
from samebox.containers.engine import ContainerMissing
from samebox.containers.fake import FakeEngine
from samebox.data import channel_cache
from samebox.data.channel_cache import ChannelCache
from samebox.data.objects import Objects
from samebox.jobs import job_networks
from samebox.jobs.container_jobs import ContainerJobs
from samebox.jobs.endpoints import Endpoints
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.supervisor import Supervisor, Work
from samebox.jobs.training import TRAINING
from samebox.platform.background import Background
from samebox.resources.deployment import EndpointDeployment, Serving, serving
from samebox.resources.kind import Kind
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT, KINDS, PROCESSING_JOB, TRAINING_JOB
from samebox.resources.logbook import Logbook
from samebox.resources.resources import Resources
from samebox.resources.run_facts import JobFacts
from samebox.resources.store import Resource, Store
from samebox.settings import Settings
from samebox.wire.caller import Caller
from samebox.wire.models import Models
from tests.jobs.crashing import LIMIT_SECONDS, CrashableEmulator, Step

if TYPE_CHECKING:
    from samebox.jobs.job_type import JobType
    from samebox.resources.metrics import MetricSeries

CALLER = Caller("123456789012", "us-east-1", "123456789012")
LABEL = "test-harness"  # of the emulator
ENDED = ("Completed", "Failed", "Stopped")


class Harness:
    """One data directory and one engine, and the supervisor that works on them at present."""

    def __init__(self, folder: Path, models: Models, objects: Objects, settings: Settings) -> None:
        self.data_dir = folder / "data"
        self.engine = FakeEngine(folder / "engine")
        self.objects = objects
        self.settings = settings
        self.types: tuple[JobType, ...] = (TRAINING,)  # of the jobs that are run
        self.bucket = "bucket-" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        objects.create_bucket(self.bucket)
        self.changes = threading.Condition()
        self.clock_offset = 0.0  # how far the clock is put forward
        self.store = Store(self.data_dir / "state.db")
        self.resources = Resources(self.store, models, KINDS, lambda: time.time() + self.clock_offset)
        self.logs = Logbook(self.data_dir / "logs")
        self.logbook = self.logs.of(CALLER.account, CALLER.region)
        self.store.subscribe(self._notice)
        self._models = models
        self.foreign: set[str] = set()  # members of rows' states that AWS does not have
        self.metrics: list[tuple[MetricSeries, float, float]] = []  # what jobs published: series, time, value
        self.supervisors: list[Supervisor] = []
        self.backgrounds: list[Background] = []
        self.process = CrashableEmulator()

    def start(self, process: CrashableEmulator | None = None, outage_seconds: float = 60.0) -> Supervisor:
        """Start an emulator process on the data directory; an earlier one has crashed or was closed."""
        self.process = process or CrashableEmulator()
        emulator = EmulatorInfo(
            self.data_dir, LABEL, replace(self.settings, outage_seconds=outage_seconds), b"a secret"
        )
        dependencies = (
            self.process.crashable(self.resources, "resources"),
            self.process.crashable(self.engine, "engine"),
            self.process.crashable(self.objects, "objects"),
            self.process.crashable(self.logs, "logbook"),
        )
        background = Background()
        self.backgrounds.append(background)
        room = reservations.of_engine(dependencies[1], emulator.label)
        limit = self.settings.channel_cache_bytes
        cache = ChannelCache(channel_cache.folder(self.data_dir), limit, dependencies[2])
        networks = job_networks.of_jobs(dependencies[1], emulator.label, dependencies[0], CONTAINER_JOBS)
        jobs = [
            Work(
                one.kind,
                ContainerJobs(
                    one,
                    *dependencies,
                    emulator,
                    background,
                    networks=networks,
                    cache=cache,
                    reservations=room,
                    put_metric=lambda *one: self.metrics.append(one),
                ),
            )
            for one in self.types
        ]
        endpoints = Endpoints(*dependencies, emulator, background)
        supervisor = Supervisor(dependencies[0], [*jobs, Work(ENDPOINT, endpoints, limit=None)])
        supervisor.start()
        self.supervisors.append(supervisor)
        return supervisor

    def crash(self) -> None:
        """kill -9, as far as threads can be killed."""
        self.process.kill()

    def put_object(self, key: str, body: bytes = b"1,2,3\n") -> str:
        uri = f"s3://{self.bucket}/{key}"
        self.objects.put(uri, body)
        return uri

    def channel(self, name: str, uri: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def files_of_tar(self, uri: str) -> dict[str, bytes]:
        """The files of a gzip tar in S3."""
        with tarfile.open(fileobj=io.BytesIO(self.objects.get(uri)), mode="r:gz") as tar:
            return {one.name: file.read() for one in tar if (file := tar.extractfile(one)) is not None}

    def create(self, kind: Kind, facts: object, **request: Any) -> Resource:
        return self.resources.create(kind, CALLER, request, facts)

    def create_training_job(
        self, name: str = "digits", image: str = "digits:1", facts: JobFacts | None = None, **changes: Any
    ) -> Resource:
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
        return self.create(TRAINING_JOB, facts or JobFacts(image), **{**request, **changes})

    def create_processing_job(self, name: str = "clean", image: str = "clean:1", **changes: Any) -> Resource:
        request: dict[str, Any] = {
            "ProcessingJobName": name,
            "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["clean"]},
            "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
        return self.create(PROCESSING_JOB, JobFacts(image), **{**request, **changes})

    def processing_input(self, uri: str, name: str = "raw", **changes: Any) -> dict[str, Any]:
        source = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3DataType": "S3Prefix", **changes}
        return {"InputName": name, "S3Input": source}

    def processing_output(self, name: str = "done", mode: str = "EndOfJob") -> dict[str, Any]:
        place = f"s3://{self.bucket}/{name}"
        output = {"S3Uri": place, "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": mode}
        return {"OutputName": name, "S3Output": output}

    def objects_under(self, prefix: str) -> dict[str, bytes]:
        """Keys below a prefix of the bucket, without it, and what is in them."""
        root = f"s3://{self.bucket}/{prefix}/"
        return {one.uri.removeprefix(root): self.objects.get(one.uri) for one in self.objects.list(root)}

    def create_endpoint(self, wanted: EndpointDeployment, name: str = "digits") -> Resource:
        request = {"EndpointName": name, "EndpointConfigName": wanted.endpoint_config_name}
        return self.create(ENDPOINT, Serving(wanted), **request)

    def update_endpoint(self, endpoint: Resource, wanted: EndpointDeployment) -> None:
        self.resources.advance(
            self.reload(endpoint), "Updating", facts=lambda row: replace(serving(row), wanted=wanted)
        )

    def wait_for_calls(self, calls: Mapping[str, int]) -> None:
        """Wait until the process has made as many calls of each name."""
        self.poll_until(lambda: Counter(self.process.calls) >= Counter(calls))

    def crash_at(self, step: "Step", after: bool) -> None:
        """Start a process that is killed at a step, and wait until it is."""
        self.start(CrashableEmulator(kill_at=step, after=after))
        self.poll_until(self.process.killed.is_set)

    def reload(self, resource: Resource) -> Resource:
        row = self.resources.by_arn(resource.arn)
        assert row is not None
        return row

    def stop_job(self, resource: Resource) -> None:
        self.resources.advance(self.reload(resource), "Stopping")

    def touch(self, resource: Resource) -> None:
        """Write the row again, so that its runner wakes and looks at the clock."""
        self.resources.change(self.reload(resource), lambda _: {})

    def wait_until(self, claim: Callable[[], Any]) -> None:
        """Wait for a claim to become true; looked at after each change of the store."""
        with self.changes:
            until = time.monotonic() + LIMIT_SECONDS
            # A process that was killed does not write to the store, so look again from time to time.
            while not claim():
                assert time.monotonic() < until, "it did not become true"
                self.changes.wait(0.05)

    def wait_for_line(self, resource: Resource, line: str) -> None:
        """Until the line is in the log, and when the job began is written: a test may move the clock then."""

        def there() -> bool:
            with contextlib.suppress(FileNotFoundError, ValueError):  # the job has no log yet
                return line in self.log_lines(resource) and self._has_begun(resource)
            return False

        self.poll_until(there)

    def _has_begun(self, resource: Resource) -> bool:
        facts = self.reload(resource).facts
        return not isinstance(facts, JobFacts) or facts.run.began_at is not None

    def poll_until(self, claim: Callable[[], Any]) -> None:
        """As `wait_until`, for what happens without a change of the store."""
        until = time.monotonic() + LIMIT_SECONDS
        while not claim():
            assert time.monotonic() < until, "it did not become true"
            with self.changes:
                self.changes.wait(0.01)

    def wait_for_status(self, resource: Resource, status: str) -> Resource:
        """The resource, once its status or its secondary status is this."""

        def there() -> bool:
            row = self.reload(resource)
            return status in (row.status, row.state.get("SecondaryStatus"))

        self.wait_until(there)
        return self.reload(resource)

    def wait_until_ended(self, resource: Resource) -> Resource:
        self.wait_until(lambda: self.reload(resource).status in ENDED)
        return self.reload(resource)

    def log_lines(self, resource: Resource) -> list[str]:
        group = f"/aws/sagemaker/{resource.kind}s"
        (stream,) = [one.name for one in self.logbook.streams(group) if one.name.startswith(f"{resource.name}/")]
        return [event.message for _, event in self.logbook.read(group, stream)]

    def lines_of_hosts(self, resource: Resource) -> dict[str, list[str]]:
        """Host -> the lines of its log stream."""
        group, prefix = f"/aws/sagemaker/{resource.kind}s", f"{resource.name}/"
        return {
            one.name.removeprefix(prefix).rpartition("-")[0]: [
                event.message for _, event in self.logbook.read(group, one.name)
            ]
            for one in self.logbook.streams(group)
            if one.name.startswith(prefix)
        }

    def container_names(self) -> list[str]:
        return [state.name for state in self.engine.find({})]

    def next_start_leaves_no_network(self) -> bool:
        """Whether the networks that are there are found by the next emulator process, and removed."""
        job_networks.of_jobs(self.engine, LABEL, self.resources, CONTAINER_JOBS).sweep()
        return not self.engine.networks({})

    def close(self) -> None:
        while self.supervisors:
            self.supervisors.pop().close(seconds=5.0)
        while self.backgrounds:
            self.backgrounds.pop().close()
        for state in self.engine.find({}):
            # The thread of a server, which nothing joins, may be removing it.
            with contextlib.suppress(ContainerMissing):
                self.engine.remove(state.id)

    def _notice(self, row: Resource) -> None:
        output = self._models.operation("sagemaker", f"Describe{row.kind}").output
        self.foreign |= set(row.state) - set(output.members if output else ())
        with self.changes:
            self.changes.notify_all()
