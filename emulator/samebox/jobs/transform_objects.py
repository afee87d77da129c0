"""The objects of one instance of a transform job: each is sent to its container and becomes one output, or none."""

from __future__ import annotations

from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from samebox.data.objects import Cancelled, S3Error
from samebox.data.recordio import RecordError
from samebox.data.records import RecordTooLarge
from samebox.jobs.invoker import InvocationFailed
from samebox.jobs.job_type import WorkResult
from samebox.jobs.joining import NotParsed
from samebox.jobs.ordered import OrderedWork
from samebox.resources.json_path import NothingThere
from samebox.resources.outcome import Outcome

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence

    from samebox.data.objects import Object, Objects
    from samebox.jobs.model_invoker import ModelInvoker
    from samebox.jobs.transform_payloads import Batch, Payloads
    from samebox.jobs.transform_progress import TransformProgress

AHEAD = 2  # payloads that wait for a sender, or for their place in the output: each is held whole


@dataclass(frozen=True)
class TransformObjects:
    """How objects are transformed; `report` adds a line to the data log, and `over` ends what is under way."""

    objects: Objects
    invoker: ModelInvoker
    payloads: Payloads
    progress: TransformProgress
    report: Callable[[str], None]
    over: threading.Event

    def transform(self, found: Iterable[tuple[Object, str]]) -> WorkResult:
        """Transform each object into the output at its address, as many at once as the limits allow."""
        concurrent = self.payloads.limits.concurrent
        with ExitStack() as stack:
            stack.callback(self.invoker.finish)
            senders = stack.enter_context(ThreadPoolExecutor(concurrent, "invocation"))
            sending = OrderedWork(senders, concurrent + AHEAD)
            pool = stack.enter_context(ThreadPoolExecutor(concurrent, "object"))
            results = list(pool.map(partial(self._result, sending), found))
        return next((one for one in results if one.outcome is not Outcome.COMPLETED), WorkResult(Outcome.COMPLETED))

    def _result(self, sending: OrderedWork, one: tuple[Object, str]) -> WorkResult:
        source, target = one
        if self.over.is_set():
            return WorkResult(Outcome.STOPPED)
        try:
            self._store(sending, source, target)
        except (Cancelled, CancelledError):
            return WorkResult(Outcome.STOPPED)
        except InvocationFailed as failed:
            if not self.over.is_set():
                for line in failed.lines:
                    self._report_of(source, line)
            return WorkResult(Outcome.ALGORITHM_ERROR)
        except (NotParsed, NothingThere) as error:
            self._report_of(source, str(error))
            return WorkResult(Outcome.ALGORITHM_ERROR)
        except (RecordError, RecordTooLarge) as error:
            self._report_of(source, f"ClientError: {error}")
            return WorkResult(Outcome.BAD_INPUT)
        except S3Error as error:
            self._report_of(source, str(error))
            return WorkResult(Outcome.UPLOAD_FAILED, str(error))
        self.progress.add(source)
        return WorkResult(Outcome.COMPLETED)

    def _store(self, sending: OrderedWork, source: Object, target: str) -> None:
        """Send the object, and store the responses."""
        body = partial(self.objects.read, source.uri)
        if self.payloads.limits.payload_mb == 0:
            with self.invoker.stream(lambda: self.payloads.opened(body())) as pieces:
                self.objects.upload(self.payloads.streamed(pieces), target, self.over)
            return
        outputs = sending.results(self.payloads.batches(body()), self._output)
        self.objects.upload(chain.from_iterable(outputs), target, self.over)

    def _output(self, batch: Batch) -> Sequence[bytes]:
        return self.payloads.output(batch, self.invoker.invoke(batch.body))

    def _report_of(self, source: Object, line: str) -> None:
        self.report(f"{source.bucket}/{source.key}: {line}")
