"""One instance of a transform job: its containers are ready, say how they want to be asked, and get its objects."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from samebox.containers.engine import EngineError
from samebox.data.objects import Cancelled
from samebox.jobs import hosting
from samebox.jobs.invoker import InvocationRules, Invoker
from samebox.jobs.job_type import WorkResult
from samebox.jobs.model_invoker import ModelInvoker
from samebox.jobs.pings import PingReporter
from samebox.jobs.transform_objects import TransformObjects
from samebox.jobs.transform_payloads import Payloads
from samebox.platform import serving, transform
from samebox.platform.readiness import PingRules, Readiness
from samebox.resources.outcome import Outcome

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from samebox.data.objects import Object
    from samebox.jobs.phases import JobDependencies
    from samebox.jobs.transform_progress import TransformProgress
    from samebox.platform.pipelines import PipelinePlace

DATA_LOG = "data-log"  # the stream of an instance that has the platform's own lines


@dataclass(frozen=True)
class TransformWork:
    """What of a job's request its work needs. `startup_seconds`: how long containers may take to answer /ping."""

    request: Mapping[str, Any]
    folder: Path
    startup_seconds: float
    retries_client_errors: bool
    pipeline_bytes: int  # that one container of a pipeline may send to the next
    capture_name: str = ""  # of the manifests of data capture
    started: float = 0.0
    line_ends: bool = False  # whether a line that is sent alone has its line end
    whole_keys: bool = False  # whether the key of an output has all of its input's


@dataclass(frozen=True)
class RunningModel:
    """A running container of the model: its place, the name of its host in the plan, and its id."""

    place: PipelinePlace
    host: str
    container: str


class TransformInstance:
    """The work of one instance. `over` is set when the job's work is cancelled; `cancel` is called then."""

    def __init__(
        self,
        name: str,
        servers: Sequence[RunningModel],
        work: TransformWork,
        deps: JobDependencies,
        over: threading.Event,
    ) -> None:
        self._name = name
        self._servers = servers
        self._work = work
        self._deps = deps
        self._over = over
        self.is_serving = False  # whether its containers have answered /ping
        self._ended: set[str] = set()  # hosts that are named in the log
        self._waits: list[Readiness] = []
        self._invoker: ModelInvoker | None = None

    def cancel(self) -> None:
        """End what is under way."""
        for wait in list(self._waits):
            wait.cancel()
        if self._invoker is not None:
            self._invoker.close()

    def run(self, found: Iterable[tuple[Object, str]], progress: TransformProgress) -> WorkResult:
        """Transform these objects. Raises Cancelled, EngineError."""
        if (refused := self._without_label()) is not None:
            return refused
        addresses = [self._address(one) for one in self._servers]
        with ThreadPoolExecutor(len(addresses), "ping") as pool:
            ready = list(pool.map(self._is_ready, self._servers, addresses))
        self._check()
        if not all(ready):
            return self._not_ready([one for one, is_ready in zip(self._servers, ready, strict=True) if not is_ready])
        self.is_serving = True
        invoker = self._invoker = ModelInvoker(
            [
                (one.place.name, Invoker(address, self._rules(one), self._over))
                for one, address in zip(self._servers, addresses, strict=True)
            ],
            self._work.pipeline_bytes,
        )
        limits = transform.rules(self._work.request, invoker.parameters())
        self._report(limits.in_words)
        payloads = Payloads.of(self._work.request, limits, self._work.started, self._work.line_ends)
        objects = TransformObjects(self._deps.objects, invoker, payloads, progress, self._report, self._over)
        result = objects.transform([one for one in found if not progress.was_done(one[0])])
        self._check()
        return result

    def ended(self, hosts: Collection[str]) -> None:
        """Containers have ended before the work did: of a pipeline the log names them."""
        for one in self._servers:
            if one.place.name and one.host in hosts and one.host not in self._ended:
                self._ended.add(one.host)
                self._report(f"{one.place.name} has ended")

    def _without_label(self) -> WorkResult | None:
        """The end of a job whose images are not made for a pipeline (contract.md §2.7); the words are ours."""
        if len(self._servers) == 1:
            return None
        for one in self._servers:
            state = self._deps.retry(partial(self._deps.engine.inspect, one.container))
            image = self._deps.retry(partial(self._deps.engine.image, state.image))
            if image is not None and image.labels.get(serving.BIND_LABEL) != "true":
                text = hosting.not_for_pipelines(one.place.name)
                self._report(text)
                return WorkResult(Outcome.MODEL_REFUSED, text)
        return None

    def _address(self, server: RunningModel) -> tuple[str, int]:
        port = server.place.port or serving.PORT
        try:
            return self._deps.retry(partial(self._deps.engine.address, server.container, port))
        except EngineError:
            self.ended([server.host])
            raise

    def _is_ready(self, server: RunningModel, address: tuple[str, int]) -> bool:
        pings = PingReporter(self._deps.lines[server.host].report)
        rules = PingRules(window_seconds=self._work.startup_seconds)
        wait = Readiness(address, rules, heard=pings.hear, late=self._deps.faults.late)
        self._waits.append(wait)
        self._check()
        return wait.wait().is_ready

    def _not_ready(self, servers: Sequence[RunningModel]) -> WorkResult:
        if len(self._servers) == 1:
            return WorkResult(Outcome.NOT_READY)
        names = ", ".join(one.place.name for one in servers)
        # After AWS's words for an endpoint (contract.md §2.4).
        return WorkResult(
            Outcome.PIPELINE_NOT_READY,
            f"The {names} did not pass the ping health check. Please check CloudWatch logs for this transform job.",
        )

    def _rules(self, server: RunningModel) -> InvocationRules:
        """Only the first container of a pipeline gets the job's ContentType, and only the last its Accept."""
        request, headers = self._work.request, dict[str, str]()
        client = request.get("ModelClientConfig", {})
        if server is self._servers[0]:
            headers["Content-Type"] = request["TransformInput"].get("ContentType", "")
        if server is self._servers[-1]:
            headers["Accept"] = request["TransformOutput"].get("Accept", "")
        return InvocationRules(
            {name: value for name, value in headers.items() if value},
            client.get("InvocationsTimeoutInSeconds", 600),
            client.get("InvocationsMaxRetries", 3),
            self._work.retries_client_errors,
        )

    def _report(self, text: str) -> None:
        # As observed of 2020 (contract.md §3.5).
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        self._deps.lines[f"{self._name}/{DATA_LOG}"].add(f"{moment}:[sagemaker logs]: {text}")

    def _check(self) -> None:
        # After each step that `cancel` may have missed, as it did not exist yet.
        if self._over.is_set():
            raise Cancelled(self._name)
