"""A request's body on its way from the event loop to the worker thread that reads it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from samebox.asgi import ClientGone, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox.asgi import Receive

_MOST_BYTES = 4 * 1024 * 1024  # that wait for the thread; beyond, the client waits
_AGAIN_BYTES = 1024 * 1024  # at which it goes on


class BodyPipe:
    """Pieces of one body. The loop feeds it, one thread reads it; nothing is received before the thread asks.

    So a request that is refused by its head alone, and that expects `100 Continue`, sends no body.
    """

    def __init__(self, receive: Receive, idle_seconds: float) -> None:
        self._receive = receive
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._failed = False

    @property
    def was_read(self) -> bool:
        """Whether the thread has asked for the body."""
        return self._wanted.is_set()

    async def feed(self) -> None:
        """Receive the body once it is wanted, until its end. To be run beside the thread, and cancelled after it."""
        await self._wanted.wait()
        try:
            async for piece in pieces(self._receive, self._idle_seconds):
                await self._room.wait()
                self._put(piece)
        except ClientGone:
            self._end(failed=True)
        else:
            self._end(failed=False)

    def read(self) -> Iterator[bytes]:
        """The pieces, in a worker thread. Raises ClientGone where the client goes, or is silent for too long."""
        self._loop.call_soon_threadsafe(self._wanted.set)
        while True:
            with self._changed:
                # The loop bounds the wait for the client; this bound is for a loop that is no more.
                if not self._changed.wait_for(lambda: bool(self._pieces) or self._ended, 2 * self._idle_seconds):
                    raise ClientGone
                taken, self._pieces = self._pieces, deque()
                had_room, self._size = self._size < _AGAIN_BYTES, 0
                over = not taken
            if over:
                if self._failed:
                    raise ClientGone
                return
            if not had_room:
                self._loop.call_soon_threadsafe(self._room.set)
            yield from taken

    def _put(self, piece: bytes) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size >= _MOST_BYTES:
                self._room.clear()
            self._changed.notify()

    def _end(self, failed: bool) -> None:
        with self._changed:
            self._ended, self._failed = True, failed
            self._changed.notify()
