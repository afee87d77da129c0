"""Servers of a few lines of Python. Each broken one is the sound one with a single change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.check.zoo.zoo import Broken, Recipe, Sound

if TYPE_CHECKING:
    from emulator.check.checks import Claim

BASE = "samebox/base:cpu"
BIND_LABEL = "LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true"
SOUND_SERVER = """#!/usr/bin/env python3
import json, os, signal, socket, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PING, HOST, PORT, BACKLOG = "/ping", "0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080), 512
loaded, kept = {}, []

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, value=b"", **headers):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        if self.server.stopping:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.body()
        if self.path == PING:
            self.answer(200)
        elif self.path == "/execution-parameters":
            self.answer(200, {"MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6})
        elif self.path == "/models":
            self.answer(200, {"models": list(loaded.values())})
        else:
            model = loaded.get(self.path.removeprefix("/models/"))
            self.answer(200, model) if model else self.answer(404)

    def do_POST(self):
        data = self.body()
        if self.path == "/models":
            asked = json.loads(data)
            name = asked["model_name"]
            if name in loaded:
                return self.answer(409)
            loaded[name] = {"modelName": name, "modelUrl": asked["url"]}
            return self.answer(200)
        if self.path.startswith("/models/") and self.path.endswith("/invoke"):
            if self.path.split("/")[2] not in loaded:
                return self.answer(404)
        elif self.path != "/invocations":
            return self.answer(404)
        if self.headers.get("Content-Type", "").split(";")[0] != "application/json":
            return self.answer(415)
        try:
            self.answer(200, {"keys": len(json.loads(data))})
        except ValueError as error:
            self.answer(400, {"error": str(error)})

    def do_DELETE(self):
        self.body()
        self.answer(200 if loaded.pop(self.path.removeprefix("/models/"), None) else 404)

    def log_message(self, *words):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size, daemon_threads, block_on_close = BACKLOG, True, False
    stopping, busy = False, 0

def stop(*_):
    # What has been accepted is answered; a request that has begun may take its time.
    server.stopping = True
    threading.Thread(target=end).start()

def end():
    server.shutdown()
    time.sleep(1.5)
    os._exit(0)

if __name__ == "__main__":
    assert sys.argv[1:] == ["serve"] or sys.argv[0].endswith("serve")
    server = Server((HOST, PORT), Handler)
    signal.signal(signal.SIGTERM, stop)
    server.serve_forever(0.05)
    time.sleep(30)
"""
START = "    server = Server((HOST, PORT), Handler)\n"
PARSED = '            self.answer(200, {"keys": len(json.loads(data))})\n'
SERVE: frozenset[Claim] = frozenset({"serve"})
TRANSFORM: frozenset[Claim] = frozenset({"transform"})
SERVERLESS: frozenset[Claim] = frozenset({"serverless"})
MULTI_MODEL: frozenset[Claim] = frozenset({"multi-model"})
ALL = SERVE | TRANSFORM | SERVERLESS | MULTI_MODEL


def server(*changes: tuple[str, str], instructions: tuple[str, ...] = (BIND_LABEL,)) -> Recipe:
    """The sound one, with words of it replaced."""
    text = SOUND_SERVER
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Recipe({"usr/local/bin/serve": text}, instructions, BASE)


def broken(name: str, fails: str, *changes: tuple[str, str], claims: frozenset[Claim] = SERVE) -> Broken:
    return Broken(name, fails, server(*changes), claims)


def before(*lines: str) -> tuple[str, str]:
    """Lines in front of its start."""
    return START, "".join(f"    {line}\n" for line in lines) + START


SOUND = (Sound("a server", server(), ALL),)

BROKEN = (
    Broken("there is no serve", "serve-starts", Recipe({"usr/local/bin/server": "#!/bin/sh\n"}, (), BASE), SERVE),
    broken("ends at once", "serve-starts", before("sys.exit('no configuration')")),
    broken("listens on 127.0.0.1", "serve-listens", ('"0.0.0.0"', '"127.0.0.1"')),
    broken("listens on 5000", "serve-listens", ("or 8080)", "or 8080) and 5000")),
    broken(
        "redirects /ping",
        "serve-ping-path",
        ("            self.answer(200)\n        elif", '            self.answer(307, Location="/ping/")\n        elif'),
    ),
    broken(
        "knows no /ping", "serve-ping-path", ('PING, HOST, PORT, BACKLOG = "/ping"', 'PING, HOST, PORT, BACKLOG = "/"')
    ),
    broken(
        "is never healthy",
        "serve-ready",
        ("            self.answer(200)\n        elif", "            self.answer(503)\n        elif"),
    ),
    broken(
        "writes to its model",
        "serve-read-only-model",
        before("os.makedirs('/opt/ml/model', exist_ok=True)", "open('/opt/ml/model/cache', 'w').close()"),
    ),
    broken(
        "wants a GPU",
        "serve-without-gpu",
        before("sys.exit('libcuda.so.1: cannot open shared object file')"),
    ),
    broken(
        "answers /ping slowly",
        "serve-ping-time",
        ("        if self.path == PING:\n", "        if self.path == PING:\n            time.sleep(3)\n"),
    ),
    broken(
        "does not answer /ping while it predicts",
        "serve-ping-under-load",
        ("loaded, kept", "lock = threading.Lock()\nloaded, kept"),
        ("        if self.path == PING:\n", "        if self.path == PING:\n            with lock: pass\n"),
        (
            PARSED,
            "            with lock: time.sleep(3 if 3 < threading.active_count() < 8 else 0)\n" + PARSED,
        ),
    ),
    broken("takes no POST", "serve-invocations", ('self.path != "/invocations"', 'self.path != "/predict"')),
    broken(
        "fails on what is no JSON",
        "serve-bad-body",
        ("            self.answer(400, {", "            self.answer(500, {"),
    ),
    broken(
        "answers what is no JSON with 200",
        "serve-bad-body",
        ("            self.answer(400, {", "            self.answer(200, {"),
    ),
    broken("compares all of the Content-Type", "serve-content-type", ('"").split(";")[0] !=', '"") !=')),
    broken(
        "fails for an Accept that it does not know",
        "serve-accept",
        (
            "        try:\n",
            "        if 'unknown' in self.headers.get('Accept', ''): return self.answer(500)\n        try:\n",
        ),
    ),
    broken(
        "refuses headers that it does not know",
        "serve-unknown-headers",
        ("        try:\n", "        if 'X-Samebox-Unknown' in self.headers: return self.answer(400)\n        try:\n"),
    ),
    broken(
        "resets large bodies",
        "serve-large-body",
        (
            "        data = self.body()\n",
            "        if int(self.headers.get('Content-Length') or 0) > 1000000:\n"
            "            self.close_connection = True\n            return\n        data = self.body()\n",
        ),
    ),
    broken(
        "refuses large bodies",
        "serve-large-body",
        (
            "        data = self.body()\n",
            "        data = self.body()\n        if len(data) > 1000000: return self.answer(413)\n",
        ),
    ),
    broken(
        "leaves the body of a request that it refuses unread",
        "serve-keep-alive",
        (
            "        data = self.body()\n",
            "        if self.path == '/no-such-route': return self.answer(404)\n        data = self.body()\n",
        ),
    ),
    broken(
        "drops what comes behind a request",
        "serve-pipelining",
        (
            "    def body(self):\n",
            "    def handle_one_request(self):\n        super().handle_one_request()\n"
            "        self.rfile = self.connection.makefile('rb')\n    def body(self):\n",
        ),
    ),
    broken("knows no chunks", "serve-chunked-body", ('== "chunked"', '== "never"'), claims=TRANSFORM),
    broken(
        "refuses the ninth at once",
        "serve-concurrency",
        (
            PARSED,
            "            if threading.active_count() > 10: return self.answer(503)\n            time.sleep(0.05)\n"
            + PARSED,
        ),
    ),
    broken(
        "keeps what it was sent", "serve-memory-growth", (PARSED, "            kept.append(b'x' * 200000)\n" + PARSED)
    ),
    broken(
        "keeps files open", "serve-open-files", (PARSED, "            kept.append(open('/etc/hostname'))\n" + PARSED)
    ),
    broken("drops what is under way", "serve-drains", ("    time.sleep(1.5)\n", "")),
    broken("ignores SIGTERM", "serve-stops", ("signal.SIGTERM, stop", "signal.SIGTERM, signal.SIG_IGN")),
    broken(
        "listens on 8080 always",
        "serve-bind-to-port",
        ('int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)', "8080"),
    ),
    broken(
        "knows no batch transform",
        "transform-environment",
        before("if os.environ.get('SAGEMAKER_BATCH'): sys.exit('unknown setting')"),
        claims=TRANSFORM,
    ),
    broken(
        "has parameters of its own",
        "transform-execution-parameters",
        ('"BatchStrategy": "MULTI_RECORD"', '"BatchStrategy": "All"'),
        claims=TRANSFORM,
    ),
    broken(
        "writes to its root",
        "serverless-read-only-root",
        before("open('/var/tmp/socket', 'w').close()"),
        claims=SERVERLESS,
    ),
    broken("wants to be root", "serverless-non-root", before("os.listdir('/root')"), claims=SERVERLESS),
    broken(
        "wants its model at once",
        "multi-model-starts",
        before("if os.environ.get('SAGEMAKER_MULTI_MODEL'): sys.exit('there is no model')"),
        claims=MULTI_MODEL,
    ),
    broken(
        "answers for models that it does not have",
        "multi-model-unknown-model",
        (
            "not in loaded:\n                return self.answer(404)",
            "not in loaded:\n                return self.answer(400)",
        ),
        claims=MULTI_MODEL,
    ),
)
# With a model.tar.gz, which these alone need.
LOADING = (
    broken(
        "loads twice", "multi-model-load", ("return self.answer(409)", "return self.answer(200)"), claims=MULTI_MODEL
    ),
    broken("lists nothing", "multi-model-list", ("list(loaded.values())", "[]"), claims=MULTI_MODEL),
    broken(
        "fails to predict",
        "multi-model-invoke",
        (
            "            if self.path.split",
            "            if loaded: return self.answer(405)\n            if self.path.split",
        ),
        claims=MULTI_MODEL,
    ),
    broken("never unloads", "multi-model-unload", ("200 if loaded.pop(", "200 if loaded.get("), claims=MULTI_MODEL),
)
