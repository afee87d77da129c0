"""LocalStack, the rest of AWS: a helper container that is started in the background, watched, and started again.

It keeps what it holds in memory alone. So its container stays when the emulator ends, and the next start takes it over.
Other containers and pages reach it by its address; it answers only who has the key, which is the emulator.
"""

import hashlib
import hmac
import http.client
import logging
import threading
import time
from dataclasses import dataclass

from samebox.containers.engine import ContainerSpec, EngineError, ImageMissing
from samebox.containers.helper_container import ContainersAndVolumes, HelperContainer
from samebox.errors import AwsError

log = logging.getLogger(__name__)

# Stands where other containers have the ARN of what they serve.
LOCALSTACK_OWNER = "localstack"
KEY_HEADER = "x-samebox-key"
_KEY_VARIABLE = "EMULATOR_KEY"  # images/localstack/plugin
_PORT = 4566
_LOG_BYTES = 64 * 1024**2
_MEMORY_BYTES = 2 * 1024**3
_PIDS = 1024
_STOP_SECONDS = 10
_ANSWER_SECONDS = 10.0
# A start takes some ten seconds, and several times that on a busy machine.
_START_SECONDS = 180.0
_RUN_SECONDS = 30.0
_LOOK_AT_A_START_SECONDS = 0.25
_LOOK_SECONDS = 5.0
_NOT_YET = "LocalStack is starting."


@dataclass(frozen=True)
class LocalStackState:
    """`url` where it answers, else `why_not`."""

    url: str = ""
    why_not: str = _NOT_YET


class LocalStackServer:
    """Keeps LocalStack running from `start` to `close`, in a thread of its own. Threads may share it."""

    def __init__(
        self,
        engine: ContainersAndVolumes,
        image: str,
        instance: str,
        secret: bytes,
        start_seconds: float = _START_SECONDS,
        pause: float = _LOOK_SECONDS,
    ) -> None:
        self._engine = engine
        self._image = image
        self.key = hmac.new(secret, b"key of LocalStack", hashlib.sha256).hexdigest()
        self._closing, self._wake = threading.Event(), threading.Event()
        self._container = HelperContainer(engine, LOCALSTACK_OWNER, instance, self._sleep)
        self._start_seconds = start_seconds
        self._pause = pause
        self._state = LocalStackState()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start or take over the container, in the background."""
        self._thread = threading.Thread(target=self._keep, name="localstack", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching. The container stays."""
        self._closing.set()
        self._wake.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    @property
    def state(self) -> LocalStackState:
        """What was last seen of it."""
        return self._state

    def url(self, seconds: float) -> str:
        """Its URL, as soon as it answers, waited for at most so long. AwsError, status 503, after that."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._state.url) or self._closing.is_set(), seconds)
            state = self._state
        if state.url and not self._closing.is_set():
            return state.url
        raise AwsError("ServiceUnavailable", state.why_not, 503)

    def forget(self) -> None:
        """Look at once: it did not answer."""
        self._set(LocalStackState())
        self._wake.set()

    def _keep(self) -> None:
        while not self._closing.is_set():
            try:
                self._look()
            except ImageMissing:
                self._set(
                    LocalStackState(
                        why_not=f"The image {self._image} is not here. Build it with: docker buildx bake localstack; "
                        "SAMEBOX_LOCALSTACK_IMAGE names another."
                    )
                )
            except EngineError as error:
                self._set(LocalStackState(why_not=f"LocalStack cannot be started: {error}"))
            except Exception:
                log.exception("localstack: it could not be looked at; tried again")
            self._sleep(self._pause)

    def _look(self) -> None:
        container = self._container.running()
        if container is None:
            if self._state.url:
                log.warning("localstack: its container has ended, with all that it held; it is made anew")
            self._set(LocalStackState())
            container = self._container.run(self._spec(), _RUN_SECONDS)
        host, port = self._engine.address(container, _PORT)
        until = time.monotonic() + self._start_seconds
        while not self._answers(host, port):
            self._set(LocalStackState())
            if self._closing.is_set() or self._container.running() is None:
                return
            if time.monotonic() > until:
                log.warning("localstack: no answer for %g s; it is made anew", self._start_seconds)
                self._container.stop(_STOP_SECONDS)
                return
            self._sleep(_LOOK_AT_A_START_SECONDS)
        self._set(LocalStackState(f"http://{host}:{port}", ""))

    def _spec(self) -> ContainerSpec:
        return ContainerSpec(
            image=self._image,
            name=self._container.name,
            environment={_KEY_VARIABLE: self.key},
            labels=self._container.labels,
            publish={_PORT: 0},
            memory_bytes=_MEMORY_BYTES,
            pids_limit=_PIDS,
            log_bytes=_LOG_BYTES,
        )

    def _answers(self, host: str, port: int) -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", "/_localstack/health", headers={KEY_HEADER: self.key})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException) as error:
            log.debug("localstack: not ready: %s", error)
            return False
        finally:
            connection.close()

    def _sleep(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _set(self, state: LocalStackState) -> None:
        with self._changed:
            if state != self._state:
                log.info("localstack: %s", state.url or state.why_not)
            self._state = state
            self._changed.notify_all()
