"""What most tests share: `aws`, an emulator in threads of this process, asked through boto3 as users ask it.

It has every service and no supervisor: what the API writes down stays as it is until a test moves it on.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from samebox.data.lookups import Lookups
from samebox.data.objects import Location, NoSuchKey, Object
from samebox.resources.call import Call
from samebox.resources.kinds import KINDS, REPOSITORY
from samebox.resources.logbook import Logbook
from samebox.resources.metrics_store import MetricsStore
from samebox.resources.query import Query, Scope
from samebox.resources.resources import Resources
from samebox.resources.store import Resource, Store
from samebox.services import session_tokens
from samebox.services.context import Services
from samebox.services.images import EcrImages
from samebox.services.operations import operations
from samebox.services.registry import RegistryEndpoint
from samebox.services.registry_client import RegistryClient
from samebox.services.repositories import ManifestFacts, PushedImages
from samebox.settings import Settings
from samebox.wire.caller import Caller
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models
from tests import image_store, samples
from tests.plain_registry import PlainRegistry
from tests.ports import free_port

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sts import STSClient

ACCOUNT = "123456789012"
REGION = "us-east-1"
CALLER = Caller(ACCOUNT, REGION)
DIGEST = f"sha256:{'d' * 64}"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def pytest_configure() -> None:
    # Shells have what they start in the background ignore Ctrl-C, and it is handed down to every program of a test.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session) -> None:
    # Once for all worker processes, after a run that used images.
    if session.config.option.markexpr == "docker" and not hasattr(session.config, "workerinput"):
        image_store.sweep()


class FakeObjects:
    """The objects that S3 holds, under the emulator's own Lookups. A bucket is there when an object in it is."""

    def __init__(self) -> None:
        self.uris: set[str] = set()

    def head(self, uri: str) -> Object:
        place = Location.parse(uri)
        if str(place) not in self.uris:
            raise NoSuchKey(uri, "NoSuchKey", "Not Found")
        return Object(place.bucket, place.key, size=1)

    def exists_under(self, uri: str) -> bool:
        return any(one.startswith(str(Location.parse(uri))) for one in self.uris)

    def bucket_exists(self, uri: str) -> bool:
        return self.exists_under(f"s3://{Location.parse(uri).bucket}/")


class Clock:
    """Time that a test moves. Each look is a second later: boto3 sends no finer times, and nothing happens at once."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Aws:
    """boto3 clients of one emulator, and what a test may reach behind it."""

    def __init__(
        self,
        services: Services,
        call: Call,
        registry: PlainRegistry,
        buckets: FakeObjects,
        clock: Clock,
        boto: boto3.session.Session,
    ) -> None:
        self.call = call
        self.services = services
        self.resources = services.resources
        self.registry = registry
        self.buckets = buckets
        self.clock = clock
        self._boto: Any = boto  # its stubs know each service by a literal name
        self._secret = services.settings.token or "anything"
        self._clients: dict[tuple[str, ...], Any] = {}

    @property
    def url(self) -> str:
        return self.services.settings.url

    @property
    def sagemaker(self) -> "SageMakerClient":
        return self.client("sagemaker")  # type: ignore[no-any-return]

    @property
    def ecr(self) -> "ECRClient":
        return self.client("ecr")  # type: ignore[no-any-return]

    @property
    def logs(self) -> "CloudWatchLogsClient":
        return self.client("logs")  # type: ignore[no-any-return]

    @property
    def sts(self) -> "STSClient":
        return self.client("sts")  # type: ignore[no-any-return]

    def client(
        self, service: str, account: str = ACCOUNT, region: str = REGION, secret: str = "", session: str = ""
    ) -> Any:
        """A client as a user makes one; `account` is any access key, `session` the token of a temporary one."""
        key = (service, account, region, secret, session)
        if key not in self._clients:
            self._clients[key] = self._boto.client(
                service,
                endpoint_url=self.url,
                region_name=region,
                aws_access_key_id=account,
                aws_secret_access_key=secret or self._secret,
                aws_session_token=session or None,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[key]

    def push(self, repository: str = "digits", tag: str = "latest", media_type: str = DOCKER_MANIFEST) -> None:
        """Make a repository with an image in it, as a push would have written it down."""
        if self.resources.find(REPOSITORY, CALLER, repository) is None:
            self.ecr.create_repository(repositoryName=repository)
        row = self.resources.get(REPOSITORY, CALLER, repository)
        self.services.pushed.put(row, DIGEST, ManifestFacts(media_type), tag)

    def ready_for_samples(self) -> None:
        """Everything outside SageMaker that tests/samples.py names."""
        self.push()
        self.buckets.uris |= {samples.DATA, samples.MODEL_DATA}

    def create(self, noun: str, **changes: Any) -> str:
        """Create a Kind's sample with what it needs; gives its ARN."""
        for need in samples.NEEDS.get(noun, ()):
            if not self.resources.store.find(Query(need, Scope(ACCOUNT, REGION))):
                self.create(need)
        params = {**samples.OF_KIND[noun], **changes}
        answer = getattr(self.sagemaker, f"create_{snake(noun)}")(**params)
        kind = next(kind for kind in self.resources.kinds if kind.noun == noun)
        arn: str | None = answer.get(self.resources.derived(kind).arn_member)
        return arn or self.resources.named(kind, CALLER, params).arn

    def row(self, arn: str) -> Resource:
        """The resource as it is now."""
        found = self.resources.by_arn(arn)
        assert found is not None
        return found

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def snake(noun: str) -> str:
    """TrainingJob -> training_job, as boto3 names its methods."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in noun).lstrip("_")


@pytest.fixture(scope="session", autouse=True)
def _state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Emulators of tests, and those of child processes, are noted apart from those of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def models() -> Models:
    """The service models, read once for all tests."""
    return Models()


@pytest.fixture(scope="session")
def boto() -> boto3.session.Session:
    """Reads each service model once for all clients."""
    return boto3.session.Session()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What `aws` is set to; a test file that needs other settings has a fixture of this name of its own."""
    return Settings(data_dir=tmp_path / "data", port=free_port())


