"""Messages to destinations: delivered in order, at least once, and kept over a restart until they are."""

import threading
from pathlib import Path

from samebox.errors import AwsError
from samebox.services.outbox import Outbox, OutgoingMessage, Undeliverable

WAIT_SECONDS = 60.0  # bounds a failure


class FakeDestination:
    """Takes messages once `open` is set; refuses those to "gone" for good."""

    def __init__(self, most: int, is_open: bool = True) -> None:
        self.taken: list[str] = []
        self.open, self.tried, self.full = threading.Event(), threading.Event(), threading.Event()
        self._most = most
        if is_open:
            self.open.set()

    def __call__(self, message: OutgoingMessage) -> None:
        self.tried.set()
        if not self.open.is_set():
            raise AwsError("ServiceUnavailable", "later", 503)
        if message.arn == "gone":
            raise Undeliverable("InvalidArgument", "gone")
        self.taken.append(message.body)
        if len(self.taken) == self._most:
            self.full.set()


def test_messages_are_delivered_in_their_order_and_leave_no_file(tmp_path: Path) -> None:
    destination = FakeDestination(20)
    outbox = Outbox(tmp_path, destination)
    outbox.start()
    for number in range(20):
        outbox.add(OutgoingMessage("arn", str(number)))
    assert destination.full.wait(WAIT_SECONDS)
    outbox.close()
    assert destination.taken == [str(number) for number in range(20)]
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_delivered_is_delivered_after_a_restart(tmp_path: Path) -> None:
    closed = FakeDestination(1, is_open=False)
    first = Outbox(tmp_path, closed, pause=WAIT_SECONDS)
    first.start()
    first.add(OutgoingMessage("arn", "kept", "subject"))
    first.add(OutgoingMessage("arn", "and this"))
    assert closed.tried.wait(WAIT_SECONDS)
    first.close()
    destination = FakeDestination(3)
    second = Outbox(tmp_path, destination)
    second.add(OutgoingMessage("arn", "and a new one"))
    second.start()
    assert destination.full.wait(WAIT_SECONDS)
    second.close()
    assert destination.taken == ["kept", "and this", "and a new one"]


def test_a_destination_that_is_gone_holds_up_no_other(tmp_path: Path) -> None:
    destination = FakeDestination(1)
    outbox = Outbox(tmp_path, destination)
    outbox.add(OutgoingMessage("gone", "lost"))
    outbox.add(OutgoingMessage("arn", "taken"))
    outbox.start()
    assert destination.full.wait(WAIT_SECONDS)
    outbox.close()
    assert list(tmp_path.iterdir()) == []


def test_a_message_that_cannot_be_read_or_has_an_error_of_ours_holds_no_other_up(tmp_path: Path) -> None:
    (tmp_path / f"{0:020}.json").write_text("{")
    destination = FakeDestination(1)

    def deliver(message: OutgoingMessage) -> None:
        if message.body == "bad":
            raise RuntimeError("unforeseen")
        destination(message)

    outbox = Outbox(tmp_path, deliver)
    outbox.add(OutgoingMessage("arn", "bad"))
    outbox.add(OutgoingMessage("arn", "good"))
    outbox.start()
    assert destination.full.wait(WAIT_SECONDS)
    outbox.close()
    assert list(tmp_path.iterdir()) == []
