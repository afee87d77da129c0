"""Archives that are only read, and one image that trains and serves: what the tests of the plugin look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

# Imported here, once: pytester forgets what is first imported inside it, and half of a package would be imported anew.
from samebox.testing import items, kit, serving, training
from tests.check.fixtures.recipes import Recipe
from tests.check.images import SHELL, ImageSource, LayerFile, layer, script

if TYPE_CHECKING:
    from pathlib import Path

LEAN = "-p no:hypothesispytest -p no:anyio"  # these take seconds, inside pytester, to import what they do not use
IMPORTED = (items, kit, serving, training)
GOOD = ImageSource((layer(*SHELL, script("usr/bin/train"), script("usr/bin/serve")),))
BAD = ImageSource(
    (layer(*SHELL, script("usr/bin/train", mode=0o644), LayerFile("opt/ml/model/x", b"x")),), {"User": "gone"}
)
DOCKERFILE = "FROM debian:12\nCOPY train /usr/bin/train\nUSER gone\n"
# What is wrong with it, and would only be asked for if it were to serve or to train.
FAULTS = {"train-program", "image-user-exists", "image-opt-ml-hidden"}

TRAIN = """#!/usr/bin/env python3
import json, os, pathlib, sys, time
config = json.loads(pathlib.Path("/opt/ml/input/config/hyperparameters.json").read_text())
data = pathlib.Path("/opt/ml/input/data")
rows = sum(len(path.read_text().split()) for path in data.glob("*/*.csv"))
print(f"training with {config} on {rows} rows", flush=True)
if config.get("fail"):
    pathlib.Path("/opt/ml/output/failure").write_text(config["fail"])
    sys.exit(3)
time.sleep(float(config.get("seconds", 0)))
folder = pathlib.Path("/opt/ml/model/weights")
folder.mkdir()
(folder / "slope.txt").write_text(config.get("slope", "2"))
if config.get("link"):
    (folder / "latest").symlink_to("slope.txt")
print("done", os.environ.get("WORD", ""))
"""
SERVE = """#!/usr/bin/env python3
import os, pathlib, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
slope = pathlib.Path("/opt/ml/model/weights/slope.txt")
factor = float(slope.read_text()) if slope.exists() else 1.0
class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"end":
            os._exit(1)
        if self.headers["Content-Type"] != "text/csv":
            return self.answer(415, self.headers["Content-Type"].encode())
        self.answer(200, str(float(body) * factor).encode())
    def log_message(self, *words):
        print("asked", self.command, self.path, flush=True)
print("word", os.environ.get("WORD", ""), file=sys.stderr, flush=True)  # two streams have no order between them
if os.environ.get("WORD") == "end":
    sys.exit("no such word")
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
BOX = Recipe({"usr/local/bin/train": TRAIN, "usr/local/bin/serve": SERVE}, (), "samebox/base:cpu")


def write(folder: Path, image: ImageSource = GOOD, name: str = "image.tar") -> str:
    (folder / name).write_bytes(image.docker_archive())
    return name
