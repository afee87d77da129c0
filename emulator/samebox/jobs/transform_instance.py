"""One instance of a transform job: its container is ready, says how it wants to be asked, and gets its objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from samebox.data.objects import Cancelled
from samebox.jobs.invoker import InvocationRules, Invoker
from samebox.jobs.job_type import WorkResult
from samebox.jobs.pings import PingReporter
from samebox.jobs.transform_objects import TransformObjects
from samebox.jobs.transform_payloads import Payloads
from samebox.platform import serving, transform
from samebox.platform.readiness import PingRules, Readiness
from samebox.resources.outcome import Outcome

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from samebox.data.objects import Object
    from samebox.jobs.phases import JobDependencies
    from samebox.jobs.transform_progress import TransformProgress

DATA_LOG = "data-log"  # the stream of an instance that has the platform's own lines


@dataclass(frozen=True)
class TransformWork:
    """What of a job's request its work needs. `startup_seconds`: how long containers may take to answer /ping."""

    request: Mapping[str, Any]
    folder: Path
    startup_seconds: float
    retries_client_errors: bool
    capture_name: str = ""  # of the manifests of data capture


class TransformInstance:
    """The work of one host's container. `over` is set when the job's work is cancelled; `cancel` is called then."""

    def __init__(
        self, host: str, container: str, work: TransformWork, deps: JobDependencies, over: threading.Event
    ) -> None:
        self._host = host
        self._container = container
        self._work = work
        self._deps = deps
        self._over = over
        self.is_serving = False  # whether its container has answered /ping
        self._wait: Readiness | None = None
        self._invoker: Invoker | None = None

    def cancel(self) -> None:
        """End what is under way."""
        if self._wait is not None:
            self._wait.cancel()
        if self._invoker is not None:
            self._invoker.close()

    def run(self, found: Iterable[tuple[Object, str]], progress: TransformProgress) -> WorkResult:
        """Transform these objects. Raises Cancelled, EngineError."""
        address = self._deps.retry(partial(self._deps.engine.address, self._container, serving.PORT))
        if not self._is_ready(address):
            return WorkResult(Outcome.NOT_READY)
        invoker = self._invoker = Invoker(address, self._rules(), self._over)
        limits = transform.rules(self._work.request, invoker.parameters())
        self._report(limits.in_words)
        payloads = Payloads.of(self._work.request, limits)
        objects = TransformObjects(self._deps.objects, invoker, payloads, progress, self._report, self._over)
        result = objects.transform([one for one in found if not progress.was_done(one[0])])
        self._check()
        return result

    def _is_ready(self, address: tuple[str, int]) -> bool:
        pings = PingReporter(self._deps.lines[self._host].report)
        rules = PingRules(window_seconds=self._work.startup_seconds)
        wait = self._wait = Readiness(address, rules, heard=pings.hear, late=self._deps.faults.late)
        self._check()
        verdict = wait.wait()
        self._check()
        self.is_serving = verdict.is_ready
        return verdict.is_ready

    def _rules(self) -> InvocationRules:
        request = self._work.request
        client = request.get("ModelClientConfig", {})
        headers = {
            "Content-Type": request["TransformInput"].get("ContentType", ""),
            "Accept": request["TransformOutput"].get("Accept", ""),
        }
        return InvocationRules(
            {name: value for name, value in headers.items() if value},
            client.get("InvocationsTimeoutInSeconds", 600),
            client.get("InvocationsMaxRetries", 3),
            self._work.retries_client_errors,
        )

    def _report(self, text: str) -> None:
        # As observed of 2020 (contract.md §3.5).
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        self._deps.lines[f"{self._host}/{DATA_LOG}"].add(f"{moment}:[sagemaker logs]: {text}")

    def _check(self) -> None:
        # After each step that `cancel` may have missed, as it did not exist yet.
        if self._over.is_set():
            raise Cancelled(self._host)