@pytest.fixture
def aws(settings: Settings, models: Models, boto: boto3.session.Session) -> Iterator[Aws]:
    with running_aws(settings, models, boto) as one:
        yield one


@contextmanager
def running_aws(settings: Settings, models: Models, boto: boto3.session.Session) -> Iterator[Aws]:
    """An emulator for the length of a block; `aws` is one for a test."""
    clock, buckets, registry = Clock(), FakeObjects(), PlainRegistry()
    store = Store(settings.data_dir / "state.sqlite")
    resources = Resources(store, models, KINDS, clock, settings.lower_case_arns)
    pushed, manifests = PushedImages(resources), RegistryClient(registry.url)
    services = Services(
        settings=settings,
        resources=resources,
        objects=Lookups(buckets),
        images=EcrImages(settings, resources, pushed),
        pushed=pushed,
        registry=manifests,
        logbook=Logbook(settings.data_dir / "logs"),
        metrics=MetricsStore(settings.data_dir / "metrics.sqlite", lambda: clock.now),
        clock=clock,
        secret=b"secret of the tests",
    )
    endpoint = RegistryEndpoint(resources, pushed, manifests, services.secret, registry.url)
    gateway = Gateway(
        models,
        operations(services),
        account=settings.account,
        token=settings.token,
        sessions=lambda key, token: session_tokens.verify(services.secret, key, token, clock()),
    )
    aws = Aws(services, gateway.call, registry, buckets, clock, boto)
    try:
        with served(settings.port, gateway, endpoint):
            aws.ready_for_samples()
            yield aws
    finally:
        aws.close()
        manifests.close()
        registry.close()
        services.metrics.close()
        store.close()


Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class served:  # noqa: N801
    """Gateway and registry on one port, in a thread, for the length of a block."""

    def __init__(self, port: int, gateway: Application, registry: RegistryEndpoint) -> None:
        async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            under = registry if scope["path"].startswith("/v2/") else gateway
            await under(scope, receive, send)

        self._registry = registry
        self._started = threading.Event()
        config = uvicorn.Config(application, lifespan="off", log_config=None, http="httptools", port=port)
        self._server = uvicorn.Server(config)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Listening before the server runs: a client that connects early waits, and none is refused.
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._run, name="served")

    def _run(self) -> None:
        async def run() -> None:
            await self._server.serve(sockets=[self._listener])
            await self._registry.close()

        asyncio.run(run())

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._listener.close()
