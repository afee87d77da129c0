"""The emulator put together: what it says of itself while a part of it does not answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from samebox import server
from samebox.app import emulator as emulator_module
from samebox.app import engine_side, status
from samebox.app.emulator import Emulator
from samebox.commands import where
from samebox.containers.engine import ImageFacts, ImageMissing
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeResponse, Process
from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.query import Query
from samebox.resources.run_facts import JobFacts
from samebox.resources.store import Store
from samebox.settings import Settings
from samebox.wire.caller import Caller
from tests import samples
from tests.laws.whole_emulator import whole_emulator
from tests.ports import free_port
from tests.scenarios.emulator_process import until


class StuckEngine(FakeEngine):
    """Takes requests and answers none until `answering` is set."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.answering = threading.Event()

    def available(self) -> str | None:
        self.answering.wait()
        return super().available()

    def _answer(self) -> None:
        self.answering.wait()
        super()._answer()


@contextmanager
def emulator_with_an_engine_that_hangs(tmp_path: Path) -> Iterator[tuple[Emulator, str]]:
    settings = Settings(data_dir=tmp_path / "data", port=free_port())
    engine = StuckEngine(tmp_path / "engine")
    with server.running(settings, engine) as emulator:
        try:
            yield emulator, settings.url
        finally:
            engine.answering.set()


def test_an_emulator_starts_and_reports_its_status_while_the_engine_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_side, "START_ENGINE_SECONDS", 0.01)
    monkeypatch.setattr(status, "STATUS_ENGINE_SECONDS", 0.01)
    with emulator_with_an_engine_that_hangs(tmp_path) as (_, url):
        shown = until(lambda: where.ask(url, seconds=60), 60, "the status is shown")
    assert shown["ready"] is True
    assert shown["engine"]["available"] is False
    assert "it hangs" in shown["engine"]["detail"]


def test_readiness_asks_neither_the_store_nor_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_side, "START_ENGINE_SECONDS", 0.01)
    with emulator_with_an_engine_that_hangs(tmp_path) as (emulator, url):

        def broken() -> None:
            raise AssertionError("the store was asked")

        with monkeypatch.context() as inside:
            inside.setattr(emulator.store, "_connection", broken)
            assert until(lambda: where.is_ready(url, seconds=60), 60, "it is ready")


class PullsFromUs(FakeEngine):
    """An engine whose pull is under way until the emulator, whose registry it pulls from, answers no more."""

    def __init__(self, root: Path, port: int) -> None:
        super().__init__(root)
        self.pulling = threading.Event()
        self._port = port

    def pull(self, reference: str, *_: object, **__: object) -> ImageFacts:
        self.pulling.set()

        def is_refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=60).close()
            except OSError:
                return True
            return False

        until(is_refused, 60, "nobody listens")
        raise ImageMissing(reference, f"dial tcp 127.0.0.1:{self._port}: connect: connection refused")


def test_metrics_of_a_job_are_a_series_of_cloudwatch(tmp_path: Path) -> None:
    def train(process: Process) -> None:
        process.print("loss=4.0;", "loss=2.0;")

    with whole_emulator(
        tmp_path, {"train": train, "serve": lambda process: process.serve(lambda _: FakeResponse())}
    ) as whole:
        algorithm = {
            **samples.TRAINING_JOB["AlgorithmSpecification"],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
        }
        job = {**samples.TRAINING_JOB, "TrainingJobName": "learning", "AlgorithmSpecification": algorithm}
        assert whole.client.ask("sagemaker", "CreateTrainingJob", job).status == 200
        until(lambda: not whole.emulator.resources.unfinished(TRAINING_JOB), 60, "the job has ended")
        shown = whole.client.ask("sagemaker", "DescribeTrainingJob", {"TrainingJobName": "learning"}).parsed
        (last,) = shown["FinalMetricDataList"]
        end = last["Timestamp"].timestamp() + 1
        asked = {
            "Namespace": "/aws/sagemaker/TrainingJobs",
            "MetricName": "loss",
            "Dimensions": [{"Name": "TrainingJobName", "Value": "learning"}],
            "StartTime": end - 3600,
            "EndTime": end,
            "Period": 3600,
            "Statistics": ["SampleCount", "Sum", "Minimum"],
        }
        (point,) = whole.client.ask("cloudwatch", "GetMetricStatistics", asked).parsed["Datapoints"]
    assert (last["Value"], point["SampleCount"], point["Sum"], point["Minimum"]) == (2.0, 2.0, 6.0, 2.0)


def test_a_job_whose_image_is_being_pulled_when_the_emulator_ends_goes_on_at_the_next_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", port=free_port(), container_credentials=False)
    engine = PullsFromUs(tmp_path / "engine", settings.port)
    caller = Caller("123456789012", "us-east-1", "123456789012")
    with server.running(settings, engine) as emulator:
        request = {**samples.TRAINING_JOB, "InputDataConfig": []}
        emulator.resources.create(TRAINING_JOB, caller, request, JobFacts("digits:1"))
        assert engine.pulling.wait(60)
    store = Store(settings.data_dir / "state.sqlite")
    (left,) = store.find(Query(TRAINING_JOB.noun))
    store.close()
    assert (left.status, left.state["SecondaryStatus"]) == ("InProgress", "Downloading")


def test_a_start_that_fails_leaves_no_thread_no_socket_and_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("not built")

    settings = Settings(data_dir=tmp_path, port=free_port())
    before = set(threading.enumerate())
    with monkeypatch.context() as patched:
        patched.setattr(emulator_module, "Status", fail)
        with pytest.raises(RuntimeError, match="not built"), server.running(settings, FakeEngine(tmp_path / "engine")):
            pass
    assert set(threading.enumerate()) <= before
    with server.running(settings, FakeEngine(tmp_path / "engine")):  # the folder and the port are free
        pass
