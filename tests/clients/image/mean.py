#!/usr/bin/env python3
"""`train` writes the mean of its channel's numbers, times a hyperparameter; `serve` multiplies by it."""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ML = Path("/opt/ml")


def train() -> None:
    """Numbers are lines of any file of the channel `training`."""
    factor = float(json.loads((ML / "input/config/hyperparameters.json").read_text()).get("factor", "1"))
    files = [path for path in (ML / "input/data/training").rglob("*") if path.is_file()]
    numbers = [float(line) for path in files for line in path.read_text().split()]
    mean = factor * sum(numbers) / len(numbers)
    print(f"learned from {len(numbers)} numbers: mean={mean}")
    (ML / "model/mean.json").write_text(json.dumps({"mean": mean}))


def serve() -> None:
    """A body is CSV or JSON; the answer is of the same kind."""
    mean = json.loads((ML / "model/mean.json").read_text())["mean"]

    class MeanHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers.get("Content-Type", "text/csv")
            if kind.startswith("application/json"):
                self.answer(json.dumps([mean * number for number in json.loads(body)]).encode(), kind)
            else:
                numbers = body.decode().replace(",", " ").split()
                self.answer(",".join(str(mean * float(number)) for number in numbers).encode(), "text/csv")

        def answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), MeanHandler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


{"train": train, "serve": serve}[Path(sys.argv[0]).name]()
