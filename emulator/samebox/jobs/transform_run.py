"""What a transform job does while its containers run: pings, /execution-parameters, invocations, outputs (contract §3).

Here is its life: its threads, and its end. What one instance does is `transform_instance`, an object
`transform_objects`, the bytes `transform_payloads`, and what outlives a crash `transform_progress`.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from samebox.containers.engine import EngineError
from samebox.data import transform
from samebox.data.manifests import BadManifest
from samebox.data.objects import Cancelled, S3Error
from samebox.jobs.job_type import WorkResult
from samebox.jobs.transform_instance import TransformInstance
from samebox.jobs.transform_progress import TransformProgress
from samebox.platform.retrying import Closing
from samebox.resources.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from samebox.data.objects import Object
    from samebox.jobs.phases import JobDependencies
    from samebox.jobs.transform_instance import RunningModel, TransformWork

log = logging.getLogger(__name__)


class TransformRun:
    """The work of one job, in threads of its own between `__enter__` and `__exit__`; `notify` is called at its end."""

    def __init__(
        self,
        work: TransformWork,
        deps: JobDependencies,
        servers: Mapping[str, Sequence[RunningModel]],
        notify: Callable[[], None],
    ) -> None:
        self._work = work
        self._deps = deps
        self._notify = notify
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._instances = [
            TransformInstance(name, of_instance, work, deps, self._over) for name, of_instance in servers.items()
        ]
        self._progress = TransformProgress(work.folder)
        self._result = self._progress.result()

    @property
    def result(self) -> WorkResult | None:
        """None while it goes on."""
        return self._result

    @property
    def is_serving(self) -> bool:
        """Whether a container has answered /ping."""
        return any(instance.is_serving for instance in self._instances)

    def __enter__(self) -> Self:
        if self._result is None:
            threading.Thread(target=self._run, name="a transform job", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """End what is under way; nothing of it is stored."""
        self._over.set()
        for instance in self._instances:
            instance.cancel()

    def container_ended(self, hosts: Collection[str]) -> None:
        """The containers of these hosts have ended before the work did."""
        if self._result is None:
            for instance in self._instances:
                instance.ended(hosts)
            self._end(WorkResult(Outcome.ALGORITHM_ERROR))
            self.cancel()

    def _run(self) -> None:
        try:
            result = self._transform()
        except (Cancelled, Closing):
            return
        except (S3Error, BadManifest, ValueError) as error:
            result = WorkResult(Outcome.DOWNLOAD_FAILED, str(error))
        except EngineError as error:
            # The engine was asked again while it was away; now it knows no way to a container, which has ended.
            log.warning("%s", error)
            result = WorkResult(Outcome.ALGORITHM_ERROR)
        except Exception:
            # Of ours, or of the disk. The job has no time limit that would end it.
            log.exception("the work of a transform job failed")
            result = WorkResult(Outcome.INTERNAL)
        if not self._over.is_set():
            self._end(result)

    def _transform(self) -> WorkResult:
        found = transform.inputs(self._work.request, self._deps.objects, self._work.whole_keys)
        many = len(self._instances)
        with ThreadPoolExecutor(many, "instance") as pool:
            running = [
                pool.submit(instance.run, transform.share(found, number, many), self._progress)
                for number, instance in enumerate(self._instances)
            ]
            results = [one.result() for one in running]
        failed = next((one for one in results if one.outcome is not Outcome.COMPLETED), None)
        return failed or self._capture(found) or results[0]

    def _capture(self, found: Sequence[tuple[Object, str]]) -> WorkResult | None:
        """Store the manifests of data capture; a result where they cannot be stored."""
        try:
            for uri, manifest in transform.captured(self._work.request, found, self._work.capture_name).items():
                self._deps.objects.put(uri, manifest)
        except S3Error as error:
            return WorkResult(Outcome.UPLOAD_FAILED, str(error))
        return None

    def _end(self, result: WorkResult) -> None:
        with self._lock:
            if self._result is not None:
                return
            self._result = result
            try:
                self._progress.end(result)
            except OSError as error:
                log.warning("the end of a transform job is not kept for after a crash: %s", error)
        self._notify()
