"""What a transform job does while its containers run: pings, /execution-parameters, invocations, outputs (contract §3).

Each object becomes one output, whole or not at all, with its records in their order. A file in the job's folder has the
objects that are done, so that the process after a crash goes on after them; what was under way is done again.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from samebox.containers.engine import EngineError
from samebox.data import records, transform
from samebox.data.manifests import BadManifest
from samebox.data.objects import Cancelled, Object, S3Error
from samebox.data.recordio import RecordError
from samebox.data.records import InputRecord, RecordTooLarge
from samebox.jobs import joining
from samebox.jobs.invoker import InvocationFailed, InvocationRules, Invoker
from samebox.jobs.job_type import WorkResult
from samebox.jobs.joining import NotParsed, Processing
from samebox.jobs.phases import JobDependencies
from samebox.jobs.pings import PingReporter
from samebox.platform import serving
from samebox.platform.readiness import PingRules, Readiness
from samebox.platform.transform import MEGABYTE, TransformRules, rules
from samebox.resources.json_path import NothingThere
from samebox.resources.outcome import Outcome

log = logging.getLogger(__name__)

DATA_LOG = "data-log"  # the stream of an instance that has the platform's own lines
RESULT_FILE, DONE_FILE = "result", "done"


@dataclass(frozen=True)
class TransformWork:
    """What of a job's request its work needs. `startup_seconds`: how long containers may take to answer /ping."""

    request: Mapping[str, Any]
    folder: Path
    startup_seconds: float
    retries_client_errors: bool


