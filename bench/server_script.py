"""What the box runs as its server while we measure (its SCRIPT): HTTP/1.1 with as little work for a request as can be.

It answers GET /ping and every POST with 200 and the body that it got, over kept connections, until SIGTERM.
"""

import asyncio
import os
import signal


class Echo(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while True:
            end = self.waiting.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.waiting[:end].lower()
            place = head.find(b"\r\ncontent-length:")
            length = int(head[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            whole = end + 4 + length
            if len(self.waiting) < whole:
                return
            body, self.waiting = self.waiting[end + 4 : whole], self.waiting[whole:]
            answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n" % length
            self.transport.write(answer + body)


async def serve() -> None:
    """Listen until SIGTERM."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await loop.create_server(Echo, "0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")), backlog=512)  # noqa: S104
    await ended.wait()


asyncio.run(serve())
os._exit(0)  # the box would go on and start its own server
