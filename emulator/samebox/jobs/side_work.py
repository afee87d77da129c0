"""Work that a job has done while its containers run, in a thread of its own."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from threading import Event


@contextlib.contextmanager
def beside(work: Callable[[Event], None], name: str) -> Iterator[None]:
    """Do `work` in a thread of this name until the end of the block, which sets the event and waits for the thread."""
    over = Event()
    thread = threading.Thread(target=work, args=(over,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