class TransformRun:
    """The work of one job, in threads of its own between `__enter__` and `__exit__`; `notify` is called at its end."""

    def __init__(
        self, work: TransformWork, deps: JobDependencies, containers: Mapping[str, str], notify: Callable[[], None]
    ) -> None:
        self._work = work
        self._deps = deps
        self._containers = containers
        self._notify = notify
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._waits: list[Readiness] = []
        self._invokers: list[Invoker] = []
        self._result = _read(work.folder / RESULT_FILE)

    @property
    def result(self) -> WorkResult | None:
        """None while it goes on."""
        return self._result

    def __enter__(self) -> Self:
        if self._result is None:
            threading.Thread(target=self._run, name="a transform job", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """End what is under way; nothing of it is stored."""
        self._over.set()
        with self._lock:
            for wait in self._waits:
                wait.cancel()
            for invoker in self._invokers:
                invoker.close()

    def container_ended(self) -> None:
        """A container has ended before the work did."""
        if self._result is None:
            self._end(WorkResult(Outcome.ALGORITHM_ERROR))
            self.cancel()

    def _run(self) -> None:
        try:
            found = transform.inputs(self._work.request, self._deps.objects)
            result = self._transform(found)
        except Cancelled:
            return
        except (S3Error, BadManifest, ValueError) as error:
            result = WorkResult(Outcome.DOWNLOAD_FAILED, str(error))
        except EngineError as error:
            # The engine was asked again while it was away; now it knows no way to a container, which has ended.
            log.warning("%s", error)
            result = WorkResult(Outcome.ALGORITHM_ERROR)
        if not self._over.is_set():
            self._end(result)

    def _end(self, result: WorkResult) -> None:
        with self._lock:
            if self._result is not None:
                return
            self._write(result)
            self._result = result
        self._notify()

    def _write(self, result: WorkResult) -> None:
        path = self._work.folder / RESULT_FILE
        part = path.with_suffix(".part")
        part.write_text(f"{result.outcome.value}\n{result.text}")
        part.replace(path)

    def _transform(self, found: tuple[tuple[Object, str], ...]) -> WorkResult:
        done = _Done(self._work.folder / DONE_FILE)
        hosts = list(self._containers)
        with ThreadPoolExecutor(len(hosts), "instance") as pool:
            instances = [
                pool.submit(self._instance, host, transform.share(found, number, len(hosts)), done)
                for number, host in enumerate(hosts)
            ]
            results = [one.result() for one in instances]
        return next((one for one in results if one.outcome is not Outcome.COMPLETED), results[0])

    def _instance(self, host: str, own: list[tuple[Object, str]], done: "_Done") -> WorkResult:
        lines = self._deps.lines[f"{host}/{DATA_LOG}"]

        def report(text: str) -> None:
            # As observed of 2020 (contract.md §3.5).
            moment = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
            lines.add(f"{moment}:[sagemaker logs]: {text}")

        address = self._deps.retry(partial(self._deps.engine.address, self._containers[host], serving.PORT))
        if not self._is_ready(host, address):
            return WorkResult(Outcome.NOT_READY)
        request = self._work.request
        client = request.get("ModelClientConfig", {})
        headers = {
            "Content-Type": request["TransformInput"].get("ContentType", ""),
            "Accept": request["TransformOutput"].get("Accept", ""),
        }
        how = InvocationRules(
            {name: value for name, value in headers.items() if value},
            client.get("InvocationsTimeoutInSeconds", 600),
            client.get("InvocationsMaxRetries", 3),
            self._work.retries_client_errors,
        )
        invoker = Invoker(address, how, self._over)
        with self._lock:
            self._invokers.append(invoker)
        limits = rules(request, invoker.parameters())
        report(limits.in_words)
        left = [one for one in own if not done.has(one[0])]
        with ExitStack() as stack:
            stack.callback(invoker.finish)
            senders = stack.enter_context(ThreadPoolExecutor(limits.concurrent, "invocation"))
            room = threading.BoundedSemaphore(2 * limits.concurrent)
            objects = stack.enter_context(ThreadPoolExecutor(limits.concurrent, "object"))
            work = partial(self._object, invoker, limits, senders, room, done, report)
            outcomes = list(objects.map(work, left))
        if self._over.is_set():
            raise Cancelled(host)
        return next((one for one in outcomes if one.outcome is not Outcome.COMPLETED), WorkResult(Outcome.COMPLETED))

    def _is_ready(self, host: str, address: tuple[str, int]) -> bool:
        pings = PingReporter(self._deps.lines[host].report)
        wait = Readiness(address, PingRules(window_seconds=self._work.startup_seconds), heard=pings.hear)
        with self._lock:
            self._waits.append(wait)
        if self._over.is_set():
            raise Cancelled(host)
        verdict = wait.wait()
        if self._over.is_set():
            raise Cancelled(host)
        return verdict.is_ready

    def _object(
        self,
        invoker: Invoker,
        limits: TransformRules,
        senders: ThreadPoolExecutor,
        room: threading.BoundedSemaphore,
        done: "_Done",
        report: Callable[[str], None],
        one: tuple[Object, str],
    ) -> WorkResult:
        source, target = one
        if self._over.is_set():
            return WorkResult(Outcome.STOPPED)
        steps = ObjectSteps(self._work.request, limits, Processing.of(self._work.request))
        try:
            body = partial(self._deps.objects.read, source.uri)
            if limits.payload_mb == 0:
                with invoker.stream(lambda: steps.opened(body())) as pieces:
                    self._deps.objects.upload(pieces, target, self._over)
            else:
                responses = _in_order(steps.batches(body()), senders, room, lambda batch: steps.send(batch, invoker))
                self._deps.objects.upload(responses, target, self._over)
        except (Cancelled, CancelledError):
            return WorkResult(Outcome.STOPPED)
        except InvocationFailed as failed:
            if not self._over.is_set():
                for line in failed.lines:
                    report(f"{source.bucket}/{source.key}: {line}")
            return WorkResult(Outcome.ALGORITHM_ERROR)
        except (NotParsed, NothingThere) as error:
            report(f"{source.bucket}/{source.key}: {error}")
            return WorkResult(Outcome.ALGORITHM_ERROR)
        except (RecordError, RecordTooLarge) as error:
            report(f"{source.bucket}/{source.key}: ClientError: {error}")
            return WorkResult(Outcome.BAD_INPUT)
        except S3Error as error:
            report(f"{source.bucket}/{source.key}: {error}")
            return WorkResult(Outcome.UPLOAD_FAILED, str(error))
        done.add(source)
        return WorkResult(Outcome.COMPLETED)


@dataclass(frozen=True)
class ObjectSteps:
    """From an object's bytes to payloads, and from responses to the output's bytes."""

    request: Mapping[str, Any]
    limits: TransformRules
    processing: Processing | None

    def opened(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The object's bytes, decompressed where they are gzip."""
        gzip = self.request["TransformInput"].get("CompressionType") == "Gzip"
        return records.gunzipped(chunks) if gzip else chunks

    def batches(self, chunks: Iterator[bytes]) -> Iterator[list[tuple[bytes, bytes]]]:
        """Records that are sent together: each as it was, and as the container is to see it."""
        most = self.limits.payload_mb * MEGABYTE
        split = self.request["TransformInput"].get("SplitType", "None")
        single = split == "None" or self.limits.strategy == "SINGLE_RECORD"
        if self.processing is None and split == "Line" and not single:
            return ([(lines, lines)] for lines in records.packed_lines(self.opened(chunks), most))
        found = records.split(self.opened(chunks), split, most)
        if self.processing is not None:
            return self._filtered(found, self.processing, single, most)
        if single:
            return ([(record.payload, record.payload)] for record in found)
        packed = records.packed((record.framed for record in found), most)
        return ([(framed, framed) for framed in batch] for batch in packed)

    @staticmethod
    def _filtered(
        found: Iterator[InputRecord], processing: Processing, single: bool, most: int
    ) -> Iterator[list[tuple[bytes, bytes]]]:
        batch, size = list[tuple[bytes, bytes]](), 0
        for record in found:
            seen = processing.seen(record.payload)
            if batch and (single or size + len(seen) + 1 > most):
                yield batch
                batch, size = [], 0
            batch.append((record.payload, seen))
            size += len(seen) + 1
        if batch:
            yield batch

    def send(self, batch: list[tuple[bytes, bytes]], invoker: Invoker) -> bytes:
        """What is stored of a batch. Raises InvocationFailed, NotParsed, NothingThere."""
        line_end = b"\n" if self.request["TransformOutput"].get("AssembleWith") == "Line" else b""
        if self.processing is None:
            response = invoker.invoke(b"".join(seen for _, seen in batch))
            return response + line_end if line_end and not response.endswith(b"\n") else response
        many = len(batch) > 1
        response = invoker.invoke(b"".join(seen + (b"\n" if many else b"") for _, seen in batch))
        answers = response.splitlines() if many else [response]
        if len(answers) != len(batch):
            form = "CSV" if self.processing.accept == joining.FORMATS[0] else "JSON"
            raise NotParsed(f"Failed to parse output from the algorithm as {form}: {len(answers)} of {len(batch)} rows")
        stored = (self.processing.stored(record, answer) for (record, _), answer in zip(batch, answers, strict=True))
        return b"".join(one + line_end for one in stored)


def _in_order(
    batches: Iterator[list[tuple[bytes, bytes]]],
    senders: ThreadPoolExecutor,
    room: threading.BoundedSemaphore,
    send: Callable[[list[tuple[bytes, bytes]]], bytes],
) -> Iterator[bytes]:
    """The results of all batches in their order; so many at once as there are senders, and no more in memory than
    `room` has. It takes no room while it waits for some that only itself could give back.
    """
    under_way = deque[Future[bytes]]()
    try:
        for batch in batches:
            while not room.acquire(blocking=not under_way):
                yield _taken(under_way, room)
            under_way.append(senders.submit(send, batch))
        while under_way:
            yield _taken(under_way, room)
    finally:
        for future in under_way:
            future.cancel()
            room.release()


def _taken(under_way: "deque[Future[bytes]]", room: threading.BoundedSemaphore) -> bytes:
    result = under_way[0].result()
    under_way.popleft()
    room.release()
    return result


class _Done:
    """The objects that are done, over crashes: a line for each, as it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known = frozenset(path.read_text().splitlines()) if path.exists() else frozenset[str]()

    def has(self, one: Object) -> bool:
        return _line(one) in self._known

    def add(self, one: Object) -> None:
        with self._lock, self._path.open("a") as file:
            file.write(f"{_line(one)}\n")


def _line(one: Object) -> str:
    return f"{one.etag} {one.uri!r}"


def _read(path: Path) -> WorkResult | None:
    if not path.exists():
        return None
    outcome, _, text = path.read_text().partition("\n")
    return WorkResult(Outcome(outcome), text)
