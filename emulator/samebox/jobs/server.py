"""A server: one container of an endpoint, from its model to its removal.

    starting -> ready -> failed          failed: it could not serve, or serves no more; `reason` says why in AWS's words
    each     -> gone                     after `retire`: stopped and removed

The endpoint looks at the state whenever `changed` is called, and decides what to do.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from samebox.containers import engine as containers
from samebox.containers.engine import ContainerState, Engine
from samebox.data.objects import Cancelled, S3Error
from samebox.faults.faults import NO_FAULTS, OwnFaults
from samebox.jobs import hosting
from samebox.jobs.follower import Follower
from samebox.jobs.hosting import ServerPlan
from samebox.jobs.loglines import LogLines
from samebox.jobs.model_folders import ModelFolders, ModelRefused
from samebox.jobs.phases import runtime_message
from samebox.jobs.pings import PingReporter
from samebox.log_excerpt import runtime_reason
from samebox.platform import images, networks, serving, starting
from samebox.platform.background import Background
from samebox.platform.images import CannotPull, Puller
from samebox.platform.job import JobNetwork
from samebox.platform.readiness import Ping, PingRules, Readiness, Verdict
from samebox.platform.retrying import Closing, retry_while_unavailable
from samebox.resources.logbook import Logbook
from samebox.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

# A container that crashes is started again, at first soon; on AWS, too, until its start window is over.
RESTART_SECONDS = 1.0
RESTART_SECONDS_MOST = 10.0
# In service, so many answers in a row that are not 200 make a container unhealthy. One that does not answer at all may
# be busy with an invocation, so it has as long as an invocation may take.
BAD_ANSWERS = 3
# After the routes have changed, requests under way end before SIGTERM: as long as an invocation may take at most.
DRAIN_SECONDS = 60.0
DRAIN_LOOK_SECONDS = 1.0
LOGS_SECONDS = 10.0

Address = tuple[str, int]
State = Literal["starting", "ready", "failed", "gone"]


@dataclass(frozen=True)
class ServerDependencies:
    """What servers work with. `in_flight` counts the requests in progress to an address, where that is known."""

    engine: Engine
    models: ModelFolders
    logbook: Logbook  # of the endpoint's account and region
    settings: Settings
    login: Callable[[], tuple[str, str] | None]
    report: Callable[[str], None]
    give_up_seconds: float
    now: Callable[[], float]  # epoch seconds
    background: Background
    in_flight: Callable[[Address], int] | None = None
    faults: OwnFaults = NO_FAULTS


class _Failed(Exception):
    """The server cannot serve; the message is a FailureReason."""


class Server:
    """One container. `retire` and `close` may be called from any thread and return at once.

    Of an adopted one, `window_began` is when its start window began, in epoch seconds; None: it begins now.
    """

    def __init__(
        self,
        plan: ServerPlan,
        dependencies: ServerDependencies,
        changed: Callable[[], None],
        adopted: ContainerState | None = None,
        window_began: float | None = None,
    ) -> None:
        self.plan = plan
        self.state: State = "starting"
        self.reason = ""
        self.address: Address | None = None
        self._dependencies = dependencies
        self._changed = changed
        self._container = adopted.id if adopted else ""
        self._window_began = window_began
        self._closing = threading.Event()
        self._cancelled = threading.Event()
        self._news = dependencies.background.signal()
        self._drain = False
        self._lock = threading.Lock()
        self._readiness: Readiness | None = None
        self._follower: Follower | None = None
        self._lines = LogLines(dependencies.logbook, plan.log_group, plan.log_stream)
        self._pings = PingReporter(self._lines.report)
        self._task = dependencies.background.start(self._live())
        self._task.when_over(changed)

    def check(self) -> None:
        """Raise what the server did not expect, in the caller's thread."""
        if (error := self._task.error) is not None:
            raise error

    def retire(self, drain: bool = False) -> None:
        """Stop and remove it: after the requests under way, with `drain`; then SIGTERM, 30 s, SIGKILL."""
        self._drain = drain
        self._cancelled.set()
        self._interrupt()

    def close(self) -> None:
        """Leave the container as it is."""
        self._closing.set()
        self._cancelled.set()
        self._interrupt()

    def _interrupt(self) -> None:
        self._news.set()
        with self._lock:
            if self._readiness is not None:
                self._readiness.cancel()

    # Its life: a thread while it starts and while it ends, and none while it serves

    async def _live(self) -> None:
        background = self._dependencies.background
        try:
            try:
                await background.apart(self._come_up)
                self._become("ready")
                await self._watch()
            except _Failed as failed:
                log.warning("%s %s: %s", self.plan.arn, self.plan.log_stream, failed)
                self.reason = str(failed)
                self._become("failed")
                while not self._cancelled.is_set():
                    await self._news.wait()
            except (Cancelled, Closing):
                pass
            if not self._closing.is_set():
                await background.apart(self._remove)
                self._become("gone")
        except Closing:
            pass
        finally:
            if self._follower is not None:
                await background.call(self._follower.close)

    def _become(self, state: State) -> None:
        log.info("%s %s: %s -> %s", self.plan.arn, self.plan.log_stream, self.state, state)
        self.state = state
        self._changed()

    def _come_up(self) -> None:
        plan = self.plan
        if plan.stand_in and self._lines.is_new:
            self._lines.report(plan.stand_in.label)
        if plan.warning and self._lines.is_new:
            log.warning("%s: %s", plan.arn, plan.warning)
            self._lines.report(plan.warning)
        if not self._container:
            if plan.model_url:
                self._fetch_model(plan.model_url)
            self._go_on()
            self._container = self._retry_while_unavailable(self._create)
        self._await_ready()

    def _fetch_model(self, url: str) -> None:
        try:
            self._retry_while_unavailable(
                partial(self._dependencies.models.make, url, self.plan.model_folder, self._cancelled)
            )
        except ModelRefused as refused:
            self._lines.report(f"the model cannot be used: {refused.detail}")
            raise _Failed(str(refused)) from refused
        except S3Error as error:
            raise _Failed(hosting.model_missing(url, self.plan.place.name)) from error

    def _create(self) -> str:
        engine, spec = self._dependencies.engine, self.plan.container
        if self.plan.network:
            labels = {label: spec.labels[label] for label in (containers.INSTANCE_LABEL, containers.ARN_LABEL)}
            networks.make(engine, JobNetwork(self.plan.network, labels, internal=True))
        local = self.plan.stand_in.why_absent if self.plan.stand_in else ""
        puller = Puller(engine, self._dependencies.login, self._cancelled, self._closing, local)
        try:
            made = images.create(spec, partial(starting.afresh, engine), puller.pull)
        except CannotPull as error:
            self._lines.report(str(error))
            raise _Failed(local or hosting.image_missing(self.plan.slot.variant)) from error
        except (containers.StartFailed, containers.ImageMissing, containers.OutOfSpace) as error:
            raise self._cannot_start(str(error)) from error
        self._check_label(made)
        return made

    def _check_label(self, container: str) -> None:
        image = self._dependencies.engine.image(self.plan.container.image) if self.plan.place.name else None
        if image is not None and image.labels.get(serving.BIND_LABEL) != "true":
            self._dependencies.engine.remove(container)
            raise _Failed(hosting.not_for_pipelines(self.plan.place.name))

    def _ping_failed(self) -> _Failed:
        return _Failed(hosting.ping_failed(self.plan.slot.variant, self.plan.place.name))

    def _cannot_start(self, error: str) -> _Failed:
        message = runtime_message(error)
        self._lines.add(runtime_reason(message))
        return _Failed(hosting.cannot_start(self.plan.slot.variant))

    def _await_ready(self) -> None:
        """Start it, and again whenever it ends, until it answers /ping or its window is over."""
        until = time.monotonic() + self._window_seconds()
        pause = RESTART_SECONDS
        while True:
            verdict = self._try_once(until)
            self._go_on()
            if verdict.is_ready:
                return
            left = until - time.monotonic()
            if verdict.reason != "exited":
                self._lines.report(
                    f"the container did not pass the ping health check within {self.plan.startup_seconds:g} s: "
                    f"{verdict.detail}; asked {verdict.pings} times. The variant's "
                    "ContainerStartupHealthCheckTimeoutInSeconds sets this time, else SAMEBOX_STARTUP_SECONDS"
                )
                raise self._ping_failed()
            self._lines.report(f"{verdict.detail} before it answered /ping with 200; it is started again")
            if left <= pause:
                self._cancelled.wait(max(left, 0.0))
                self._go_on()
                raise self._ping_failed()
            self._cancelled.wait(pause)
            self._go_on()
            pause = min(pause * 2, RESTART_SECONDS_MOST)

    def _window_seconds(self) -> float:
        """What is left of its window, which goes on while we are away. Time for a ping there is: it may be ready."""
        whole = self.plan.startup_seconds
        if self._window_began is None:
            return whole
        gone = max(self._dependencies.now() - self._window_began, 0.0)
        return max(whole - gone, min(whole, self._dependencies.settings.ping_seconds))

    def _try_once(self, until: float) -> Verdict:
        engine, settings = self._dependencies.engine, self._dependencies.settings
        self._start()
        self._follow()
        try:
            self.address = self._retry_while_unavailable(lambda: engine.address(self._container, self.plan.port))
        except containers.EngineUnavailable:
            raise
        except containers.EngineError as error:
            # It ended before its address was known.
            state = self._retry_while_unavailable(lambda: engine.inspect(self._container))
            if state.running:
                raise self._cannot_start(str(error)) from error
            if self._follower is not None:
                self._follower.wait(LOGS_SECONDS)  # the container's lines come before ours about it
            return Verdict("exited", f"the container exited with code {state.exit_code}", 0, 0.0, state.exit_code)
        rules = PingRules(
            window_seconds=max(until - time.monotonic(), 0.0),
            ping_seconds=settings.ping_seconds,
            in_a_row=settings.ping_successes,
        )
        readiness = Readiness(self.address, rules, heard=self._pings.hear, late=self._dependencies.faults.late)
        with self._lock:
            self._readiness = readiness
        self._heed()  # what happened just before
        try:
            return readiness.wait()
        finally:
            with self._lock:
                self._readiness = None

    def _start(self) -> None:
        try:
            self._retry_while_unavailable(lambda: self._dependencies.engine.start(self._container))
        except containers.StartFailed as error:
            raise self._cannot_start(str(error)) from error
        except containers.ContainerMissing as error:
            raise _Failed(hosting.cannot_start(self.plan.slot.variant)) from error

    def _follow(self) -> None:
        if self._follower is not None:
            self._follower.close()
        self._follower = Follower(
            self._dependencies.engine,
            self._container,
            self._lines,
            self._heed,
            self._dependencies.background,
            give_up_seconds=self._dependencies.give_up_seconds,
        )

    def _heed(self) -> None:
        """Wake the waiting threads: the container has ended, or the server is retired or closed."""
        self._news.set()
        with self._lock:
            readiness, follower = self._readiness, self._follower
        if readiness is not None:
            if self._cancelled.is_set():
                readiness.cancel()
            elif follower is not None and follower.done:
                readiness.container_exited(follower.state)

    async def _watch(self) -> None:
        """Ping it while it is in service; return never, fail when it is dead or unhealthy."""
        settings, bad, silent_since = self._dependencies.settings, 0, 0.0
        follower = self._follower
        if follower is None or self.address is None:
            raise ValueError("watched before it was ready")
        while True:
            await self._news.wait(settings.ping_interval_seconds)
            self._go_on()
            if follower.done:
                code = follower.state.exit_code if follower.state else None
                self._lines.report(f"the container exited with code {code} while in service; another one replaces it")
                raise self._ping_failed()
            ping = await self._dependencies.background.call(self._ping, self.address)
            now = time.monotonic()
            if ping.reason == "ready":
                bad, silent_since = 0, 0.0
                continue
            silent = ping.reason in ("slow", "no answer")
            bad = 0 if silent else bad + 1
            silent_since = (silent_since or now) if silent else 0.0
            if bad >= BAD_ANSWERS or (silent and now - silent_since > settings.invocation_seconds):
                self._lines.report(f"the container is unhealthy: {ping.detail}; another one replaces it")
                raise self._ping_failed()

    def _ping(self, address: Address) -> Ping:
        return Readiness(address, PingRules(ping_seconds=self._dependencies.settings.ping_seconds)).ping()

    def _remove(self) -> None:
        if not self._container:
            return
        engine = self._dependencies.engine
        self._drain_requests()
        try:
            self._retry_while_unavailable(lambda: engine.kill(self._container, "SIGTERM"))
            if not self._ended_within(self._dependencies.settings.serving_stop_seconds):
                log.info("%s %s: not ended after SIGTERM, killed", self.plan.arn, self.plan.log_stream)
                self._retry_while_unavailable(lambda: engine.kill(self._container))
                self._ended_within(LOGS_SECONDS)
        except containers.ContainerMissing:
            return
        self._retry_while_unavailable(lambda: engine.remove(self._container))

    def _drain_requests(self) -> None:
        count, address = self._dependencies.in_flight, self.address
        if not self._drain or address is None:
            return
        waited = 0.0
        # Also without a count: a request may have been routed here just before.
        while not self._closing.wait(DRAIN_LOOK_SECONDS):
            waited += DRAIN_LOOK_SECONDS
            if count is None or waited >= DRAIN_SECONDS or not count(address):
                return
        raise Closing

    def _ended_within(self, seconds: float) -> bool:
        """True once it has ended and all its lines are written."""
        engine, until = self._dependencies.engine, time.monotonic() + seconds
        while True:
            # Its logs may not be followed (any more), but its end counts.
            if self._follower is not None:
                ended = self._follower.wait(min(1.0, max(until - time.monotonic(), 0.0)))
            else:
                ended = self._retry_while_unavailable(lambda: engine.wait(self._container, 1.0)) is not None
            if self._closing.is_set():
                raise Closing
            if ended or time.monotonic() >= until:
                return ended

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled(self.plan.log_stream)

    def _retry_while_unavailable(self, ask: Callable[[], T]) -> T:
        return retry_while_unavailable(
            ask, self._closing, self._dependencies.report, self._dependencies.give_up_seconds
        )
