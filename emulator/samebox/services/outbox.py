"""Messages on their way to queues, topics and functions: a file each until it is delivered, in the order they came.

So a message is delivered at least once, whatever ends in between. Lost is only what a kill comes before: a message is
written in the moment after the change that it is about.
"""

import json
import logging
import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from samebox.errors import AwsError

log = logging.getLogger(__name__)

MOST = 100_000  # messages that wait; later ones are dropped, and the log names them
_PAUSE_SECONDS = 5.0
_END_SECONDS = 10.0
_WIDTH = 20


@dataclass(frozen=True)
class OutgoingMessage:
    """`arn` is the destination's; `subject` is for those that have one."""

    arn: str
    body: str
    subject: str = ""


class Undeliverable(AwsError):
    """The destination does not exist, or does not take the message: another try would be in vain."""


class MessageDelivery(Protocol):
    """What brings a message to its destination. Raises Undeliverable, or AwsError where a later try may do."""

    def __call__(self, message: OutgoingMessage) -> None:
        """Deliver it."""


class Outbox:
    """Delivers messages from `start` to `close`, in a thread of its own. Threads may share it."""

    def __init__(self, folder: Path, deliver: MessageDelivery, pause: float = _PAUSE_SECONDS) -> None:
        self._folder = folder
        self._deliver = deliver
        self._pause = pause
        self._lock = threading.Lock()
        self._ended, self._added = threading.Event(), threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        self._waiting = deque(sorted(folder.glob("*.json")))
        self._next = int(self._waiting[-1].stem) + 1 if self._waiting else 0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._thread.start()

    def close(self) -> None:
        """End, after the message under way. The others are delivered after the next start."""
        self._ended.set()
        self._added.set()
        self._thread.join(_END_SECONDS)

    def add(self, message: OutgoingMessage) -> None:
        """Keep a message until it is delivered."""
        with self._lock:
            if len(self._waiting) >= MOST:
                log.error("%d messages wait for their destinations: one to %s is dropped", MOST, message.arn)
                return
            path = self._folder / f"{self._next:0{_WIDTH}}.json"
            self._next += 1
            partial = path.with_suffix(".part")
            partial.write_text(json.dumps(asdict(message)))
            partial.rename(path)
            self._waiting.append(path)
        self._added.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            while self._waiting and not self._ended.is_set():
                if not self._try(self._waiting[0]):
                    self._ended.wait(self._pause)
                    continue
                self._waiting.popleft()
            if not self._waiting:
                self._added.wait()
                self._added.clear()

    def _try(self, path: Path) -> bool:
        """Whether it is done with."""
        try:
            message = OutgoingMessage(**json.loads(path.read_text()))
        except FileNotFoundError:
            return True
        except OSError as error:
            log.warning("a message cannot be read now, and waits: %s", error)
            return False
        except (ValueError, TypeError):
            log.exception("a message is not one of ours, and is dropped: %s", path.name)
            return self._forget(path)
        try:
            self._deliver(message)
        except Undeliverable as error:
            log.warning("a message to %s is dropped: %s", message.arn, error.message)
        except AwsError as error:
            log.info("a message to %s waits: %s", message.arn, error.message)
            return False
        except Exception:
            # An error of ours: those behind it are not to wait for it for ever.
            log.exception("a message to %s is dropped", message.arn)
        return self._forget(path)

    def _forget(self, path: Path) -> bool:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            log.exception("a message cannot be removed, and may be delivered again: %s", path.name)
        return True
