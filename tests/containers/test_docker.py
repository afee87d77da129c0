"""What only Docker has: limits, networks, proxies, an engine that is not there or hangs. Beside test_engine.py."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import io
import json
import os
import socket
import tarfile
import threading
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from samebox.containers.docker import DockerEngine
from samebox.containers.engine import ContainerSpec, EngineUnavailable, ImageMissing, Mount, PullProgress, StartFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.containers.conftest import World

docker = pytest.mark.docker


def say(world: World, shell: str, **more: object) -> list[str]:
    container = world.run_to_the_end(shell, lambda _: None, **more)
    return [line.text for line in world.engine.logs(container)]


# Without an engine


def test_without_a_listener_the_message_has_the_reason_and_a_remedy(tmp_path: Path) -> None:
    engine = DockerEngine(f"unix://{tmp_path}/docker.sock")
    assert engine.available() == (
        f"No Docker engine answers at unix://{tmp_path}/docker.sock. Start it (sudo systemctl start docker), "
        "or set DOCKER_HOST to where it is. (No such file or directory)"
    )
    with pytest.raises(EngineUnavailable):
        engine.run(ContainerSpec(image="x"))
    engine.close()


def test_settings_that_make_no_sense_are_an_unavailable_engine() -> None:
    assert "cannot be used" in (DockerEngine("smoke://signals").available() or "")


def test_docker_host_and_docker_contexts_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "elsewhere"
    meta = tmp_path / "contexts" / "meta" / sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"Host": f"unix://{tmp_path}/context.sock", "SkipTLSVerify": False}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": name}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    assert "context.sock" in (DockerEngine().available() or "")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/host.sock")
    assert "host.sock" in (DockerEngine().available() or "")


def test_an_engine_that_hangs_is_unavailable_and_does_not_block(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        engine = DockerEngine(f"unix://{tmp_path}/docker.sock", answer_seconds=0.1)
        with pytest.raises(EngineUnavailable, match="does not answer in time"):
            engine.inspect("x")
        assert engine.wait("x", 0.1) is None
        engine.close()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("context canceled", EngineUnavailable),
        ("failed to create task for container: context canceled: unknown", EngineUnavailable),
        ("transport is closing: unavailable", EngineUnavailable),
        ("error reading from server: EOF: unavailable", EngineUnavailable),
        ('exec: "train": executable file not found in $PATH: unknown', StartFailed),
    ],
)
def test_an_engine_that_ends_while_it_starts_a_container_is_no_error_of_the_container(
    tmp_path: Path, words: str, kind: type[Exception]
) -> None:
    class FailingEngine(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"message": words}).encode()
            self.send_response(500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), FailingEngine) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        engine = DockerEngine(f"tcp://127.0.0.1:{server.server_port}")
        with pytest.raises(kind, match=words.split(":")[-1].strip()):
            engine.start("x")
        engine.close()
        server.shutdown()


def test_containers_are_found_by_one_request(tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(unquote(self.path))
            entry = {"Id": "c0", "Names": ["/a/alias", "/b"], "Image": "tiny", "State": "running", "Created": 1}
            body = json.dumps([{**entry, "Labels": {"samebox": "x"}}, {**entry, "Id": "c1", "State": "removing"}])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        engine = DockerEngine(f"tcp://127.0.0.1:{server.server_port}")
        first, second = engine.find({"samebox": None, "samebox.arn": "arn:1"})
        engine.close()
        server.shutdown()
    assert (first.id, first.name, first.running, first.labels) == ("c0", "b", True, {"samebox": "x"})
    assert (second.id, second.status) == ("c1", "exited")
    (only,) = asked
    assert only.startswith("/containers/json?")
    assert '["samebox", "samebox.arn=arn:1"]' in only.replace("+", " ")


# With one


@docker
def test_memory_and_processors_are_limited(docker_world: World) -> None:
    v2 = "/sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max"
    v1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
    said = say(docker_world, f"cat {v2} 2>/dev/null || cat {v1}", memory_bytes=64 << 20, cpus=0.5)
    assert said[0] == str(64 << 20)
    assert said[1].split()[0] == "50000"


@docker
def test_no_more_processes_than_allowed_can_be_had(docker_world: World) -> None:
    shell = "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i+1)); done; echo all"
    said = say(docker_world, shell, pids_limit=30)
    assert "all" not in said
    assert any("fork" in line for line in said), said


@docker
def test_a_bounded_log_is_followed_without_a_gap_and_kept_to_its_end(docker_world: World, tmp_path: Path) -> None:
    """Docker's follower reads the file that it has open to its end, and goes on with the newest."""
    bursts, lines = 8, 3_000
    shell = f"""
        n=0
        while [ $n -lt {bursts} ]; do
            i=0; while [ $i -lt {lines} ]; do echo "$n.$i {"." * 60}"; i=$((i+1)); done
            while [ ! -e /go/$n ]; do sleep 0.01; done
            n=$((n+1))
        done
        echo end"""
    bound = 700_000  # a burst is some 400,000 bytes
    container = docker_world.run(
        shell, lambda _: None, mounts=(Mount(tmp_path, "/go", read_only=True),), log_bytes=bound
    )
    followed = []
    for line in docker_world.engine.logs(container, follow=True):
        followed.append(line.text.split(" ")[0])
        burst, _, number = followed[-1].partition(".")
        if number == str(lines - 1):
            (tmp_path / burst).touch()
    assert followed == [f"{n}.{i}" for n in range(bursts) for i in range(lines)] + ["end"]
    kept = [line.text.split(" ")[0] for line in docker_world.engine.logs(container)]
    assert kept == followed[-len(kept) :]
    assert len(kept) < len(followed) / 2, "about its bound is kept"


