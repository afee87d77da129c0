"""WebSockets frame by frame (RFC 6455), because libraries hide what the checks look at.

SageMaker sends each part of a caller's message as a frame, unfinished ones included, with pings in between.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from samebox.check.serving.wire import NoResponse, RawConnection, request

if TYPE_CHECKING:
    from samebox.check.serving.wire import Address, HttpResponse

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL = 1000  # why a connection is closed
_CODES = {1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1007: "invalid data"} | {
    1008: "policy violation",
    1009: "message too big",
    1011: "internal error",
}
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST = 16 << 20


class UpgradeRefused(Exception):
    """The server answers the request for a WebSocket with something else; or with a WebSocket that is none."""

    def __init__(self, answer: HttpResponse, words: str) -> None:
        super().__init__(words)
        self.answer = answer


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes = b""
    final: bool = True

    @property
    def closing(self) -> str:
        """The code and reason of a Close frame, as text."""
        code = int.from_bytes(self.payload[:2], "big")
        reason = self.payload[2:].decode(errors="replace")
        words = [str(code) if code else "without a code", _CODES.get(code, ""), reason]
        return " ".join(word for word in words if word)


class WebSocket:
    """One, open. Every wait has a limit. Raises NoResponse, UpgradeRefused."""

    def __init__(self, address: Address, path: str, seconds: float = 10.0) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._connection = RawConnection(address, seconds)
        try:
            self._open(path, key, seconds)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, opcode: int, payload: bytes = b"", final: bool = True, seconds: float = 10.0) -> None:
        length = len(payload)
        if length < 126:
            size = bytes([0x80 | length])
        elif length < 1 << 16:
            size = bytes([0x80 | 126]) + length.to_bytes(2, "big")
        else:
            size = bytes([0x80 | 127]) + length.to_bytes(8, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self._connection.send(bytes([opcode | (0x80 if final else 0)]) + size + mask + masked, seconds)

    def close(self, seconds: float = 10.0) -> None:
        """Send a Close frame; the server's own is still to come."""
        self.send(CLOSE, NORMAL.to_bytes(2, "big"), seconds=seconds)

    def abandon(self) -> None:
        self._connection.reset()

    def receive(self, seconds: float) -> Frame:
        first, second = self._connection.take(2, seconds)
        opcode, length = first & 0x0F, second & 0x7F
        if first & 0x70 or second & 0x80 or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise NoResponse("not http", f"not a frame of a WebSocket's server: {bytes([first, second])!r}")
        if length > 125:
            length = int.from_bytes(self._connection.take(2 if length == 126 else 8, seconds), "big")
        if length > _MOST:
            raise NoResponse("not http", f"a frame of {length:,} bytes came")
        return Frame(opcode, self._connection.take(length, seconds), bool(first & 0x80))

    def _open(self, path: str, key: str, seconds: float) -> None:
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
        }
        self._connection.send(request("GET", path, headers=headers)[0], seconds)
        answer = self._connection.receive(seconds)
        if answer.status != 101:
            raise UpgradeRefused(answer, answer.words)
        wanted = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()  # noqa: S324  # as RFC 6455 says
        if answer.headers.get("sec-websocket-accept") != wanted:
            raise UpgradeRefused(answer, "101, with a Sec-WebSocket-Accept that does not answer the Sec-WebSocket-Key")
