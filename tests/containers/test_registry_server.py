"""The registry's container: started when it is needed, taken over when it is there, and clear when it cannot be had."""

import http.client
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from samebox.containers.engine import ContainerSpec, Mount, NameTaken
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeRequest, FakeResponse, Process
from samebox.containers.registry_server import RegistryServer
from samebox.errors import AwsError

IMAGE = "samebox/registry:latest"


def registry(process: Process) -> int:
    """Answers below its path, as Distribution does with http.prefix, and nowhere else."""
    path = process.spec.environment.get("REGISTRY_HTTP_PREFIX", "/")
    return process.serve(lambda one: FakeResponse(200 if one.path.startswith(f"{path}v2/") else 404, b"{}"), port=5000)


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    engine = FakeEngine(tmp_path / "engine")
    engine.add_image(IMAGE, {"docker-registry": registry}, entrypoint=("docker-registry",))
    return engine


def server(engine: FakeEngine, tmp_path: Path, ready_seconds: float = 10.0) -> RegistryServer:
    return RegistryServer(engine, IMAGE, tmp_path / "registry", "abc", b"secret", ready_seconds)


def test_nothing_runs_until_it_is_needed(engine: FakeEngine, tmp_path: Path) -> None:
    one = server(engine, tmp_path)
    assert (engine.find({}), one.is_known) == ([], False)


def test_its_url_answers(engine: FakeEngine, tmp_path: Path) -> None:
    one = server(engine, tmp_path)
    place = urlsplit(one.url())
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    connection.request("GET", f"{place.path}/v2/")
    assert connection.getresponse().status == 200
    connection.close()
    assert one.is_known
    one.stop()
    assert engine.find({}) == []


def test_it_answers_below_a_secret_path_alone(engine: FakeEngine, tmp_path: Path) -> None:
    one = server(engine, tmp_path)
    place = urlsplit(one.url())
    assert len(place.path) == 65
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    connection.request("GET", "/v2/")
    assert connection.getresponse().status == 404
    connection.close()
    other = RegistryServer(engine, IMAGE, tmp_path / "other", "def", b"another secret")
    assert urlsplit(other.url()).path != place.path
    one.stop()
    other.stop()


def test_one_of_an_earlier_version_which_answers_everybody_is_made_anew(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.run

    def earlier(spec: ContainerSpec) -> str:
        open_to_all = {name: value for name, value in spec.environment.items() if name != "REGISTRY_HTTP_PREFIX"}
        return run(replace(spec, environment=open_to_all))

    with monkeypatch.context() as before:
        before.setattr(engine, "run", earlier)
        with pytest.raises(AwsError):
            server(engine, tmp_path, ready_seconds=0.2).url()
    (old,) = engine.find({})
    one = server(engine, tmp_path)
    one.url()
    (fresh,) = engine.find({})
    assert fresh.id != old.id
    one.stop()


def test_what_is_pushed_is_kept_in_the_data_directory(engine: FakeEngine, tmp_path: Path) -> None:
    one = server(engine, tmp_path)
    one.url()
    (container,) = engine.find({"samebox": "abc", "samebox.arn": "registry"})
    spec = engine.spec_of(container.id)
    assert spec.mounts == (Mount(tmp_path / "registry", "/var/lib/registry"),)
    assert spec.environment["REGISTRY_STORAGE_DELETE_ENABLED"] == "true"
    one.stop()


def test_the_next_life_takes_it_over(engine: FakeEngine, tmp_path: Path) -> None:
    first, second = server(engine, tmp_path), server(engine, tmp_path)
    assert first.url() == first.url() == second.url()
    assert len(engine.find({})) == 1
    second.stop()


def test_one_that_died_is_made_anew(engine: FakeEngine, tmp_path: Path) -> None:
    one = server(engine, tmp_path)
    one.url()
    (container,) = engine.find({})
    engine.stop(container.id, 1)
    one.forget()
    one.url()
    (fresh,) = engine.find({})
    assert (fresh.running, fresh.id != container.id) == (True, True)
    one.stop()


def test_one_that_the_engine_is_still_making_for_an_earlier_life_is_waited_for(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, tries = engine.run, list[ContainerSpec]()

    def taken_at_first(spec: ContainerSpec) -> str:
        tries.append(spec)
        if len(tries) < 5:
            raise NameTaken(f'The container name "/{spec.name}" is already in use')
        return run(spec)

    monkeypatch.setattr(engine, "run", taken_at_first)
    one = server(engine, tmp_path)
    assert one.url()
    one.stop()


def test_a_name_that_stays_taken_is_given_up(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(spec: ContainerSpec) -> str:
        raise NameTaken(f'The container name "/{spec.name}" is already in use')

    monkeypatch.setattr(engine, "run", taken)
    with pytest.raises(AwsError, match="already in use"):
        server(engine, tmp_path, ready_seconds=0.1).url()


def test_one_whose_start_the_engine_gave_up_is_made_anew(engine: FakeEngine, tmp_path: Path) -> None:
    one = server(engine, tmp_path)
    one.url()
    (container,) = engine.find({})
    engine.stop(container.id, 1)
    engine.give_up_start(container.id)
    assert server(engine, tmp_path).url()
    one.stop()


def test_without_its_image_the_command_that_builds_it_is_named(engine: FakeEngine, tmp_path: Path) -> None:
    engine.remove_image(IMAGE)
    with pytest.raises(AwsError, match="docker buildx bake registry"):
        server(engine, tmp_path).url()


def test_without_an_engine_its_reason_is_given(engine: FakeEngine, tmp_path: Path) -> None:
    engine.unavailable = "nobody answers at /var/run/docker.sock"
    with pytest.raises(AwsError, match="nobody answers"):
        server(engine, tmp_path).url()


def test_one_that_never_answers_is_given_up(engine: FakeEngine, tmp_path: Path) -> None:
    def sick(_: FakeRequest) -> FakeResponse:
        return FakeResponse(500)

    engine.programs_of(IMAGE)["docker-registry"] = lambda process: process.serve(sick, port=5000)
    one = server(engine, tmp_path, ready_seconds=0.2)
    with pytest.raises(AwsError, match=r"did not answer within 0\.2 s"):
        one.url()
    one.stop()
