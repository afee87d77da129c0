"""A server that reads a request and answers 200, with the libraries of ours: `python -m bench.answering PORT`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from bench.stand import NotMeasured, S3Place, wait_for
from tests.ports import free_port

if TYPE_CHECKING:
    from types import TracebackType

START_SECONDS = 60.0
END_SECONDS = 20


class AnsweringServer:
    """The server in a process of its own, for the length of a block."""

    def __init__(self) -> None:
        self.place = S3Place("127.0.0.1", free_port(), "bench", "bench")
        self._process = subprocess.Popen([sys.executable, "-m", "bench.answering", str(self.place.port)])
        wait_for(self._answers, START_SECONDS, "the server that answers 200 listens")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(END_SECONDS)

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise NotMeasured(f"the server that answers 200 ended with {self._process.returncode}")
        return self.place.listens


async def answer(_: Any, receive: Any, send: Any) -> None:
    """One request."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"0"), (b"etag", b'"d41d8cd98f00b204e9800998ecf8427e"')]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(
        answer,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
