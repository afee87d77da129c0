#!/usr/bin/env python3
"""The container of the scenarios: `train` runs a hyperparameter, `serve` an environment variable, as Python."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import TextIOWrapper
from pathlib import Path
from typing import Any

NAMES = {"Path": Path, "json": json, "os": os, "signal": signal, "sys": sys, "time": time}


def train() -> None:
    """Run the hyperparameter `script`; what it raises or exits with is what the container does."""
    hyperparameters = json.loads(Path("/opt/ml/input/config/hyperparameters.json").read_text())
    # A hyperparameter holds no line end (SM:HyperParameterValue is `.*`), so the script comes as JSON.
    exec(json.loads(hyperparameters["script"]), dict(NAMES))


def serve() -> None:
    """GET /ping answers `ping()`, a status; POST /invocations `invoke(body, headers)`, a status and bytes."""
    functions: dict[str, Any] = {**NAMES, "ping": lambda: 200, "invoke": lambda body, _: (200, body)}
    exec(os.environ.get("SCRIPT", ""), functions)

    class BoxHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(functions["ping"]() if self.path == "/ping" else 404, b"")

        def do_POST(self) -> None:
            self.answer(*functions["invoke"](self.body(), self.headers))

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            chunks = list[bytes]()
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", self.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, form: str, *values: object) -> None:
            print(form % values, flush=True)

    server = ThreadingHTTPServer(("", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), BoxHandler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


# A line is one write, so that lines of several threads do not mix.
assert isinstance(sys.stdout, TextIOWrapper)
sys.stdout.reconfigure(line_buffering=True, write_through=False)
{"train": train, "serve": serve}[Path(sys.argv[0]).name]()
