"""A house without doors for the jobs: store, fake engine, a real S3, and a supervisor that can be lost and replaced."""

import hashlib
import io
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from samebox.containers.fake import FakeEngine
from samebox.data import artifacts
from samebox.data.objects import Objects
from samebox.data.rclone import S3Server
from samebox.jobs.endpoints import Endpoints
from samebox.jobs.plan import Site
from samebox.jobs.supervisor import Supervisor, Work
from samebox.jobs.training import TrainingJobs
from samebox.resources.kind import Kind
from samebox.resources.kinds import ENDPOINT, KINDS, TRAINING_JOB
from samebox.resources.logbook import Logbook
from samebox.resources.resources import Resources
from samebox.resources.store import Resource, Store
from samebox.settings import Settings
from samebox.wire.caller import Caller
from samebox.wire.models import Models

CALLER = Caller("123456789012", "us-east-1", "123456789012")
LIMIT_SECONDS = 120.0  # a limit and no measurement: machines that run tests are busy
ENDED = ("Completed", "Failed", "Stopped")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def objects(s3: S3Server) -> Iterator[Objects]:
    # One client for all: making one costs more than most tests.
    objects = Objects(s3.url, s3.credentials.access_key, s3.credentials.secret_key, attempts=1)
    yield objects
    objects.close()


@pytest.fixture(scope="session")
def models() -> Models:
    return Models()


# The name of a call to the world, and which of the calls of this name it is, from 1 on.
Step = tuple[str, int]


def steps(calls: Mapping[str, int]) -> list[Any]:
    """The parameters of a test that kills at each step, given how often each call is made."""
    found = [(name, number) for name, times in calls.items() for number in range(1, times + 1)]
    return [pytest.param(step, id=f"{step[0]}-{step[1]}") for step in found]


def check_recorded(made: Sequence[str], calls: Mapping[str, int], repeated: Collection[str]) -> None:
    """What a run that nothing disturbed made is what is recorded, and nothing else; of `repeated` it may be more."""
    further = Counter(made) - Counter(calls)
    assert Counter(calls) <= Counter(made)
    assert further.keys() <= set(repeated)


class Dead(BaseException):
    """Ends a thread of a life that was killed."""


