"""kill -9 of the emulator between its requests to the engine and their answers, while containers are being started."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from botocore.exceptions import BotoCoreError

from samebox.containers.engine import ARN_LABEL
from tests.scenarios import crash_rounds
from tests.scenarios.crash_rounds import Losses
from tests.scenarios.emulator_process import ROLE, WAIT_SECONDS, EmulatorProcess, docker, until
from tests.scenarios.engine_proxy import EngineProxy, Moment

pytestmark = pytest.mark.docker

CREATE, START, PULL = r"POST /containers/create", r"POST /containers/\w+/start", r"POST /images/create"
CREATE_REGISTRY, CREATE_NETWORK = rf"{CREATE}\?name=samebox-registry", r"POST /networks/create"
MOMENTS: tuple[Moment, ...] = ("before", "during", "after")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProxy]:
    proxy = EngineProxy(tmp_path_factory.mktemp("proxy") / "docker.sock")
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def crashable(tmp_path_factory: pytest.TempPathFactory, proxy: EngineProxy) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(tmp_path_factory.mktemp("crashable"), allow_local_images="true", serving_stop_seconds="2")
    process.environment["DOCKER_HOST"] = proxy.url
    process.up()
    process.s3.create_bucket(Bucket="samebox-test")
    yield process
    process.remove()


@pytest.fixture(scope="module")
def image() -> str:
    return crash_rounds.image()


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory, crashable: EmulatorProcess, image: str) -> "Iterator[PushedImage]":
    """An image in the emulator's ECR that nothing else uses, so that the engine can be made to forget it."""
    folder = tmp_path_factory.mktemp("pushed")
    (folder / "Dockerfile").write_text(f"FROM {image}\nLABEL samebox-test=pushed\n")
    identity = docker("build", "--quiet", "--tag", "samebox-test/tiny:pushed", str(folder)).strip()
    pushed = PushedImage(crashable.push("samebox-test/tiny:pushed", "pushed"), identity)
    yield pushed
    pushed.forget()


@dataclass(frozen=True)
class PushedImage:
    name: str
    id: str

    def forget(self) -> None:
        """Have the engine forget the image under all its names."""
        if self.id in docker("image", "ls", "--all", "--quiet", "--no-trunc").split():
            docker("image", "rm", "--force", self.id)


def killed_at(
    crashable: EmulatorProcess, proxy: EngineProxy, request: str, moment: Moment, create: Callable[[], None]
) -> None:
    """Kill the emulator at its next such request, made because of what `create` creates, and start it again."""
    killed = proxy.arm(request, moment, crashable.kill)
    # It may die before it answers us; what it was asked for is on its disk before it asks the engine for anything.
    with contextlib.suppress(BotoCoreError):
        create()
    assert killed.wait(WAIT_SECONDS), f"no such request: {proxy.seen[-20:]}"
    crashable.up()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("request_to_engine", [CREATE_NETWORK, CREATE, START], ids=["network", "create", "start"])
def test_a_job_ends_as_it_would_have(
    crashable: EmulatorProcess, proxy: EngineProxy, image: str, request_to_engine: str, moment: Moment
) -> None:
    name, losses = f"job-{len(proxy.seen)}", Losses()
    killed_at(crashable, proxy, request_to_engine, moment, lambda: crash_rounds.train(crashable, name, image))
    crash_rounds.judge_job(crashable, name, losses)
    assert losses.sentences == []
    assert crashable.containers(f"name={name}") == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("request_to_engine", [CREATE_NETWORK, CREATE, START], ids=["network", "create", "start"])
def test_an_endpoint_comes_into_service(
    crashable: EmulatorProcess, proxy: EngineProxy, image: str, request_to_engine: str, moment: Moment
) -> None:
    name, losses = f"endpoint-{len(proxy.seen)}", Losses()
    crashable.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image},
        ExecutionRoleArn=ROLE,
        EnableNetworkIsolation=request_to_engine == CREATE_NETWORK,
    )
    crashable.configure(name, name)

    def create() -> None:
        crashable.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    killed_at(crashable, proxy, request_to_engine, moment, create)
    crash_rounds.judge_endpoint(crashable, name, losses)
    assert losses.sentences == []
    assert crashable.containers(f"name={name}") == []
    own = ("--filter", f"label=samebox={crashable.instance}", "--filter", f"label={ARN_LABEL}")
    assert docker("network", "ls", "--quiet", *own) == ""


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    "request_to_engine", [PULL, CREATE_REGISTRY, START], ids=["pull", "registry", "registry-start"]
)
def test_a_job_whose_image_must_be_pulled_ends_as_it_would_have(
    crashable: EmulatorProcess, proxy: EngineProxy, pushed: PushedImage, request_to_engine: str, moment: Moment
) -> None:
    name, losses = f"pulled-{len(proxy.seen)}", Losses()
    pushed.forget()
    for registry in crashable.containers("name=samebox-registry"):
        docker("rm", "--force", registry)  # the pull needs it, so it is started first
    crashable.kill()
    crashable.up()
    killed_at(crashable, proxy, request_to_engine, moment, lambda: crash_rounds.train(crashable, name, pushed.name))
    crash_rounds.judge_job(crashable, name, losses)
    assert losses.sentences == []
    until(lambda: len(crashable.containers()) == 1, WAIT_SECONDS, "only the registry is left")