@docker
def test_a_read_only_root_leaves_the_tmpfs_writable(docker_world: World) -> None:
    shell = "touch /x 2>/dev/null || echo refused; touch /scratch/x && df -m /scratch | tail -1 | awk '{print $2}'"
    said = say(docker_world, shell, read_only_root=True, tmpfs={"/scratch": "size=8m"})
    assert said == ["refused", "8"]


@docker
def test_a_read_only_mount_cannot_be_written(docker_world: World) -> None:
    mounts = (Mount(docker_world.folder, "/data", read_only=True),)
    assert "refused" in say(docker_world, "touch /data/x || echo refused", mounts=mounts)
    assert list(docker_world.folder.iterdir()) == []


@docker
def test_user_shared_memory_processes_folder_and_hosts_are_the_specs(docker_world: World) -> None:
    said = say(
        docker_world,
        "id -u; pwd; df -m /dev/shm | tail -1 | awk '{print $2}'; ulimit -Sn; ulimit -Hn; grep -w algo-1 /etc/hosts",
        user="65534",
        working_directory="/tmp",
        shm_bytes=16 << 20,
        ulimits={"nofile": (100, 200)},
        pids_limit=50,
        extra_hosts={"algo-1": "127.0.0.1"},
    )
    assert said == ["65534", "/tmp", "16", "100", "200", "127.0.0.1\talgo-1"]


@docker
def test_a_bounded_log_keeps_the_last_lines(docker_world: World) -> None:
    said = say(docker_world, "i=0; while [ $i -lt 20000 ]; do echo a line with the number $i; i=$((i+1)); done",
               log_bytes=400_000)  # fmt: skip
    assert said[-1] == "a line with the number 19999"
    assert 1000 < len(said) < 15_000
    numbers = [int(line.rpartition(" ")[2]) for line in said]
    assert numbers == list(range(20_000 - len(said), 20_000))


@docker
def test_network_none_has_no_way_out(docker_world: World) -> None:
    assert say(docker_world, "ls /sys/class/net", network="none") == ["lo"]


@docker
def test_containers_of_a_network_find_each_other_by_name(docker_world: World) -> None:
    name = f"{docker_world.instance_id}-network"
    docker_world.engine.create_network(name, docker_world.labels)
    docker_world.run("nc -l -p 7000 -e echo hello", lambda _: None, network=name, aliases=("algo-1",))
    shell = "for i in 1 2 3 4 5 6 7 8 9; do nc algo-1 7000 && exit; sleep 0.2; done"
    assert say(docker_world, shell, network=name)[-1] == "hello"


@docker
@pytest.mark.parametrize("directly", [True, False])
def test_a_port_is_reached_with_and_without_publishing_it(docker_world: World, directly: bool) -> None:
    engine = docker_world.engine
    assert isinstance(engine, DockerEngine)
    if not directly:
        engine._reaches = False
    shell = "echo pong > /tmp/ping; httpd -f -p 8080 -h /tmp"
    container = docker_world.run(shell, lambda _: None, publish={8080: 0})
    host, port = engine.address(container, 8080)
    if not directly:
        assert host == "127.0.0.1"
        assert engine.inspect(container).ports == {8080: port}
    assert pong(host, port) == b"pong\n"


