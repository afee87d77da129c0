"""The tools run what was written for them: all of it holds of a valid image, and of a broken one what is broken fails.

container-structure-test is the real one. goss is real where installed; `inside.py` does its work everywhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from samebox.check import exports, subject
from samebox.check.checks import Options
from samebox.check.registry import CHECKS
from samebox.check.runner import Run
from samebox.containers.docker import DockerEngine
from tests.check.exports.test_exports import rendered
from tests.check.fixtures import serving, training
from tests.check.fixtures.recipes import Recipe, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from samebox.check.checks import Claim

pytestmark = pytest.mark.docker

INSIDE = (Path(__file__).parent / "inside.py").read_text()
SECONDS = 120  # for a container to do what is waited for
TRAIN: frozenset[Claim] = frozenset({"train"})
SERVE: frozenset[Claim] = frozenset({"serve"})


def write(folder: Path, recipe: Recipe, claims: frozenset[Claim], **options: Any) -> str:
    """Name of the image; its files are in the folder."""
    engine, image = DockerEngine(), build(recipe)
    try:
        with Run(engine, Options(claims=claims, **options)) as run:
            run.examine(subject.from_engine(engine, image, run.context.labels))
            for one in exports.write(run.context, CHECKS):
                for name, text in one.files.items():
                    (folder / name).write_text(text)
    finally:
        engine.close()
    return image


# container-structure-test

TRAINER = training.VALID_TRAINER.replace("1 2 3 4 5 6 7 8", "1")
AUTHORITIES = {"etc/ssl/certs/ca-certificates.crt": "authorities"}


def failing_of_structure(folder: Path, image: str) -> dict[str, list[str]]:
    """Name of the test -> what the tool says of it."""
    report = folder / "report.json"
    command = [
        str(Path(sys.executable).with_name("container-structure-test")),
        "test",
        "--image",
        image,
        "--test-report",
        str(report),
    ]
    command += ["--config", str(folder / "container-structure-test.yaml")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    read = json.loads(report.read_text())
    assert read["Total"] > 15, ended.stdout + ended.stderr
    return {one["Name"]: one["Errors"] for one in read["Results"] if not one["Pass"]}


def test_everything_holds_of_a_valid_trainer(tmp_path: Path) -> None:
    image = write(tmp_path, Recipe({"usr/bin/train": TRAINER, **AUTHORITIES}), TRAIN)
    assert failing_of_structure(tmp_path, image) == {}


def test_of_a_trainer_with_many_faults_each_is_named_and_nothing_else(tmp_path: Path) -> None:
    programs = {
        "usr/bin/train": TRAINER.replace(training.LAST, f"{training.LAST} || true"),
        "usr/bin/run": "#!/bin/sh\r\n",
        "sbin/tini": '#!/bin/sh\nshift\nexec "$@"\n',
        "opt/ml/input/data.csv": "1\n",
    }
    lines = ("RUN chmod 777 /usr/bin/run", "ENV DB_PASSWORD=s3cretW0rd9", 'ENTRYPOINT ["tini", "--"]', 'CMD ["run"]')
    image = write(tmp_path, Recipe(programs, lines), TRAIN)
    failing = failing_of_structure(tmp_path, image)
    said = " ".join(failing.pop("Metadata Test"))
    assert "entrypoint" in said  # image-entrypoint-tini; the tool has one test for all of this
    assert "DB_PASSWORD" in said  # image-secrets-in-config
    assert {name.split(": ")[1] for name in failing} == {
        "image-ca-certificates",
        "image-opt-ml-hidden",
        "image-shebang-crlf",
        "image-world-writable",
        "train-exit-code",
    }


# goss


@contextmanager
def served(image: str) -> Iterator[str]:
    started = subprocess.run(
        ["docker", "run", "--detach", "--rm", image, "serve"], capture_output=True, check=True, text=True
    )
    container = started.stdout.strip()
    try:
        yield container
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=True)


def by_inside(container: str, path: Path) -> set[str]:
    read = json.dumps(rendered(path.read_text())).replace("c0ffee", container[:12])
    command = ["docker", "exec", "--interactive", container, "python3", "-c", INSIDE]
    ended = subprocess.run(command, input=read, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout))


def by_goss(container: str, path: Path) -> set[str]:
    for file in (shutil.which("goss"), path):
        subprocess.run(["docker", "cp", str(file), f"{container}:/tmp/"], capture_output=True, check=True)
    command = ["docker", "exec", container, "/tmp/goss", "-g", f"/tmp/{path.name}", "validate", "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    results = json.loads(ended.stdout)["results"]
    return {one["resource-id"] for one in results if not one["successful"]}


WAYS = [
    pytest.param(by_inside, id="as-goss"),
    pytest.param(by_goss, id="goss", marks=pytest.mark.skipif(shutil.which("goss") is None, reason="goss is not here")),
]


def failing_of_goss(way: Callable[[str, Path], set[str]], container: str, path: Path, expected: set[str]) -> set[str]:
    """Ids of the rules whose tests fail, once they are those that are expected, or after some time."""
    end = time.monotonic() + SECONDS
    while True:
        failing = {name.partition(":")[0] for name in way(container, path)}
        if failing == expected or time.monotonic() > end:
            return failing


HEADERS = (
    ('"").split(";")[0] !=', '"") !='),
    ("            self.answer(400, {", "            self.answer(200, {"),
    (
        "        try:\n",
        "        if 'unknown' in self.headers.get('Accept', ''): return self.answer(500)\n"
        "        if 'X-Samebox-Unknown' in self.headers: return self.answer(400)\n        try:\n",
    ),
)
REDIRECT = (
    "            self.answer(200)\n        elif",
    "            self.answer(307, Location='/ping/')\n        elif",
)
# The server, the rules whose tests in goss.yaml fail, and whether that of goss_wait.yaml does.
SERVERS: dict[str, tuple[Recipe, set[str], bool]] = {
    "valid": (serving.server(), set(), False),
    "listens on 127.0.0.1": (
        serving.server(('"0.0.0.0"', '"127.0.0.1"')),
        {"serve-listens", "serve-connect-time"},
        False,  # goss asks from inside
    ),
    "redirects /ping": (serving.server(REDIRECT), {"serve-ping-path", "serve-ping-time"}, True),
    "minds headers and no bodies": (
        serving.server(*HEADERS),
        {"serve-content-type", "serve-bad-body", "serve-accept", "serve-unknown-headers"},
        False,
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_asked_as_the_rules_want(tmp_path: Path, way: Callable[[str, Path], set[str]], name: str) -> None:
    recipe, expected, is_never_ready = SERVERS[name]
    (tmp_path / "one.json").write_text('{"template": "{{ .Env }}"}')
    image = write(tmp_path, recipe, SERVE, payloads=(tmp_path / "one.json",))
    waited = {"serve-ready"} if is_never_ready else set()
    with served(image) as container:
        assert failing_of_goss(way, container, tmp_path / "goss.yaml", expected) == expected
        assert failing_of_goss(way, container, tmp_path / "goss_wait.yaml", waited) == waited
