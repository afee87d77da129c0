"""The serve image as SageMaker uses it: a TensorFlow model, as any user, on a read-only root."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from tests.serve.conftest import HttpReply, send, wait_until_ready
from tests.train import docker_cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

IMAGE = "samebox/serve:cpu"
# A model as small as can be, made in the train image: row -> [sum of the row, twice the first value].
MAKE_MODEL = """
import tensorflow as tf
class Small(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 2, 2, 1], tf.float32, name="grid")])
    def serve(self, grid):
        flat = tf.reshape(grid, [-1, 4])
        return {"out": tf.stack([tf.reduce_sum(flat, axis=1), 2 * flat[:, 0]], axis=1)}
small = Small()
tf.saved_model.save(small, "/made/1", signatures={"serving_default": small.serve})
"""
ROWS = [[1.0, 2.0, 3.0, 4.0], [0.5, 0.25, 0.0, -1.0]]
ANSWERS = [[10.0, 2.0], [-0.25, 1.0]]
# As strict as a deployment can be: an unknown user, nothing writable but memory, no capabilities.
STRICT = ("--read-only", "--user=12345:12345", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    made = ("run", "--rm", "--label", docker_cli.LABEL, "-v", f"{folder}:/made", "samebox/train:cpu", "python", "-c")
    docker_cli.docker(*made, MAKE_MODEL, timeout=300)
    folder.chmod(0o755)  # pytest's folders are for their owner alone, and the container runs as another
    return folder


class ServeContainer:
    def __init__(self, container: docker_cli.RunningContainer, port: int) -> None:
        self.container = container
        self.url = f"http://{container.address(port)}"

    def wait_until_ready(self) -> None:
        wait_until_ready(self.url, check_alive=self.container.check_running)

    def invoke(self, body: bytes, content_type: str, accept: str | None = None) -> HttpReply:
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        return send(f"{self.url}/invocations", body, headers)


@pytest.fixture(scope="module")
def endpoint(model: Path) -> Iterator[ServeContainer]:
    """One strict container for the tests that only ask."""
    container = docker_cli.start(
        IMAGE,
        "serve",
        options=(
            *STRICT,
            "-v",
            f"{model}:/opt/ml/model:ro",
            "-e",
            "SAGEMAKER_MODEL_SERVER_WORKERS=1",
            "-p",
            "127.0.0.1::8080",
        ),
    )
    try:
        found = ServeContainer(container, 8080)
        found.wait_until_ready()
        yield found
    finally:
        docker_cli.remove(container)


@pytest.fixture
def run_server(tmp_path: Path) -> Iterator[Any]:
    started: list[docker_cli.RunningContainer] = []

    def run(folder: Path | None, *options: str, port: int = 8080) -> ServeContainer:
        mount = ("-v", f"{folder}:/opt/ml/model:ro") if folder else ()
        container = docker_cli.start(IMAGE, "serve", options=(*mount, "-p", f"127.0.0.1::{port}", *options))
        started.append(container)
        return ServeContainer(container, port)

    yield run
    for container in started:
        docker_cli.remove(container)


def npy(rows: object) -> bytes:
    stream = io.BytesIO()
    numpy.save(stream, numpy.array(rows))
    return stream.getvalue()


BODIES = {
    "text/csv": b"1,2,3,4\n0.5,0.25,0,-1\n",
    "application/json": json.dumps({"instances": ROWS}).encode(),
    "application/jsonlines": b"[1,2,3,4]\n[0.5,0.25,0,-1]\n",
    "application/x-npy": npy(ROWS),
}


def numbers(reply: HttpReply) -> object:
    assert reply.status == 200, reply.body
    kind = reply.headers["Content-Type"].partition(";")[0]
    if kind == "text/csv":
        return [[float(value) for value in line.split(",")] for line in reply.body.decode().splitlines()]
    if kind == "application/jsonlines":
        return [json.loads(line) for line in reply.body.splitlines()]
    if kind == "application/x-npy":
        return numpy.load(io.BytesIO(reply.body)).tolist()
    return json.loads(reply.body)["predictions"]


@pytest.mark.parametrize("accept", [None, "*/*", *BODIES])
@pytest.mark.parametrize("content_type", list(BODIES))
def test_every_type_is_taken_and_given(endpoint: ServeContainer, content_type: str, accept: str | None) -> None:
    reply = endpoint.invoke(BODIES[content_type], content_type, accept)

    assert numbers(reply) == ANSWERS
    expected = "application/json" if accept in (None, "*/*") else accept
    assert reply.headers["Content-Type"].partition(";")[0] == expected


def test_rows_of_the_models_own_shape_are_taken_too(endpoint: ServeContainer) -> None:
    grid = [[[[1.0], [2.0]], [[3.0], [4.0]]]]

    assert numbers(endpoint.invoke(json.dumps(grid).encode(), "application/json")) == ANSWERS[:1]
    named = json.dumps({"inputs": {"grid": grid}}).encode()
    assert numbers(endpoint.invoke(named, "application/json")) == ANSWERS[:1]
    assert numbers(endpoint.invoke(npy(ROWS[0]), "application/x-npy")) == ANSWERS[:1]


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "words"),
    [
        (b"<a/>", "text/xml", None, 415, "application/x-npy"),
        (b"1,2,3,4", "", None, 415, "without Content-Type"),
        (b"1,2,3,4", "text/csv", "image/png", 406, "image/png"),
        (b"1,2,3", "text/csv", None, 400, "[2, 2, 1] in grid, the body has [3]"),
        (b"label,a\n", "text/csv", None, 400, "without a header"),
        (b"{", "application/json", None, 400, "not JSON"),
        (b'[["a", "b", "c", "d"]]', "application/json", None, 400, "takes numbers"),
        (b'{"instances": [{"wrong": 1, "names": 2}]}', "application/json", None, 400, "takes the inputs grid"),
        (b"", "application/x-npy", None, 400, "empty"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_message(
    endpoint: ServeContainer, body: bytes, content_type: str, accept: str | None, status: int, words: str
) -> None:
    reply = endpoint.invoke(body, content_type, accept)

    assert (reply.status, words in reply.error) == (status, True), reply.body


def test_a_strict_container_wrote_nothing_and_complains_of_nothing(endpoint: ServeContainer) -> None:
    endpoint.invoke(BODIES["text/csv"], "text/csv")

    assert endpoint.container.run("id", "-u").strip() == "12345"
    entries = [json.loads(line) for line in endpoint.container.logs().splitlines()]
    assert not [entry for entry in entries if entry["level"] in ("WARNING", "ERROR", "CRITICAL")]


def test_it_listens_at_the_port_of_the_platform(model: Path, run_server: Any) -> None:
    endpoint = run_server(model, "-e", "SAGEMAKER_BIND_TO_PORT=9123", port=9123)
    endpoint.wait_until_ready()

    assert numbers(endpoint.invoke(BODIES["text/csv"], "text/csv")) == ANSWERS


def test_the_default_type_of_the_answer_can_be_set(model: Path, run_server: Any) -> None:
    endpoint = run_server(model, "-e", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=text/csv")
    endpoint.wait_until_ready()

    assert endpoint.invoke(BODIES["text/csv"], "text/csv").headers["Content-Type"].startswith("text/csv")


def test_without_a_model_it_logs_why_it_is_not_healthy(run_server: Any) -> None:
    endpoint = run_server(None)
    line = endpoint.container.wait_for_line("could not be loaded")

    assert "/opt/ml/model does not exist" in line
    assert send(f"{endpoint.url}/ping").status == 503
    assert endpoint.container.stop(30) == 0


def test_a_folder_without_a_saved_model_is_described(tmp_path: Path, run_server: Any) -> None:
    (tmp_path / "weights.h5").write_bytes(b"x")
    line = run_server(tmp_path).container.wait_for_line("could not be loaded")

    assert "which holds weights.h5" in line
    assert "code/inference.py" in line


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, run_server: Any) -> None:
    tmp_path.chmod(0o700)
    endpoint = run_server(tmp_path, *STRICT)

    assert "Permission denied: '/opt/ml/model" in endpoint.container.wait_for_line("could not be loaded")
    assert send(f"{endpoint.url}/ping").status == 503


def test_a_broken_saved_model_is_described(tmp_path: Path, run_server: Any) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"not a protobuf")
    endpoint = run_server(tmp_path)
    endpoint.container.wait_for_line("could not be loaded")

    assert send(f"{endpoint.url}/ping").status == 503


def test_the_models_own_handlers_are_used_with_the_toolkits_codecs(
    model: Path, tmp_path: Path, run_server: Any
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(
        "from sagemaker_inference import decoder, encoder\n"
        "def input_fn(body, content_type): return decoder.decode(body, content_type).reshape(-1, 4)\n"
        "def output_fn(prediction, accept): return encoder.encode(prediction, accept), accept\n"
    )
    endpoint = run_server(folder, *STRICT)
    endpoint.wait_until_ready()

    assert json.loads(endpoint.invoke(b"1,2,3,4", "text/csv").body) == ANSWERS[:1]
    assert endpoint.invoke(b"x", "text/xml").status == 415
    assert endpoint.invoke(b"1,2,3,4", "text/csv", "image/png").status == 406


def test_requests_in_flight_are_answered_when_the_container_is_stopped(tmp_path: Path, run_server: Any) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(
        "import time\ndef model_fn(model_dir): return None\n"
        "def transform_fn(model, body, content_type, accept): time.sleep(float(body)); return body.decode()\n"
    )
    tmp_path.chmod(0o755)
    endpoint = run_server(tmp_path, "-e", "SAGEMAKER_MODEL_SERVER_WORKERS=2", *STRICT)
    endpoint.wait_until_ready()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(endpoint.invoke, b"3", "text/plain") for _ in range(4)]
        threading.Event().wait(1)  # so that all four are on their way: two run, two are queued
        code = endpoint.container.stop(30)
        replies = [one.result(60) for one in waiting]

    assert [reply.status for reply in replies] == [200] * 4
    assert code == 0


def test_its_width_follows_the_containers_limits(model: Path, run_server: Any) -> None:
    endpoint = run_server(model, "--cpus=1", "-m", "1g")

    assert "1 workers, 1 predictions at once in each" in endpoint.container.wait_for_line("serving /opt/ml/model")


def test_an_unknown_command_is_not_swallowed() -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "--label", docker_cli.LABEL, IMAGE, "no-such-command"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 127
