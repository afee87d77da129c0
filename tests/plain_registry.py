"""A registry as ECR's stands on one: the Docker Registry HTTP API, in memory, trusting everybody."""

import hashlib
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class PlainRegistry:
    """`manifests` is (repository, digest) -> (media type, bytes); `blobs` is (repository, digest) -> bytes."""

    def __init__(self) -> None:
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_RegistryHandler,), {"registry": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """End; once more is not an error."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class _RegistryHandler(BaseHTTPRequestHandler):
    registry: PlainRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.registry.requests.append(f"{self.command} {self.path}")
        name, what, rest = self._place()
        found: Any = None
        if what == "manifests":
            found = self.registry.manifests.get((name, rest))
        elif what == "blobs" and (name, rest) in self.registry.blobs:
            found = ("application/octet-stream", self.registry.blobs[name, rest])
        if found is None:
            self._answer(404, b"{}")
        else:
            self._answer(200, found[1], {"content-type": found[0], "docker-content-digest": rest})

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        name, _, _ = self._place()
        query = parse_qs(urlsplit(self.path).query)
        source = (query.get("from", [""])[0], query.get("mount", [""])[0])
        if source in self.registry.blobs:
            self.registry.blobs[name, source[1]] = self.registry.blobs[source]
            self._answer(201, b"", {"location": f"/v2/{name}/blobs/{source[1]}"})
            return
        upload = str(uuid.uuid4())
        self.registry.uploads[upload] = b""
        self._answer(202, b"", {"location": f"/v2/{name}/blobs/uploads/{upload}?_state=x%3D"})

    def do_PATCH(self) -> None:
        _, _, rest = self._place()
        self.registry.uploads[rest.partition("/")[2]] += self._body()
        self._answer(202, b"", {"location": self.path})

    def do_PUT(self) -> None:
        name, what, rest = self._place()
        body = self._body()
        if what == "blobs":
            content = self.registry.uploads.pop(rest.partition("/")[2]) + body
            (digest,) = parse_qs(urlsplit(self.path).query)["digest"]
            self.registry.blobs[name, digest] = content
        else:
            if any((name, blob) not in self.registry.blobs for blob in _blobs_of(body)):
                self._answer(404, b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}')
                return
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            self.registry.manifests[name, digest] = (self.headers["content-type"], body)
        self._answer(201, b"", {"location": f"/v2/{name}/{what}/{digest}", "docker-content-digest": digest})

    def do_DELETE(self) -> None:
        name, _, rest = self._place()
        self._answer(202 if self.registry.manifests.pop((name, rest), None) else 404, b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _place(self) -> tuple[str, str, str]:
        path = urlsplit(self.path).path.removeprefix("/v2/")
        for what in ("manifests", "blobs"):
            name, found, rest = path.rpartition(f"/{what}/")
            if found:
                return name, what, rest
        return "", "", ""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _blobs_of(manifest: bytes) -> list[str]:
    document = json.loads(manifest)
    return [part["digest"] for part in [document.get("config", {}), *document.get("layers", ())] if "digest" in part]
