"""Servers of a few lines of Python. Each broken one is the sound one with a single change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samebox.commands.examination import unpack

from tests.check.zoo.artifacts import MODEL, archive, of_zeros
from tests.check.zoo.zoo import Broken, Recipe, Sound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from samebox.check.checks import Claim

BASE = "samebox/base:cpu"
LABELS = (
    "LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true",
    "LABEL com.amazonaws.sagemaker.capabilities.bidirectional-streaming=true",
)
SOUND_SERVER = r"""#!/usr/bin/env python3
import base64, hashlib, json, os, signal, socket, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

PING, HOST, PORT, BACKLOG = "/ping", "0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080), 512
TALK = "/invocations-bidirectional-stream"
loaded, weights, kept = {}, {}, []

def free():
    used = int(open("/proc/self/statm").read().split()[1]) * 4096
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if os.path.exists(path) and (limit := open(path).read().strip()) != "max":
            return int(limit) - used
    return 1 << 50

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def parse_request(self):
        is_whole = super().parse_request()
        if is_whole:
            self.path = unquote(self.path)
        return is_whole

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

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(8):
            self.part(b"data: %d\n\n" % number)
            time.sleep(0.1)
        self.wfile.write(b"0\r\n\r\n")

    def part(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def talk(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        kind, message = 0, b""
        while head := self.rfile.read(2):
            opcode, is_last, size = head[0] & 15, head[0] & 128, head[1] & 127
            if size > 125:
                size = int.from_bytes(self.rfile.read(2 if size == 126 else 8), "big")
            mask = self.rfile.read(4)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(size)))
            if opcode == 8:
                return self.frame(8, data)
            if opcode == 9:
                self.frame(10, data)
            if opcode in (0, 1, 2):
                kind, message = opcode or kind, message + data
                if is_last:
                    self.frame(kind, message)
                    message = b""

    def frame(self, opcode, data):
        size = bytes([len(data)]) if len(data) < 126 else bytes([126]) + len(data).to_bytes(2, "big")
        self.wfile.write(bytes([128 | opcode]) + size + data)

    def do_GET(self):
        self.body()
        if self.path == TALK and "Upgrade" in self.headers:
            return self.talk()
        if self.path == PING:
            self.answer(200)
        elif self.path == "/execution-parameters":
            self.answer(200, {"MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6})
        elif self.path.split("?")[0] == "/models":
            every, at = list(loaded.values()), int(self.path.partition("=")[2] or 0)
            more = {"nextPageToken": str(at + 1)} if at + 1 < len(every) else {}
            self.answer(200, {"models": every[at : at + 1], **more})
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
            files = [os.path.join(folder, one) for folder, _, names in os.walk(asked["url"]) for one in names]
            if sum(os.path.getsize(one) for one in files) + (32 << 20) > free():
                return self.answer(507)
            weights[name] = [open(one, "rb").read() for one in files]
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
            if b'"stream"' in data:
                return self.stream()
            self.answer(200, {"keys": len(json.loads(data))})
        except ValueError as error:
            self.answer(400, {"error": str(error)})

    def do_DELETE(self):
        self.body()
        name = self.path.removeprefix("/models/")
        weights.pop(name, None)
        self.answer(200 if loaded.pop(name, None) else 404)

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
    until = time.monotonic() + 10
    while threading.active_count() > 2 and time.monotonic() < until:
        time.sleep(0.05)
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
STREAMING: frozenset[Claim] = frozenset({"streaming"})
ALL = SERVE | TRANSFORM | SERVERLESS | MULTI_MODEL | STREAMING


def two_payloads(folder: Path) -> tuple[Path, ...]:
    """The second asks for a stream."""
    paths = folder / "plain.json", folder / "stream.json"
    for path, text in zip(paths, ("{}", '{"stream": true}'), strict=True):
        path.write_text(text)
    return paths


SMALL: Mapping[str, Any] = {"model": archive(*MODEL), "unpack": unpack}
LARGE: Mapping[str, Any] = {"model": of_zeros(50_000_384), "unpack": unpack}
STREAM: Mapping[str, Any] = {"payloads": two_payloads}


def server(*changes: tuple[str, str], instructions: tuple[str, ...] = LABELS) -> Recipe:
    """The sound one, with words of it replaced."""
    text = SOUND_SERVER
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Recipe({"usr/local/bin/serve": text}, instructions, BASE)


def broken(
    name: str,
    fails: str,
    *changes: tuple[str, str],
    claims: frozenset[Claim] = SERVE,
    arguments: Mapping[str, Any] | None = None,
    says: str = "",
) -> Broken:
    # Most need not start on a second port, too.
    labels = LABELS if fails == "serve-bind-to-port" else LABELS[1:]
    return Broken(name, fails, server(*changes, instructions=labels), claims, arguments or {}, says=says)


def never_ready(name: str, says: str, *changes: tuple[str, str], instructions: tuple[str, ...] = ()) -> Broken:
    return Broken(name, "serve-ready", server(*changes, instructions=instructions), SERVE, SMALL, says=says)


def before(*lines: str) -> tuple[str, str]:
    """Lines in front of its start."""
    return START, "".join(f"    {line}\n" for line in lines) + START


def loading(name: str, fails: str, *changes: tuple[str, str]) -> Broken:
    """With a model, which these alone need."""
    return broken(name, fails, *changes, claims=MULTI_MODEL, arguments=SMALL)


def streaming(name: str, fails: str, *changes: tuple[str, str]) -> Broken:
    return broken(name, fails, *changes, claims=SERVE | STREAMING, arguments=STREAM)


# Python's own, as it is: HTTP/1.0, no Content-Length, each connection closed after one answer, a backlog of 5.
PLAIN_SERVER = """#!/usr/bin/env python3
import json, signal, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404)

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.answer(200, str(len(json.loads(data))).encode())
        except ValueError as error:
            self.answer(400, str(error).encode())

server = ThreadingHTTPServer(("0.0.0.0", 8080), Handler)
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
"""

SOUND = (
    Sound("a server", server(), ALL, {**LARGE, **STREAM}),
    Sound(
        "one that listens before it has loaded",
        server(
            (
                "    signal.signal(signal.SIGTERM, stop)\n",
                "    signal.signal(signal.SIGTERM, stop)\n    time.sleep(4)\n",
            )
        ),
        SERVE,
    ),
    Sound("Python's http.server", Recipe({"usr/local/bin/serve": PLAIN_SERVER}, (), BASE), SERVE),
)

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
        arguments={**SMALL, "start_seconds": 5.0},
    ),
    never_ready(
        "ends its workers while they load",
        "--preload",
        before(
            "held = socket.create_server((HOST, PORT))",
            "while True:",
            "    worker = os.fork()",
            "    worker or time.sleep(600)",
            "    time.sleep(2.5)",
            "    print(f'[1] [CRITICAL] WORKER TIMEOUT (pid:{worker})', flush=True)",
            "    os.kill(worker, 9)",
            "    os.waitpid(worker, 0)",
        ),
    ),
    never_ready(
        "is a proxy, and what it forwards to has ended",
        "has ended: nothing but nginx is running",
        before("open('/proc/self/comm', 'w').write('nginx')", "Handler.version_string = lambda _: 'nginx/1.22.1'"),
        ("            self.answer(200)\n        elif", "            self.answer(502, b'Bad Gateway')\n        elif"),
    ),
    never_ready(
        "fails in its /ping",
        "NameError: name 'undefined' is not defined",
        (
            "            self.answer(200)\n        elif",
            "            import traceback\n            try: undefined\n"
            "            except NameError: traceback.print_exc(); sys.stderr.flush()\n"
            "            self.answer(500, b'Internal Server Error')\n        elif",
        ),
    ),
    never_ready(
        "asks itself through a proxy",
        "ENV HTTP_PROXY=http://proxy.corp.example:3128 makes it ask through a proxy that is not there",
        (
            "            self.answer(200)\n        elif",
            "            import urllib.request\n"
            "            try: urllib.request.urlopen('http://localhost:8080/models', timeout=1.5); self.answer(200)\n"
            "            except Exception as error: self.answer(503, str(error).encode())\n        elif",
        ),
        instructions=("ENV HTTP_PROXY=http://proxy.corp.example:3128 http_proxy=http://proxy.corp.example:3128",),
    ),
    broken(
        "listens by IPv6 alone",
        "serve-listens",
        ('"0.0.0.0"', '"::"'),
        (
            "    stopping, busy = False, 0\n",
            "    stopping, busy, address_family = False, 0, socket.AF_INET6\n\n"
            "    def server_bind(self):\n"
            "        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n"
            "        super().server_bind()\n",
        ),
        says="it listens on [::]:8080 only, which takes no connection by IPv4",
    ),
    broken(
        "speaks TLS",
        "serve-ping-path",
        (
            "    protocol_version = ",
            "    def handle(self):\n"
            "        self.rfile.readline()\n"
            "        self.wfile.write(b'\\x15\\x03\\x03\\x00\\x02\\x02F')\n\n"
            "    protocol_version = ",
        ),
        says="it speaks TLS",
    ),
    Broken(
        "goes to the background",
        "serve-starts",
        Recipe(
            {
                "usr/local/bin/serve": "#!/bin/sh\nserver serve > /dev/null &\necho started\n",
                "usr/local/bin/server": SOUND_SERVER,
            },
            (),
            BASE,
        ),
        SERVE,
        SMALL,
        says="goes to the background, and ends with it: `server serve > /dev/null &`",
    ),
    Broken(
        "refuses the word serve",
        "serve-starts",
        Recipe(
            {
                "usr/local/bin/server": SOUND_SERVER.replace(
                    '    assert sys.argv[1:] == ["serve"] or sys.argv[0].endswith("serve")\n',
                    "    sys.argv[1:] and sys.exit(f'error: unrecognized arguments: {sys.argv[1]}')\n",
                )
            },
            ('ENTRYPOINT ["server"]', "CMD []"),
            BASE,
        ),
        SERVE,
        SMALL,
        says="without the word serve (`docker run IMAGE`) it is ready",
    ),
    broken(
        "writes to its model",
        "serve-read-only-model",
        before("os.makedirs('/opt/ml/model', exist_ok=True)", "open('/opt/ml/model/cache', 'w').close()"),
        arguments=SMALL,
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
        "loads its model when /ping asks for it",
        "serve-ping-time",
        (
            "        if self.path == PING:\n",
            "        if self.path == PING:\n            with lock: kept or kept.append(time.sleep(4))\n",
        ),
        ("loaded, weights", "lock = threading.Lock()\nloaded, weights"),
        says="/ping loads the model",
    ),
    broken(
        "says that it is well, and answers nothing",
        "serve-ping-means-ready",
        (
            "            self.answer(200)\n        elif",
            "            self.answer(200, {'status': 'Unhealthy'})\n        elif",
        ),
        (
            "        data = self.body()\n",
            "        data = self.body()\n        return self.answer(503, {'message': 'no worker serves the model'})\n",
        ),
        before("print('could not load model: no such file', flush=True)"),
        arguments={**SMALL, **STREAM},
        says="could not load model: no such file",
    ),
    broken(
        "fails whatever it is asked",
        "serve-invocations",
        (
            "        data = self.body()\n",
            "        data = self.body()\n        return self.answer(500, b'Internal Error')\n",
        ),
        arguments={**SMALL, **STREAM},
        says="every request is answered 500 Internal Error, whatever it is",
    ),
    broken(
        "has headers of its own",
        "serve-response-headers",
        (PARSED, PARSED.replace("len(json.loads(data))}", "len(json.loads(data))}, **{'X-Properties': 'p' * 6000}")),
        says="4,096 at most",
    ),
    broken(
        "has attributes without end",
        "serve-response-headers",
        (
            PARSED,
            PARSED.replace(
                "len(json.loads(data))}",
                "len(json.loads(data))}, **{'X-Amzn-SageMaker-Custom-Attributes': 'a' * 1500}",
            ),
        ),
        says="1,024 at most",
    ),
    broken(
        "does not answer /ping while it predicts",
        "serve-ping-under-load",
        ("loaded, weights", "lock = threading.Lock()\nloaded, weights"),
        ("        if self.path == PING:\n", "        if self.path == PING:\n            with lock: pass\n"),
        (
            PARSED,
            "            with lock: kept or kept.append(time.sleep(5))\n" + PARSED,
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
            "        if 'unknown' in self.headers.get('Content-Type', ''): return self.answer(415)\n"
            "        data = self.body()\n",
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
    broken("drops what is under way", "serve-drains", ("active_count() > 2", "active_count() > 20")),
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
    loading("loads twice", "multi-model-load", ("return self.answer(409)", "return self.answer(200)")),
    loading("lists nothing", "multi-model-list", ("list(loaded.values())", "[]")),
    loading("has one page", "multi-model-list", ('"nextPageToken"', '"nextToken"')),
    loading(
        "knows the model's url better", "multi-model-list", ('"modelUrl": asked["url"]', '"modelUrl": "model.txt"')
    ),
    loading(
        "knows hexadecimal names only",
        "multi-model-names",
        (
            "            if name in loaded:\n",
            "            if set(name) - set('0123456789abcdef'): return self.answer(400)\n"
            "            if name in loaded:\n",
        ),
    ),
    loading(
        "fails to predict",
        "multi-model-invoke",
        (
            "            if self.path.split",
            "            if loaded and self.path.split('/')[2] in loaded: return self.answer(405)\n"
            "            if self.path.split",
        ),
    ),
    loading(
        "never unloads",
        "multi-model-unload",
        ("200 if loaded.pop(", "200 if loaded.get("),
    ),
    Broken(
        "loads what it has no room for", "multi-model-memory", server((" > free():", " > 1 << 60:")), MULTI_MODEL, LARGE
    ),
    Broken(
        "says 500 when memory is short",
        "multi-model-memory",
        server(("answer(507)", "answer(500)")),
        MULTI_MODEL,
        LARGE,
    ),
    streaming("answers in one piece", "serve-stream", ("return self.stream()", "pass")),
    streaming(
        "keeps the parts to the end",
        "serve-stream-arrives",
        ("        for number in range(8):\n", "        time.sleep(0.8)\n        for number in range(8):\n"),
        ("            time.sleep(0.1)\n", ""),
    ),
    streaming("breaks off", "serve-stream-ends", (r'self.wfile.write(b"0\r\n\r\n")', "self.close_connection = True")),
    Broken(
        "goes with its caller",
        "serve-stream-abandoned",
        server(
            (
                "    stopping, busy = False, 0\n",
                "    stopping, busy = False, 0\n    handle_error = lambda *_: os._exit(3)\n",
            ),
            ('TALK = "/', 'TALK = "/other/'),
            instructions=(),
        ),
        SERVE | STREAMING,
        STREAM,
    ),
    broken(
        "never ends",
        "serve-stream-time",
        ("range(8):\n", "range(1 << 40):\n            if self.server.stopping: break\n"),
        claims=SERVE | STREAMING,
        arguments={**STREAM, "patience": 2.0},
    ),
    broken("opens no WebSocket", "serve-bidirectional", ('TALK = "/', 'TALK = "/other/')),
    Broken("keeps quiet of its WebSockets", "serve-bidirectional", server(instructions=()), SERVE),
    broken(
        "answers no Ping",
        "serve-bidirectional-pong",
        ("if opcode == 9:", "if opcode == 9 and message:"),
        arguments={"patience": 2.0},
    ),
    broken(
        "takes whole messages only",
        "serve-bidirectional-frames",
        ("                if is_last:", "                if not is_last: return\n                if True:"),
    ),
    broken("answers no Close", "serve-bidirectional-close", ("return self.frame(8, data)", "return")),
    broken(
        "is slow to predict",
        "serve-invocation-time",
        (PARSED, "            json.loads(data)\n            self.server.stopping or time.sleep(3)\n" + PARSED),
        arguments={"patience": 2.0},
    ),
    broken(
        "does not listen for a moment",
        "serve-connect-time",
        # Its 11th to 31st requests are those of the check; from the first POST on it behaves.
        (
            "        if self.path == PING:\n",
            "        self.server.busy += 1\n"
            "        if self.server.busy == 20:\n"
            "            self.server.socket.shutdown(socket.SHUT_RD)\n"
            "            threading.Timer(1, lambda: self.server.socket.listen(BACKLOG)).start()\n"
            "        if self.path == PING:\n",
        ),
        ("        data = self.body()\n", "        self.server.busy = 21\n        data = self.body()\n"),
    ),
)
