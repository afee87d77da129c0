"""Pipes of channels: fed when they are opened, one epoch after the other, whatever the reader does."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from samebox.platform.pipes import Pipes

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

LARGE = b"x" * (1 << 20)  # more than a pipe holds


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    made = Pipes(tmp_path, late=False)
    yield made
    made.close()


def sending(*chunks: bytes) -> Generator[bytes]:
    yield from chunks


def wait_for(path: Path) -> Path:
    """As the documentation asks programs to: look again until it is there."""
    patience = threading.Event()
    while not path.exists():
        patience.wait(0.01)
    return path


def test_each_epoch_has_a_pipe_with_all_of_it(pipes: Pipes, tmp_path: Path) -> None:
    pipes.add("training", lambda _: sending(b"one,", b"two"))

    read = [wait_for(tmp_path / f"training_{epoch}").read_bytes() for epoch in range(3)]

    assert read == [b"one,two"] * 3
    assert stat.S_ISFIFO((tmp_path / "training_0").stat().st_mode)
    wait_for(tmp_path / "training_3")
    assert pipes.taken["training"].epochs == pipes.taken["training"].whole == 3
    assert pipes.in_words() == "training: 3 epochs, 21 bytes"


def test_the_next_pipe_is_not_there_before_the_last_one_was_read(pipes: Pipes, tmp_path: Path) -> None:
    pipes.add("training", lambda _: sending(LARGE))

    with (tmp_path / "training_0").open("rb") as reader:
        reader.read(1)
        assert not (tmp_path / "training_1").exists()


def test_a_reader_may_close_early(pipes: Pipes, tmp_path: Path) -> None:
    pipes.add("training", lambda _: sending(LARGE))

    with (tmp_path / "training_0").open("rb") as reader:
        assert reader.read(3) == b"xxx"

    assert wait_for(tmp_path / "training_1").read_bytes() == LARGE
    wait_for(tmp_path / "training_2")
    assert (pipes.taken["training"].epochs, pipes.taken["training"].whole) == (2, 1)


def test_channels_do_not_wait_for_each_other(pipes: Pipes, tmp_path: Path) -> None:
    pipes.add("test", lambda _: sending(b"test"))
    pipes.add("train", lambda _: sending(LARGE))

    with (tmp_path / "train_0").open("rb") as reader:
        assert (tmp_path / "test_0").read_bytes() == b"test"
        assert len(reader.read()) == len(LARGE)


def test_pipes_without_a_reader_are_reported(pipes: Pipes) -> None:
    pipes.add("training", lambda _: sending(b"data"))

    assert pipes.are_untouched
    assert pipes.in_words() == "training: never opened"


def test_data_that_cannot_be_read_is_a_problem_and_ends_the_pipe(pipes: Pipes, tmp_path: Path) -> None:
    def gone(_: int) -> Generator[bytes]:
        yield (tmp_path / "gone").read_bytes()

    pipes.add("training", gone)

    assert (tmp_path / "training_0").read_bytes() == b""
    assert "training could not be fed" in wait_for_problem(pipes)


def wait_for_problem(pipes: Pipes) -> str:
    patience = threading.Event()
    while not pipes.problem:
        patience.wait(0.01)
    return pipes.problem


def test_closed_pipes_feed_no_reader(pipes: Pipes, tmp_path: Path) -> None:
    pipes.add("training", lambda _: sending(b"data"))
    pipes.close()
    for feeder in threading.enumerate():
        if feeder.name == "the pipes of training":
            feeder.join(60)

    reader = os.open(tmp_path / "training_0", os.O_RDONLY | os.O_NONBLOCK)

    assert os.read(reader, 10) == b""
    os.close(reader)
