"""The queue before observers: what it passes on, what it drops, and that nothing waits for it."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from samebox.traffic.observers import Invocation, ObserverQueue
from samebox.traffic.routes import Key


def invocation(body: bytes = b"") -> Invocation:
    return Invocation(Key("000000000000", "us-east-1", "digits"), "AllTraffic", 1, 200, 0.2, 0.1, {}, body)


class BodiesObserver:
    """Keeps the bodies it sees; waits for an event before, where one is given."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def observe(self, invocations: Sequence[Invocation]) -> None:
        self.entered.set()
        assert self.may_go_on.wait(60)
        self.seen += [one.request for one in invocations]


class FailingObserver:
    def observe(self, invocations: Sequence[Invocation]) -> None:
        raise KeyError(invocations[0].variant)


@contextmanager
def held(bodies: BodiesObserver, queue: ObserverQueue) -> Iterator[None]:
    """While the first invocation keeps the observers busy."""
    bodies.may_go_on.clear()
    queue.put(invocation(b"first"))
    assert bodies.entered.wait(60)
    yield
    bodies.may_go_on.set()


def test_each_observer_sees_each_invocation_in_order() -> None:
    one, other = BodiesObserver(), BodiesObserver()
    with closing(ObserverQueue([one, other])) as queue:
        for body in (b"a", b"b", b"c"):
            queue.put(invocation(body))
    assert one.seen == other.seen == [b"a", b"b", b"c"]
    assert queue.dropped == 0


def test_what_observers_cannot_keep_up_with_is_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    bodies = BodiesObserver()
    with closing(ObserverQueue([bodies], waiting=3)) as queue, held(bodies, queue):
        for body in (b"a", b"b", b"c", b"d"):
            queue.put(invocation(body))
        assert queue.dropped == 2
    assert bodies.seen == [b"first", b"a", b"b"]
    assert len(caplog.records) == 1


def test_the_memory_that_waiting_bodies_take_is_bounded() -> None:
    bodies = BodiesObserver()
    with closing(ObserverQueue([bodies], waiting_bytes=10)) as queue:
        with held(bodies, queue):
            queue.put(invocation(b"x" * 5))
            queue.put(invocation(b"y"))
        assert queue.dropped == 1
    assert bodies.seen == [b"first", b"x" * 5]


def test_where_much_waits_it_is_observed_at_once() -> None:
    bodies = BodiesObserver()
    with closing(ObserverQueue([bodies], waiting=5, look_seconds=1e6)) as queue:
        queue.put(invocation(b"a"))
        queue.put(invocation(b"b"))
        assert bodies.entered.wait(60)


def test_an_observer_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bodies = BodiesObserver()
    with caplog.at_level(logging.ERROR), closing(ObserverQueue([FailingObserver(), bodies])) as queue:
        queue.put(invocation(b"a"))
        queue.put(invocation(b"b"))
    assert bodies.seen == [b"a", b"b"]
    assert caplog.records[0].message.startswith("FailingObserver failed on ")
