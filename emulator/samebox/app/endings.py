"""What is closed at the emulator's end: the last that was opened first, however far the start came."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack

from samebox.containers.engine import EngineError
from samebox.containers.health import EngineHealth

log = logging.getLogger(__name__)

END_ENGINE_SECONDS = 5.0  # how long the end waits for the container engine


class Endings:
    """Callbacks of the parts. Those that belong to the event loop go first, the others in a thread."""

    def __init__(self) -> None:
        self._connections = AsyncExitStack()
        self._rest = ExitStack()

    def add(self, close: Callable[[], None]) -> None:
        """Have `close` called at the end, outside of the event loop."""
        self._rest.callback(close)

    def add_connections(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have `close` awaited at the end, in the event loop."""
        self._connections.push_async_callback(close)

    def add_request(self, health: EngineHealth, ask: Callable[[], None]) -> None:
        """Have the container engine asked at the end; one that hangs, or is gone, does not hold the end up."""

        def unless_it_hangs() -> None:
            why_not = health.why_not(END_ENGINE_SECONDS)
            try:
                if why_not is None:
                    return ask()
            except EngineError as error:
                why_not = str(error)
            log.info("what is ours in the container engine stays there: %s", why_not)
            return None

        self._rest.callback(unless_it_hangs)

    def undo(self) -> None:
        """Close what was opened by parts that need no event loop: not all of them could be built."""
        self._rest.close()

    async def run(self) -> None:
        """Close everything."""
        await self._connections.aclose()
        await asyncio.to_thread(self._rest.close)
