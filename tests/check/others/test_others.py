"""Findings on third-party images are correct: the exact findings of each, and the reason for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.checks import Options
from samebox.check.runner import Run
from samebox.check.serving import SERVING
from samebox.check.static import STATIC
from samebox.containers.docker import DockerEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from samebox.check.checks import Check
    from samebox.check.findings import Finding

pytestmark = pytest.mark.docker

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAYLOAD = HERE / "payload.json"


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """All of them; in a second or two where they are built already."""
    override = ROOT / "docker-bake.override.hcl"
    files = [ROOT / "docker-bake.hcl", *([override] if override.exists() else []), HERE / "docker-bake.hcl"]
    command = ["docker", "buildx", "bake", *(word for file in files for word in ("--file", str(file))), "others"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]


def look(engine: DockerEngine, name: str, checks: Sequence[Check]) -> list[Finding]:
    options = Options(claims=frozenset({"serve"}), payloads=(PAYLOAD,), fast=True)
    with Run(engine, options) as run:
        run.examine(subject.from_engine(engine, f"samebox-test/other:{name}", run.context.labels))
        return run.run(checks)


def faults(found: Sequence[Finding]) -> dict[str, str]:
    """Id -> what was seen, of what failed or is warned of."""
    return {one.rule_id: one.seen for one in found if one.counts}


# Of a running server


@pytest.mark.parametrize("name", ["flask", "fastapi"])
def test_a_server_that_was_made_for_it_keeps_every_rule(engine: DockerEngine, name: str) -> None:
    """Flask behind gunicorn; FastAPI behind uvicorn: 4xx for bad bodies, SIGTERM drained, and no more."""
    found = look(engine, name, SERVING)
    assert faults(found) == {}
    assert sum(one.status == "pass" for one in found) > 20


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("flask-mistakes", "127.0.0.1:5000"),  # app.run() without arguments: the development server's own place
        ("litserve", "0.0.0.0:8000"),  # server.run(port=8000), as its quickstart has it
    ],
)
def test_a_server_on_its_own_port_is_not_found(engine: DockerEngine, name: str, place: str) -> None:
    found = faults(look(engine, name, SERVING))
    assert set(found) == {"serve-listens"}
    assert place in found["serve-listens"]


@pytest.mark.parametrize(
    "name",
    [
        "litserve-port",  # its own paths are /health and /predict
        "mlserver",  # it speaks the Open Inference Protocol: /v2/health/ready, /v2/models/…/infer; its port is 8080
    ],
)
def test_a_server_with_paths_of_its_own_is_never_healthy(engine: DockerEngine, name: str) -> None:
    found = faults(look(engine, name, SERVING))
    assert set(found) == {"serve-ping-path"}
    assert "GET /ping answers 404" in found["serve-ping-path"]


def test_litserve_with_sagemakers_paths_serves_and_leaves_two_things_to_look_at(engine: DockerEngine) -> None:
    found = faults(look(engine, "litserve-sagemaker", SERVING))
    assert set(found) == {
        "serve-bad-body",  # it parses the body outside of what turns errors into a 4xx: "Internal server error"
        "serve-stops",  # as process 1 its parent process, which only waits for its children, has no handler of SIGTERM
    }
    assert "500" in found["serve-bad-body"]
    assert "it still ran" in found["serve-stops"]


def test_mlserver_with_routes_of_its_runtime_serves_and_leaves_one_thing_to_look_at(engine: DockerEngine) -> None:
    """@custom_handler gives it /ping and /invocations, as MLServer's own MLflow runtime has them."""
    found = faults(look(engine, "mlserver-sagemaker", SERVING))
    assert set(found) == {
        "serve-bad-body"  # json() in the handler raises, and nothing between it and the server makes a 4xx of that
    }
    assert "500" in found["serve-bad-body"]


# Of the image


def test_findings_on_a_good_image_are_correct_with_all_those_packages_in_it(engine: DockerEngine) -> None:
    assert faults(look(engine, "mlserver", STATIC)) == {}


def test_what_is_read_of_the_one_with_mistakes_is_the_port_that_it_exposes(engine: DockerEngine) -> None:
    found = faults(look(engine, "flask-mistakes", STATIC))
    assert set(found) == {"image-exposed-port"}
    assert "5000/tcp" in found["image-exposed-port"]
