"""A response's head goes out with what follows it, and never later than in the loop's next step."""

import asyncio
from collections.abc import Iterable

import pytest

from samebox.traffic.joined_writes import JoinedWrites

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class WriteRecorder(asyncio.Transport):
    """Notes each call that would reach the kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.calls.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def joined() -> tuple[WriteRecorder, JoinedWrites]:
    recorder = WriteRecorder()
    return recorder, JoinedWrites(recorder, asyncio.get_running_loop())


async def test_a_head_and_its_body_are_one_write() -> None:
    recorder, transport = await joined()
    transport.write(HEAD)
    transport.write(b"ok")
    assert recorder.calls == [HEAD + b"ok"]
    await asyncio.sleep(0)
    assert recorder.calls == [HEAD + b"ok"]


async def test_a_head_alone_goes_out_in_the_next_step() -> None:
    recorder, transport = await joined()
    transport.write(HEAD)
    assert recorder.calls == []
    await asyncio.sleep(0)
    assert recorder.calls == [HEAD]
    transport.write(b"o")
    transport.write(b"k")
    assert recorder.calls == [HEAD, b"o", b"k"]


@pytest.mark.parametrize("lines", [[b"o", b"k"], [b"ok"]])
async def test_several_lines_keep_their_place_behind_a_head(lines: list[bytes]) -> None:
    recorder, transport = await joined()
    transport.write(HEAD)
    transport.writelines(lines)
    assert b"".join(recorder.calls) == HEAD + b"ok"


async def test_what_is_closed_gets_its_head_before() -> None:
    recorder, transport = await joined()
    transport.write(HEAD)
    transport.close()
    assert (recorder.calls, recorder.closed, transport.is_closing()) == ([HEAD], True, True)
    await asyncio.sleep(0)
    assert recorder.calls == [HEAD]


async def test_what_is_cut_gets_nothing_more() -> None:
    recorder, transport = await joined()
    transport.write(HEAD)
    transport.abort()
    await asyncio.sleep(0)
    assert recorder.calls == []