@docker
def test_a_port_that_is_asked_for_is_published_there(docker_world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        port = placeholder.getsockname()[1]
    shell = "echo pong > /tmp/ping; httpd -f -p 8080 -h /tmp"
    container = docker_world.run(shell, lambda _: None, publish={8080: port})
    assert docker_world.engine.address(container, 8080) == ("127.0.0.1", port)
    assert pong("127.0.0.1", port) == b"pong\n"


@docker
def test_another_engine_takes_a_running_container_over(docker_world: World) -> None:
    container = docker_world.run("echo before; sleep 0.5; echo after", lambda _: None)
    lines = docker_world.engine.logs(container, follow=True)
    first = next(lines)
    docker_world.engine.close()
    assert list(lines) == []
    successor = DockerEngine()
    (found,) = successor.find(docker_world.labels)
    rest = [line.text for line in successor.logs(found.id, since=first.time, follow=True)]
    assert (found.id, rest) == (container, ["after"])
    successor.close()


@docker
def test_what_a_container_wrote_as_root_is_swept_by_the_janitor(docker_world: World) -> None:

    keep = docker_world.folder / "keep"
    keep.write_text("mine")
    swept = docker_world.folder / "job 1"
    swept.mkdir()
    shell = "mkdir -p /data/a/b; echo x > /data/a/b/c; ln -s / /data/root; mkfifo /data/a/pipe; chmod -R 0 /data/a"
    docker_world.run_to_the_end(shell, lambda _: None, mounts=(Mount(swept, "/data"),))
    engine = DockerEngine(instance_id=docker_world.instance_id)
    engine._sweep_as_root(swept)
    assert [path.name for path in docker_world.folder.iterdir()] == ["keep"]
    single = docker_world.folder / "single"
    single.write_text("x")
    engine._sweep_as_root(single)
    assert not single.exists()
    engine.close()


@docker
def test_an_image_is_pulled_with_a_name_and_a_password(docker_world: World) -> None:
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("noise")
        entry.size = 200_000
        tar.addfile(entry, io.BytesIO(os.urandom(entry.size)))
    events: list[PullProgress] = []
    with registry(layer.getvalue(), "AWS:secret") as (reference, blobs):
        with pytest.raises(ImageMissing, match=r"(?i)unauthorized"):
            docker_world.engine.pull(reference, "AWS", "wrong")
        facts = docker_world.engine.pull(reference, "AWS", "secret", events.append)
        try:
            assert reference in facts.digests
            assert facts.labels == {"kind": "pulled"}
            assert docker_world.engine.image(reference) == facts
            assert events[-1].done_bytes == events[-1].total_bytes
            assert len(blobs) == 2
        finally:
            assert isinstance(docker_world.engine, DockerEngine)
            docker_world.engine._http.call("DELETE", f"/images/{facts.id}", parameters={"force": "1"})


def pong(host: str, port: int) -> bytes:
    for _ in range(1000):
        connection = http.client.HTTPConnection(host, port, timeout=60)
        with contextlib.closing(connection), contextlib.suppress(ConnectionError, http.client.RemoteDisconnected):
            connection.request("GET", "/ping")
            return connection.getresponse().read()
        threading.Event().wait(0.01)
    raise AssertionError(f"nothing answers at {host}:{port}")


@contextlib.contextmanager
def registry(layer: bytes, credentials: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A registry of one image of one layer. Yields its digest reference."""

    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"kind": "pulled"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]},
        }
    ).encode()
    blobs = {f"sha256:{sha256(blob).hexdigest()}": blob for blob in (layer, config)}
    docker_type = "application/vnd.docker.distribution.manifest.v2+json"

    def described(kind: str, blob: bytes) -> dict[str, object]:
        return {"mediaType": kind, "size": len(blob), "digest": f"sha256:{sha256(blob).hexdigest()}"}

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": docker_type,
            "config": described("application/vnd.docker.container.image.v1+json", config),
            "layers": [described("application/vnd.docker.image.rootfs.diff.tar", layer)],
        }
    ).encode()
    digest = f"sha256:{sha256(manifest).hexdigest()}"

    class PrivateRegistry(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            expected = "Basic " + base64.b64encode(credentials.encode()).decode()
            last = self.path.rpartition("/")[2]
            if self.headers.get("Authorization") != expected:
                self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized"}]}', "application/json")
            elif self.path == "/v2/":
                self.answer(200, b"{}", "application/json")
            elif last == digest:
                self.answer(200, manifest, docker_type)
            elif last in blobs:
                self.answer(200, blobs[last], "application/octet-stream")
            else:
                self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}', "application/json")

        do_HEAD = do_GET  # noqa: N815

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", digest)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), PrivateRegistry) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"localhost:{server.server_port}/test/pulled@{digest}", blobs
        server.shutdown()
