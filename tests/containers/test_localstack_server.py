"""LocalStack's container: started in the background, taken over, made anew where it ended, or the reason why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from samebox.containers.engine import EngineUnavailable
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeRequest, FakeResponse, Process
from samebox.containers.localstack_server import LOCALSTACK_OWNER, LocalStackServer
from samebox.errors import AwsError

IMAGE = "samebox/localstack:latest"
WAIT_SECONDS = 60.0  # bounds a failure


def localstack(process: Process) -> int:
    """Answers to the key that its container was given, and to no other."""

    def answer(request: FakeRequest) -> FakeResponse:
        named = {name.lower(): value for name, value in request.headers.items()}
        has_key = named.get("x-samebox-key") == process.spec.environment["EMULATOR_KEY"]
        return FakeResponse(200 if has_key and request.path == "/_localstack/health" else 403, b"{}")

    return process.serve(answer, port=4566)


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    engine = FakeEngine(tmp_path / "engine")
    engine.add_image(IMAGE, {"localstack": localstack}, entrypoint=("localstack",))
    return engine


@contextmanager
def started(engine: FakeEngine, start_seconds: float = WAIT_SECONDS, image: str = IMAGE) -> Iterator[LocalStackServer]:
    server = LocalStackServer(engine, image, "abc", b"secret", start_seconds, pause=0.01)
    server.start()
    try:
        yield server
    finally:
        server.close()


def test_it_is_started_in_the_background_and_stays_when_the_emulator_ends(engine: FakeEngine) -> None:
    with started(engine) as server:
        assert server.url(WAIT_SECONDS).startswith("http://")
        assert server.state.url
    (container,) = engine.find({"samebox": "abc", "samebox.arn": LOCALSTACK_OWNER})
    assert container.running


def test_the_next_emulator_takes_it_over_with_what_it_holds(engine: FakeEngine) -> None:
    with started(engine) as first:
        url = first.url(WAIT_SECONDS)
    with started(engine) as second:
        assert second.url(WAIT_SECONDS) == url
    assert len(engine.find({})) == 1


def test_one_that_ended_is_made_anew(engine: FakeEngine) -> None:
    with started(engine) as server:
        server.url(WAIT_SECONDS)
        (old,) = engine.find({})
        engine.stop(old.id, 1)
        server.forget()
        server.url(WAIT_SECONDS)
        (fresh,) = engine.find({})
    assert (fresh.running, fresh.id != old.id) == (True, True)


def test_one_that_never_answers_is_made_anew(engine: FakeEngine) -> None:
    engine.add_image("mute", {"localstack": lambda process: process.serve(lambda _: FakeResponse(500), port=4566)},
                     entrypoint=("localstack",))  # fmt: skip
    with started(engine, start_seconds=0.0, image="mute") as server:
        with pytest.raises(AwsError, match="LocalStack is starting") as caught:
            server.url(0.0)
        assert caught.value.status == 503
        first = _first_container(engine)
        while first in [one.id for one in engine.find({})]:
            server.forget()


def _first_container(engine: FakeEngine) -> str:
    while not (found := engine.find({})):
        pass
    return found[0].id


def test_without_its_image_a_request_is_answered_with_the_command_that_builds_it(engine: FakeEngine) -> None:
    with started(engine, image="absent") as server, pytest.raises(AwsError, match="docker buildx bake localstack"):
        _last_refusal(server)


def test_without_an_engine_a_request_is_answered_with_the_reason(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(_: object) -> None:
        raise EngineUnavailable("no engine")

    monkeypatch.setattr(engine, "find", find)
    with started(engine) as server, pytest.raises(AwsError, match=r"cannot be started: .*no engine"):
        _last_refusal(server)


def _last_refusal(server: LocalStackServer) -> None:
    while server.state.why_not == "LocalStack is starting.":
        pass
    server.url(0.0)