class Life:
    """One life of the emulator. When it is killed, each of its threads ends at its next word to the world.

    It dies at a call to the world, given by its name and which of them it is, as `("engine.start", 1)`; `after`: once
    that is done.
    """

    def __init__(self, kill_at: "Step | None" = None, after: bool = False) -> None:
        self.calls: list[str] = []
        self.killed = threading.Event()
        self._kill_at = kill_at
        self._after = after
        self._lock = threading.Condition()
        self._under_way = 0

    def kill(self) -> None:
        """Every thread dies at once, so what one had begun to ask for is done before anybody else comes."""
        self.killed.set()
        with self._lock:
            assert self._lock.wait_for(lambda: not self._under_way, LIMIT_SECONDS)

    def mortal(self, thing: Any, name: str) -> Any:
        return _Mortal(self, thing, name)

    def call(self, name: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self._lock:
            self.calls.append(name)
            step = (name, self.calls.count(name))
            waits = name == "engine.wait"  # changes nothing, and may take long
            self._under_way += not waits
        try:
            return self._call(self._kill_at == step, function, *arguments, **named)
        finally:
            with self._lock:
                self._under_way -= not waits
                self._lock.notify_all()

    def _call(self, dies: bool, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        if dies and not self._after:
            self.killed.set()
        self.check()
        try:
            return function(*arguments, **named)
        finally:
            if dies:
                self.killed.set()
            self.check()

    def check(self) -> None:
        if self.killed.is_set():
            raise Dead


class _Mortal:
    def __init__(self, life: Life, thing: Any, name: str) -> None:
        self._life, self._thing, self._name = life, thing, name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._thing, attribute)
        if not callable(found) or attribute == "now":
            return found
        if attribute == "of":
            return lambda *whose: _Mortal(self._life, found(*whose), self._name)
        return lambda *arguments, **named: self._life.call(f"{self._name}.{attribute}", found, *arguments, **named)


class House:
    """One data directory and one engine, and whichever supervisor works on them just now."""

    def __init__(self, folder: Path, models: Models, objects: Objects, settings: Settings) -> None:
        self.data_dir = folder / "data"
        self.engine = FakeEngine(folder / "engine")
        self.objects = objects
        self.settings = settings
        self.bucket = "bucket-" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        objects.create_bucket(self.bucket)
        self.changes = threading.Condition()
        self.ahead = 0.0  # how far the clock is put forward
        self.store = Store(self.data_dir / "state.db")
        self.resources = Resources(self.store, models, KINDS, lambda: time.time() + self.ahead)
        self.logs = Logbook(self.data_dir / "logs")
        self.logbook = self.logs.of(CALLER.account, CALLER.region)
        self.store.subscribe(self._notice)
        self.supervisors: list[Supervisor] = []
        self.life = Life()

    def up(self, life: Life | None = None, give_up_seconds: float = 60.0) -> Supervisor:
        self.life = life or Life()
        site = Site(self.data_dir, "test-house", self.settings, b"a secret")
        hands = (
            self.life.mortal(self.resources, "resources"),
            self.life.mortal(self.engine, "engine"),
            self.life.mortal(self.objects, "objects"),
            self.life.mortal(self.logs, "logbook"),
        )
        jobs = TrainingJobs(*hands, site, give_up_seconds=give_up_seconds)
        endpoints = Endpoints(*hands, site, give_up_seconds=give_up_seconds)
        supervisor = Supervisor(hands[0], [Work(TRAINING_JOB, jobs), Work(ENDPOINT, endpoints)])
        supervisor.start()
        self.supervisors.append(supervisor)
        return supervisor

    def crash(self) -> None:
        """kill -9, as far as threads can be killed."""
        self.life.kill()

    def put(self, key: str, body: bytes = b"1,2,3\n") -> str:
        uri = f"s3://{self.bucket}/{key}"
        self.objects.put(uri, body)
        return uri

    def channel(self, name: str, uri: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def members(self, uri: str) -> dict[str, bytes]:
        """The files of a gzip tar in S3."""
        with tarfile.open(fileobj=io.BytesIO(self.objects.get(uri)), mode="r:gz") as tar:
            return {one.name: file.read() for one in tar if (file := tar.extractfile(one)) is not None}

    def create(self, kind: Kind, state: Mapping[str, Any], **request: Any) -> Resource:
        return self.resources.create(kind, CALLER, request, state)

    def train(self, name: str = "digits", image: str = "digits:1", **changes: Any) -> Resource:
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
        return self.create(TRAINING_JOB, {"ResolvedImage": image}, **{**request, **changes})

    def serve(self, wanted: Mapping[str, Any], name: str = "digits") -> Resource:
        request = {"EndpointName": name, "EndpointConfigName": wanted["EndpointConfigName"]}
        return self.create(ENDPOINT, {"Wanted": wanted}, **request)

    def update(self, endpoint: Resource, wanted: Mapping[str, Any]) -> None:
        self.resources.advance(self.row(endpoint), "Updating", Wanted=wanted)

    def makes(self, calls: Mapping[str, int]) -> None:
        """Wait until this life has made as many calls of each name."""
        self.until_quiet(lambda: Counter(self.life.calls) >= Counter(calls))

    def up_until(self, step: "Step", after: bool) -> None:
        """Start a life that dies at a step, and wait until it has."""
        self.up(Life(kill_at=step, after=after))
        self.until_quiet(self.life.killed.is_set)

    def row(self, resource: Resource) -> Resource:
        row = self.resources.by_arn(resource.arn)
        assert row is not None
        return row

    def stop(self, resource: Resource) -> None:
        self.resources.advance(self.row(resource), "Stopping")

    def touch(self, resource: Resource) -> None:
        """Write the row again, so that whoever works on it looks at the clock."""
        self.resources.change(self.row(resource), lambda _: {})

    def until(self, claim: Callable[[], Any]) -> None:
        """Wait for a claim to become true; looked at after each change of the store."""
        with self.changes:
            until = time.monotonic() + LIMIT_SECONDS
            # A life that was killed says nothing to the store, so look again from time to time.
            while not claim():
                assert time.monotonic() < until, "it did not become true"
                self.changes.wait(0.05)

    def until_line(self, resource: Resource, line: str) -> None:
        self.until_quiet(lambda: line in self.lines(resource))

    def until_quiet(self, claim: Callable[[], Any]) -> None:
        """As `until`, for what happens without a word to the store."""
        until = time.monotonic() + LIMIT_SECONDS
        while not claim():
            assert time.monotonic() < until, "it did not become true"
            with self.changes:
                self.changes.wait(0.01)

    def reaches(self, resource: Resource, status: str) -> Resource:
        """The resource, once its status or its secondary status is this."""

        def there() -> bool:
            row = self.row(resource)
            return status in (row.status, row.state.get("SecondaryStatus"))

        self.until(there)
        return self.row(resource)

    def ends(self, resource: Resource) -> Resource:
        self.until(lambda: self.row(resource).status in ENDED)
        return self.row(resource)

    def lines(self, resource: Resource) -> list[str]:
        group = "/aws/sagemaker/TrainingJobs"
        (stream,) = [one.name for one in self.logbook.streams(group) if one.name.startswith(f"{resource.name}/")]
        return [event.message for _, event in self.logbook.read(group, stream)]

    def containers(self) -> list[str]:
        return [state.name for state in self.engine.find({})]

    def close(self) -> None:
        while self.supervisors:
            self.supervisors.pop().close(seconds=5.0)
        for state in self.engine.find({}):
            self.engine.remove(state.id)

    def _notice(self, _: Resource) -> None:
        with self.changes:
            self.changes.notify_all()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def house(
    tmp_path: Path, objects: Objects, models: Models, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    say = threading.excepthook
    monkeypatch.setattr(
        threading, "excepthook", lambda arguments: None if arguments.exc_type is Dead else say(arguments)
    )
    house = House(tmp_path, models, objects, settings)
    unpack = artifacts.unpack
    monkeypatch.setattr(artifacts, "unpack", lambda *rest: house.life.call("artifacts.unpack", unpack, *rest))
    yield house
    house.close()
    house.store.close()
