"""What a container has written, read over the engine: small files, and the end of its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import ContainerSpec
from samebox.containers.fake import FakeEngine
from samebox.platform.container_files import content
from samebox.platform.log_tail import last_lines

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    def train(process: Process) -> int:
        process.path("/tmp/failure").write_text("no luck")
        process.print(*(str(number) for number in range(100)))
        return 1

    made = FakeEngine(tmp_path / "engine")
    made.add_image("digits:1", {"train": train})
    return made


@pytest.fixture
def container(engine: FakeEngine) -> str:
    made = engine.run(ContainerSpec("digits:1", command=("train",)))
    assert engine.wait(made, 30) is not None
    return made


def test_a_file_is_read_as_far_as_asked(engine: FakeEngine, container: str) -> None:
    assert content(engine, container, "/tmp/failure") == b"no luck"
    assert content(engine, container, "/tmp/failure", most=2) == b"no"


def test_what_is_no_file_has_no_content(engine: FakeEngine, container: str) -> None:
    assert content(engine, container, "/tmp") is None
    assert content(engine, container, "/tmp/other") is None
    engine.remove(container)
    assert content(engine, container, "/tmp/failure") is None


def test_the_last_lines_are_given_in_their_order(engine: FakeEngine, container: str) -> None:
    assert [line.text for line in last_lines(engine, container, most=3)] == ["97", "98", "99"]
    assert len(last_lines(engine, container)) == 100
