"""The server under load: many requests concurrently, and many one after another. Contract §2.2; growing memory use."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.serving import processes
from samebox.check.serving.served import ENGINE, FAST_SECONDS, SERVED, answered, first_answers
from samebox.check.serving.server import running
from samebox.check.serving.wire import HttpResponse, NoResponse

if TYPE_CHECKING:
    from samebox.check.serving.server import RunningServer

CLIENTS, EACH = 16, 4
REQUESTS = 200  # in a round
ROUND_SECONDS = 2.0  # a slow server is asked less often
LEAST_REQUESTS = 20
# Growth that counts: what an interpreter's own arenas and pools come to, at the outside, once it is warm.
MEMORY_NOISE = 8 << 20
FILES_NOISE = 30
_NOT_SEEN = "the container's processes cannot be seen from here (another machine, or another user's)"

CONCURRENCY = Rule(
    "serve-concurrency",
    f"{CLIENTS} concurrent clients are all answered",
    "contract §2.2",
    "fail",
    "serving",
    "Queue requests while you are busy: a backlog of some hundreds, and threads or processes that take from it.",
)
MEMORY = Rule(
    "serve-memory-growth",
    "Memory does not grow with every request",
    "an endpoint runs until it is deleted (contract §2.2)",
    "warn",
    "serving",
    "Something keeps the objects of a request: a list, a cache without a limit, a new graph or session for each.",
)
FILES = Rule(
    "serve-open-files",
    "Open files do not grow with every request",
    "an endpoint runs until it is deleted (contract §2.2)",
    "warn",
    "serving",
    "Close what a request opened, files and connections, also where it fails.",
)


def concurrency(context: Context) -> Finding:
    server, one = running(context), answered(context)
    limit = max(min(FAST_SECONDS, context.deadline.left - 5), 1.0)
    end = time.monotonic() + limit

    results: list[HttpResponse | NoResponse] = []

    def client() -> None:
        for number in range(EACH):
            if number and time.monotonic() > end - limit / 2:
                break
            try:
                results.append(server.ask("POST", "/invocations", one.body, one.headers, seconds=limit))
            except NoResponse as error:
                results.append(error)
                break

    # The response to a single request shows what is due to their number.
    try:
        alone = server.ask("POST", "/invocations", one.body, one.headers, seconds=limit)
    except NoResponse as error:
        raise CannotCheck(f"{one.name} is not answered ({error}): see serve-invocations") from None
    # Daemon threads, not an executor's: Ctrl-C must not wait for responses that will never come.
    clients = [threading.Thread(target=client, name="a client", daemon=True) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    answers = [result for result in results if isinstance(result, HttpResponse)]
    lost = [result for result in results if isinstance(result, NoResponse) and result.why != "timeout"]
    late = [result for result in results if isinstance(result, NoResponse) and result.why == "timeout"]
    other = [answer for answer in answers if answer.status // 100 != alone.status // 100]
    if lost:
        return CONCURRENCY.broken(f"{len(lost)} of {len(results)} had no answer: {lost[0]}")
    if late:
        return CONCURRENCY.warned(f"{len(late)} of {len(results)} had no answer within {limit:.0f} s")
    if other:
        return CONCURRENCY.warned(f"{len(other)} of {len(results)} had another answer than alone: {other[0].words}")
    middle = statistics.median(answer.seconds for answer in answers)
    return CONCURRENCY.passed(f"{len(answers)} answers, {middle * 1000:.0f} ms each ({alone.seconds * 1000:.0f} alone)")


def memory_growth(context: Context) -> Finding:
    server = running(context)
    if processes.memory_bytes(server.container) is None:
        return MEMORY.skipped(_NOT_SEEN)
    _must_have_time(context, 4 * LEAST_REQUESTS)
    _round(context, server)  # to warm up: what is allocated once is not a leak
    sizes, counts = [processes.memory_bytes(server.container) or 0], []
    for _ in range(3):
        counts.append(_round(context, server))
        sizes.append(processes.memory_bytes(server.container) or 0)
    grown = [after - before for before, after in itertools.pairwise(sizes)]
    each = sum(grown) / max(sum(counts), 1)
    seen = (
        f"{sizes[0] / 1e6:,.0f} MB before, {sizes[-1] / 1e6:,.0f} MB after {sum(counts)} requests "
        f"({each / 1000:+.1f} kB each)"
    )
    # Growth in each round, and no less in the last than in the first: a pool that fills up slows down.
    if sum(grown) > MEMORY_NOISE and min(grown) > MEMORY_NOISE / 6 and grown[-1] > grown[0] / 2:
        return MEMORY.broken(seen)
    return MEMORY.passed(seen)


def open_files(context: Context) -> Finding:
    server = running(context)
    if processes.open_files(server.container) is None:
        return FILES.skipped(_NOT_SEEN)
    _must_have_time(context, 2 * LEAST_REQUESTS)
    _round(context, server, 20)
    before = processes.open_files(server.container) or 0
    count = _round(context, server)
    after, end = 0, time.monotonic() + 3
    while time.monotonic() < end:  # connections may be closed a moment later
        after = processes.open_files(server.container) or 0
        if after - before < FILES_NOISE:
            return FILES.passed(f"{before} before, {after} after {count} requests")
        threading.Event().wait(0.1)
    if after - before < count / 2:
        return FILES.passed(f"{before} before, {after} after {count} requests: a pool, by its size")
    return FILES.broken(f"{before} before, {after} after {count} requests")


def _must_have_time(context: Context, requests: int) -> None:
    """Raises CannotCheck where so many requests would take longer than the check may."""
    one = answered(context)
    (first,) = [answer for asked, answer in first_answers(context) if asked == one][:1]
    if isinstance(first, HttpResponse) and first.seconds * requests > context.deadline.left / 2:
        raise CannotCheck(f"{one.name} takes {first.seconds:.1f} s, too long to ask for it {requests} times")


def _round(context: Context, server: RunningServer, most: int = REQUESTS) -> int:
    """Ask many times, on connections of their own; how often. Raises CannotCheck when it is not answered."""
    one = answered(context)
    end = time.monotonic() + ROUND_SECONDS
    for number in range(most):
        if number >= LEAST_REQUESTS and time.monotonic() > end:
            return number
        try:
            server.ask("POST", "/invocations", one.body, one.headers, seconds=FAST_SECONDS)
        except NoResponse as error:
            raise CannotCheck(f"request {number + 1} of a row was not answered: {error}") from None
    return most


CHECKS = (
    Check(CONCURRENCY, concurrency, ENGINE, SERVED),
    Check(MEMORY, memory_growth, ENGINE, SERVED, seconds=120),
    Check(FILES, open_files, ENGINE, SERVED, seconds=120),
)
