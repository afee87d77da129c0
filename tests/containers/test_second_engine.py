"""What holds of an engine holds where it has another disk, another network and other processes than we do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.second_engine import missing, second_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SUITE_SECONDS = 600

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(missing()), reason=f"a second engine needs {missing()}"),
]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with second_engine(tmp_path_factory.mktemp("second") / "engine") as found:
        yield found


@pytest.mark.timeout(SUITE_SECONDS + 120)
def test_an_engine_with_another_disk_and_network_keeps_every_promise(host: str) -> None:
    run_with(host, "tests/containers/test_engine.py")


def run_with(host: str, *tests: str) -> None:
    """A run of pytest of its own, as by a person who has set DOCKER_HOST."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "docker", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": host},
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
